"""The chosen run on the page Runs: what it is, and what can be done with it."""

from __future__ import annotations

import io
from functools import partial

import streamlit as st

from cnn.errors import CnnError
from cnn.runs.archive import archive_size, write_archive
from cnn.runs.folder import STATES
from cnn.runs.labels import MOST_IN_NOTE, MOST_IN_TITLE, Label, read_label, write_label
from cnn.runs.manager import RunInfo
from cnn.runs.trash import delete_run, deleted_runs, title_of
from pages.shared.bin import Bin
from pages.shared.errors import show_error
from pages.shared.formats import duration, percent, plain
from pages.shared.layout import TRAIN
from pages.shared.past_link import link_to_past
from pages.shared.run_table import ADDRESS, run_name, run_state, started, state_color


def _forget() -> None:
    st.query_params.pop(ADDRESS, None)


def _choose(run_id: str) -> None:
    st.query_params[ADDRESS] = run_id


BIN = Bin("run", deleted_runs, delete_run, title_of, _forget, _choose,
          "This cannot be undone. Saved models stay.")


def show_panel(run: RunInfo) -> None:
    """Show a run, damaged or not, and what can be done with it."""
    label, state = read_label(run.folder), run_state(run)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(plain(run_name(run)), width="content", anchor=False)
            st.badge(state, color=state_color(state), help=STATES.get(state))
            if run.config:
                st.badge(plain(run.config.dataset), icon=":material/photo_library:", color="gray")
                st.badge(plain(run.config.architecture), icon=":material/grid_view:", color="gray")
        if run.error:
            show_error(run.error)
        else:
            st.caption(_facts(run))
        if label.note:
            st.markdown(plain(label.note).replace("\n", "  \n"))
        _draw_actions(run)
        with st.expander("Title and note", icon=":material/edit_note:"):
            _draw_form(run, label)


def _facts(run: RunInfo) -> str:
    status, config = run.status, run.config
    begin = started(run)
    facts = [
        f"{status.epoch} of {config.epochs} epochs" if config else "",
        f"best validation {percent(status.best_val_accuracy, 2)}" if status.best_epoch else "",
        f"test {percent(status.test_accuracy, 2)}" if status.test_accuracy is not None else "",
        duration(status.seconds) if status.seconds else "",
        f"started {begin:%Y-%m-%d %H:%M} UTC" if begin else ""]
    return " · ".join([*filter(None, facts), plain(run.run_id)])


def _draw_actions(run: RunInfo) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.error is None:
            st.page_link(TRAIN, label="Open", icon=":material/monitoring:",
                         query_params={ADDRESS: run.run_id})
            link_to_past(run.folder)
            st.page_link(TRAIN, label="New run like this", icon=":material/content_copy:",
                         query_params={ADDRESS: "new", "like": run.run_id},
                         help="Opens the form with the settings of this run.")
            _draw_export(run)
        st.button("Delete", icon=":material/delete:", key="runs_delete", on_click=BIN.delete,
                  args=(run.run_id, run_name(run)), disabled=run.active,
                  help="Stop it first." if run.active else
                  "Can be undone for 30 days. A saved model stays.")


def _draw_export(run: RunInfo) -> None:
    # What is downloaded lies in the server's memory meanwhile: large ones go another way.
    megabytes = archive_size(run.folder) / 2**20
    small = megabytes < st.get_option("server.maxUploadSize")
    st.download_button(
        "Export", partial(_archive, run.run_id), f"{run.run_id}.zip", "application/zip",
        key="runs_export", on_click="ignore", icon=":material/download:", disabled=not small,
        help="A zip that another installation imports, checks and can resume. The saved model is "
             "not in it." if small else
        f"It has {megabytes:,.0f} MB: python -m cnn runs {plain(run.run_id)} --export FILE.zip")


def _archive(run_id: str) -> bytes:
    file = io.BytesIO()
    write_archive(run_id, file)
    return file.getvalue()


def _draw_form(run: RunInfo, label: Label) -> None:
    title_key, note_key = f"runs_title_{run.run_id}", f"runs_note_{run.run_id}"
    with st.form(f"runs_form_{run.run_id}", border=False):
        st.text_input("Title", label.title, MOST_IN_TITLE, key=title_key,
                      placeholder=run.config.name if run.config else run.run_id)
        st.text_area("Note", label.note, max_chars=MOST_IN_NOTE, key=note_key,
                     placeholder="What you tried, and what came of it")
        st.form_submit_button("Save", icon=":material/save:", key="runs_save", on_click=_save,
                              args=(run.run_id, title_key, note_key))


def _save(run_id: str, title_key: str, note_key: str) -> None:
    try:
        write_label(run_id, st.session_state[title_key], st.session_state[note_key])
    except CnnError as error:
        BIN.show_later(error)
