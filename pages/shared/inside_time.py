"""The time machine: one slider goes through the epochs of a training, and everything follows.

From the snapshots that a trainer leaves in its run's folder: curves, answers to the validation
images, and what the network of that epoch makes of a picture, which the engine computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from cnn.errors import CnnError
from cnn.prediction.client import shared_engine
from cnn.prediction.moments import MOST_MAPS, Moment, Moments, Question
from cnn.runs.folder import RunFolder
from cnn.runs.labels import read_label
from cnn.runs.manager import RunInfo, list_runs
from cnn.training.snapshots import FEWEST, MOST_BYTES, MOST_KEPT, SPARE, Answers
from pages.shared import cached
from pages.shared.charts import history_alt, history_option
from pages.shared.confusion import (
    Matrix,
    chart_height,
    confusion_option,
    confusion_rows,
    confusion_words,
)
from pages.shared.errors import errors_shown, show_error
from pages.shared.formats import amount, bytes_in_words, count, decimal, percent, plain
from pages.shared.inside_answer import show_shares
from pages.shared.inside_picture import Subject, choose_subject
from pages.shared.inside_words import shape_text, short
from pages.shared.layout import TRAIN
from pages.shared.past_link import RUN
from pages.shared.pictures import enlarged_png
from pages.shared.run_log import view_run

EPOCH = "epoch"  # in the address too
LAYER = "inside_time_layer"
_CAME_FROM, _FORWARD = "inside_time_before", "inside_time_forward"  # in the session
ITS_ANSWER = "its answer"
PICTURE = 176  # pixels
CHART_HEIGHT = 240
TOP = 3


@dataclass(frozen=True)
class Past:
    """A run with what it left to look back at."""

    run: RunInfo
    epochs: list[int]  # with a snapshot

    @property
    def folder(self) -> RunFolder:
        """Its files."""
        return self.run.folder


def show_time_machine() -> None:
    """Show the choice of a run and of an epoch, and the network as it was then."""
    runs = list_runs()
    past = {run.run_id: Past(run, epochs) for run in runs
            if (epochs := run.folder.snapshots.epochs())}
    asked = st.query_params.get(RUN, "")
    if asked and asked not in {run.run_id for run in runs}:
        st.warning(f"There is no run {plain(repr(asked[:80]))}.", icon=":material/search_off:")
    elif asked and asked not in past:
        st.info(f"The run {plain(asked)} left no snapshots. {_why_none()}",
                icon=":material/history_toggle_off:")
    if not past:
        st.info(f"**No run has left snapshots yet.** {_why_none()}", icon=":material/history:")
        st.page_link(TRAIN, label="Train a network", icon=":material/model_training:")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = _choose(past, asked)
    answers = _first_that_can_be_read(chosen)
    if answers is None:
        return
    with right:
        subject = choose_subject(answers.about.dataset, answers.about.input_shape)
    _travel(chosen, answers.about.class_names, subject)


def _choose(past: dict[str, Past], asked: str) -> Past:
    """Show the runs with snapshots, and return the chosen one."""
    ids = list(past)
    chosen = past[st.selectbox("Run", ids, index=ids.index(asked) if asked in past else 0,
                               key="inside_run",
                               format_func=lambda run_id: _title(past[run_id].run))]
    # Not bound: that would put the title into the address.
    st.query_params[RUN] = chosen.run.run_id
    st.caption(f"{amount(len(chosen.epochs), 'snapshot')}, "
               f"{bytes_in_words(chosen.folder.snapshots.size())} in the run's folder.")
    return chosen


def _why_none() -> str:
    return (f"A training keeps one after each epoch, {MOST_KEPT} at most; not if it was trained "
            f"before there were any, if {FEWEST} of its network would take more than "
            f"{MOST_BYTES // 2**20} MB, or if less than {SPARE // 2**30} GB of the disk was free.")


def _title(run: RunInfo) -> str:
    title = read_label(run.folder).title or run.run_id
    config = run.config
    return f"{title} · {config.architecture} on {config.dataset}" if config else title


def _first_that_can_be_read(past: Past) -> Answers | None:
    for epoch in past.epochs:
        try:
            return _answers(str(past.folder.path), epoch, _stamp(past, epoch))
        except CnnError as error:
            found = error
    show_error(found)
    return None


def _stamp(past: Past, epoch: int) -> cached.Stamp:
    return cached.file_stamp(past.folder.snapshots.path(epoch))


@st.cache_data(max_entries=64, show_spinner=False)
def _answers(run: str, epoch: int, stamp: cached.Stamp) -> Answers:
    return RunFolder(Path(run)).snapshots.answers(epoch)


_MOMENTS = Moments()  # of all visitors


def _begin(
    past: Past, epoch: int, subject: Subject, layer: str, class_name: str
) -> Future[Moment]:
    """Let the engine begin with an epoch.

    Raises:
        NotFound: If there is no snapshot of it any more.
    """
    question = Question(str(past.folder.snapshots.folder), epoch, layer, class_name,
                        (_stamp(past, epoch), subject.digest))
    return _MOMENTS.begin(shared_engine(), question, subject.data)


@st.fragment
def _travel(past: Past, class_names: Sequence[str], subject: Subject) -> None:
    """Show the slider and all that follows it; a step draws this part alone.

    The engine works while curves and answers are drawn, and then on the next step.
    """
    epochs = past.epochs
    epoch = epochs[0] if len(epochs) == 1 else st.select_slider(
        "After epoch", epochs, value=epochs[-1], key=EPOCH, bind="query-params",
        help="Arrow keys go from one to the next.")
    left, right = st.columns(2, gap="medium")
    with left:
        choices = st.grid(2, min_column_width=150)
        with choices.cell():
            about = st.selectbox("Grad-CAM for", [ITS_ANSWER, *class_names],
                                 key=f"inside_heat_{past.run.run_id}")
        layers, picture = choices.cell(), st.container()
    class_name = "" if about == ITS_ANSWER else about
    begun = None
    with picture, errors_shown():
        begun = _begin(past, epoch, subject, st.session_state.get(LAYER, ""), class_name)
    with right:
        _show_curves(past, epoch)
    with errors_shown():
        _show_validation(past, epoch)
    if begun is None:
        return
    with picture, errors_shown():
        found = begun.result()
        with layers:
            _choose_layer(found)
        _draw_moment(found, class_names, subject, about)
        _begin(past, _next(epochs, epoch), subject, found.layer, class_name)


def _next(epochs: Sequence[int], epoch: int) -> int:
    """Return the epoch that the slider probably comes to: it goes on as it went."""
    before = st.session_state.get(_CAME_FROM, epoch)
    if before != epoch:
        st.session_state[_FORWARD] = epoch > before
    st.session_state[_CAME_FROM] = epoch
    place = epochs.index(epoch) + (1 if st.session_state.get(_FORWARD, False) else -1)
    return epochs[min(max(place, 0), len(epochs) - 1)]


def _choose_layer(found: Moment) -> None:
    """Show whose feature maps are on the sheet."""
    if found.layers:
        st.session_state[LAYER] = found.layer
        st.selectbox("Feature maps of", list(found.layers), key=LAYER, format_func=lambda one: (
            f"{one}  ({shape_text(found.layers[one])})"))


def _draw_moment(
    found: Moment, class_names: Sequence[str], subject: Subject, about: str
) -> None:
    order = np.argsort(-np.array(found.probabilities), kind="stable")
    with st.container(horizontal=True, vertical_alignment="top"):
        st.image(enlarged_png(found.seen, PICTURE), output_format="PNG", width=PICTURE,
                 caption=subject.name, alt="The picture as the network sees it")
        if found.heat:
            label = class_names[order[0]] if about == ITS_ANSWER else about
            st.image(found.heat, output_format="PNG", width=PICTURE,
                     caption=f"What speaks for **{plain(label)}**", alt=f"Heat map for {label}")
    show_shares([(class_names[place], found.probabilities[place]) for place in order[:TOP]])
    if found.sheet:
        st.image(found.sheet, output_format="PNG", alt=f"Feature maps of {found.layer}")
        channels = found.layers[found.layer][2]
        shown = f"The first {MOST_MAPS} of" if channels > MOST_MAPS else "All"
        st.caption(f"{shown} {amount(channels, 'channel')} of {plain(short(found.layer))}, "
                   "always at the same place.")
    _say_limits(found)


def _say_limits(found: Moment) -> None:
    if not found.heat_layer:
        st.caption("This network takes the picture as one row of values: it has no feature maps, "
                   "and Grad-CAM has nothing to show.")
    elif found.blank:
        st.caption("No part of the picture speaks for this class.")
    elif found.coarse:
        height, width = found.size
        st.caption(f"With {height} × {width} places the heat map says next to nothing about where "
                   "something is.")


def _show_curves(past: Past, epoch: int) -> None:
    with errors_shown():
        epochs = view_run(past.folder).epochs
        if not epochs:
            st.caption("The curves of this run were not kept.")
            return
        for key in ("accuracy", "loss"):
            st.subheader(key.capitalize(), anchor=False)
            marks = [(float(epoch), "now")]
            st.echarts_chart(history_option(epochs, key, marks=marks), height=CHART_HEIGHT,
                             key=f"inside_time_{key}", alt=history_alt(epochs, key, marks))


def _show_validation(past: Past, epoch: int) -> None:
    """Show what the network answered to the validation images after an epoch.

    Raises:
        Damaged: If that cannot be read.
    """
    found = _answers(str(past.folder.path), epoch, _stamp(past, epoch))
    st.subheader("The validation images", anchor=False)
    with st.grid(4, min_column_width=150):
        right = found.answers == found.labels
        st.metric("Right", percent(float(right.mean())), border=True, height="stretch",
                  help=f"Of {count(len(right))} images held back from training, not of the test.")
        record = next((row for row in view_run(past.folder).epochs if row["epoch"] == epoch), None)
        st.metric("Loss", decimal(record["val_loss"] if record else None), border=True,
                  height="stretch", help="Mean cross-entropy of the validation images.")
        _show_change(past, epoch, found)
    words = confusion_words(found.about.class_names, found.confusion)
    matrix = Matrix(found.about.class_names, found.confusion)
    st.echarts_chart(
        confusion_option(matrix, st.context.theme.type == "dark"),
        key="inside_time_confusion", height=chart_height(len(found.about.class_names)), alt=words)
    st.caption(f"Rows are the truth, columns the answers. {plain(words)}")
    with st.expander("As a table", icon=":material/table:", key="inside_time_table",
                     on_change="rerun") as table:
        if table.open:
            st.dataframe(confusion_rows(matrix),
                         hide_index=True, alt="Confusion matrix, one row per true class")


def _show_change(past: Past, epoch: int, found: Answers) -> None:
    """Show how many images were learned and forgotten since the snapshot before."""
    place = past.epochs.index(epoch)
    if not place:
        return
    before_epoch = past.epochs[place - 1]
    try:
        before = _answers(str(past.folder.path), before_epoch, _stamp(past, before_epoch))
    except CnnError:  # it says so itself when the slider stands there
        return
    if before.labels.shape != found.labels.shape or (before.labels != found.labels).any():
        return
    was, now = before.answers == before.labels, found.answers == found.labels
    st.metric("Learned", count(int((now & ~was).sum())), border=True, height="stretch",
              help=f"Wrong after epoch {before_epoch}, right now.")
    st.metric("Forgotten", count(int((was & ~now).sum())), border=True, height="stretch",
              help=f"Right after epoch {before_epoch}, wrong now.")
