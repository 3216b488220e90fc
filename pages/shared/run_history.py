"""What a run has learnt so far on the Train page: curves, events, pinned pictures, epochs and log.

Drawn less often than the figures of a run that is active: see `live_run`.
"""

from __future__ import annotations

from math import ceil
from string import ascii_uppercase

import streamlit as st

from cnn.config import RunConfig
from cnn.runs.manager import RunInfo, get_run
from cnn.training.diagnosis import Overfitting, find_overfitting, in_words, remedies
from pages.shared.charts import history_alt, history_option, rate_option
from pages.shared.formats import duration, plain
from pages.shared.pinned import draw_pins
from pages.shared.run_log import Mark, RunView, view_run

CHART_HEIGHT = 300  # pixels
RATE_HEIGHT = 170
MOST_EVENTS = 4  # in words; beside a chart of this height, more are scrolled
SAME_RATE = 1e-6  # relative: TensorFlow keeps rates in float32
FIRST_AXIS_END = 10  # epochs


def draw_history(run_id: str) -> None:
    """Draw what there is."""
    run = get_run(run_id)
    view = view_run(run.folder)
    end = _axis_end(run, view)
    found = find_overfitting(view.epochs)
    _draw_curves(run, view, end, found)
    if found and run.config:
        _draw_overfitting(found, run.config)
    _draw_course(view, end)
    draw_pins(run.folder.path, view, end, run.active)
    _draw_epochs(view)
    _draw_log(run)


def _draw_curves(run: RunInfo, view: RunView, end: int, found: Overfitting | None) -> None:
    if not view.points and not view.epochs:
        if run.active and run.status.state != "queued":
            st.skeleton(height=CHART_HEIGHT)
        return
    marks = [(mark.place, letter) for letter, mark in _lettered(view)]
    columns = st.columns(2)
    for column, key in zip(columns, ("loss", "accuracy"), strict=True):
        rising = (found.since, found.until) if found and key == "loss" else None
        with column:
            st.subheader(key.capitalize(), anchor=False)
            st.echarts_chart(
                history_option(view.epochs, key, view.smoothed(key), end, marks, rising),
                height=CHART_HEIGHT, key=f"run_{key}",
                alt=history_alt(view.epochs, key, marks, rising))


def _lettered(view: RunView) -> list[tuple[str, Mark]]:
    """Return the newest events, each with the letter that stands for it on the charts."""
    newest = view.marks[-len(ascii_uppercase):]
    return list(zip(ascii_uppercase, newest, strict=False))


def _draw_overfitting(found: Overfitting, config: RunConfig) -> None:
    tries = "\n".join(f"- {plain(sentence)}" for sentence in remedies(config, found))
    st.info(f"{plain(in_words(found))}\n\nTo try next time:\n{tries}",
            icon=":material/trending_up:")


def _draw_course(view: RunView, end: int) -> None:
    """Draw the learning rate, as a curve only where it has changed, and the events."""
    if not view.rates:
        return
    rates = [rate for _, rate in view.rates]
    if max(rates) - min(rates) <= SAME_RATE * max(rates):
        st.caption(f"Learning rate {rates[-1]:.2g} so far.")
        _draw_events(view)
        return
    left, right = st.columns(2)
    with left:
        st.subheader("Learning rate", anchor=False)
        st.echarts_chart(rate_option(view.rates, end), height=RATE_HEIGHT, key="run_rate",
                         alt=f"Learning rate by epoch: from {rates[0]:.2g} to {rates[-1]:.2g}.")
    if view.marks:
        with right:
            st.subheader("Events", anchor=False)
            height = RATE_HEIGHT if len(view.marks) > MOST_EVENTS else "content"
            with st.container(height=height, border=False):  # never higher than its neighbour
                _draw_events(view)


def _draw_events(view: RunView) -> None:
    lines = []
    for letter, mark in _lettered(view):
        whole = mark.place.is_integer()
        moment = f"after epoch {mark.place:.0f}" if whole else f"in epoch {ceil(mark.place)}"
        lines.append(f"**{letter}** · {moment} · {plain(mark.text)}")
    if lines:
        st.caption("  \n".join(lines))


def _axis_end(run: RunInfo, view: RunView) -> int:
    """Return where the axis of epochs ends: it doubles now and then, up to the epochs asked for."""
    if not run.active or run.config is None:
        return 0
    end, now = FIRST_AXIS_END, view.last["epoch"] if view.last else 1
    while end < now:
        end *= 2
    return min(end, run.config.epochs)


def _draw_epochs(view: RunView) -> None:
    if view.epochs:
        newest_first = view.epochs[::-1]
        best = next((e["epoch"] for e in newest_first if e["best"]), 0)
        share = st.column_config.NumberColumn(format="%.2f %%")
        loss = st.column_config.NumberColumn(format="%.4f")
        st.dataframe(
            {"Epoch": [f"{e['epoch']} · best" if e["epoch"] == best else str(e["epoch"])
                       for e in newest_first],
             "Loss": [e["loss"] for e in newest_first],
             "Validation loss": [e["val_loss"] for e in newest_first],
             "Accuracy": [100 * e["accuracy"] for e in newest_first],
             "Validation accuracy": [100 * e["val_accuracy"] for e in newest_first],
             "Learning rate": [f"{e['learning_rate']:.2g}" for e in newest_first],
             "Time": [duration(e["seconds"]) for e in newest_first]},
            hide_index=True, height="auto", key="run_epochs", alt="Figures of each epoch",
            column_config={"Epoch": st.column_config.TextColumn(width=84), "Loss": loss,
                           "Validation loss": loss, "Accuracy": share,
                           "Validation accuracy": share})


def _draw_log(run: RunInfo) -> None:
    log = run.folder.log_tail()
    open_at_once = run.status.state in ("failed", "interrupted", "diverged")
    with st.expander("Log of the trainer", expanded=open_at_once, icon=":material/article:"):
        st.code(log or "Nothing yet.", language=None, wrap_lines=True, height=240)
