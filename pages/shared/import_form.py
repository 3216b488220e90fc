"""Importing a person's own pictures on the Data page, from choosing them to what became of them.

The import is done by the server (`cnn.data.background`); this only starts, shows and ends it.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from cnn.data import background
from cnn.data.decoding import Way
from cnn.data.dividing import SplitPlan
from cnn.data.importing import ImportReport, check_new_name, remove_imported
from cnn.files import suggest_name
from pages.shared.errors import errors_shown, show_error
from pages.shared.formats import amount, plain
from pages.shared.import_look import choose_way, look, look_again, show_found, show_skipped
from pages.shared.import_sources import Chosen, choose_source, forget_source
from pages.shared.import_split import choose_plan
from pages.shared.job_view import SECONDS_BETWEEN_LOOKS, draw_job

_OWN = "import_own"  # name of the set that this visitor has begun to import
_SEEN = "import_seen"  # imports that this visitor has seen under way
_REPORT = "import_report"


def draw_import() -> None:
    """Draw imports that are under way and the form for a new one."""
    running = background.running_imports()
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    seen |= set(running)
    for name in sorted(seen - set(running)):
        _draw_end(name)
    for name in running:
        _watch(name)
    if st.session_state.get(_OWN) not in running:
        _draw_form()


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _watch(name: str) -> None:
    """Show an import that is under way; when it ends, draw the whole page anew."""
    state = background.look_import(name)
    if state and state.lives:
        draw_job(state, partial(background.cancel_import, name), f"import_cancel_{name}", name)
        st.caption("The server does this: you can leave this page. Nothing is left of an import "
                   "that is cancelled.")
    else:
        st.rerun()


def _draw_end(name: str) -> None:
    """Show how an import ended: what became of its files, or why there is no set."""
    state, own = background.look_import(name), st.session_state.get(_OWN) == name
    if state is None or state.state == "done" or not own:
        st.session_state[_SEEN].discard(name)  # else it is shown until the next is begun
    if state is None:
        return
    if state.error:
        show_error(state.error)
    elif state.state == "cancelled":
        st.info(f"The import of **{plain(name)}** was cancelled.", icon=":material/info:")
    else:
        if own:  # the other visitors go on with what they have chosen
            forget_source()
            look_again()
            background.forget_import(name)
            st.session_state["dataset_wanted"] = name
        st.session_state[_REPORT] = state.result
        st.rerun()


@st.fragment
def _draw_form() -> None:
    with errors_shown():
        chosen = choose_source()
        if chosen is None:
            return
        number, found = look(chosen)
        st.subheader("What is in it")
        show_found(chosen, found)
        if len(found.classes) < 2:
            st.info("At least two classes are needed: one folder for each, named after it.",
                    icon=":material/info:")
            return
        st.subheader("Size and colours")
        way = choose_way(found)
        st.subheader("Training and test")
        plan = choose_plan(number, found)
        st.subheader("Import")
        _draw_start(chosen, way, plan)


def _draw_start(chosen: Chosen, way: Way, plan: SplitPlan | None) -> None:
    proposal = suggest_name(chosen.title)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the data set", placeholder=proposal, key="import_name",
                             width=320).strip() or proposal
        asked = st.button("Import", type="primary", icon=":material/upload:", key="import_start",
                          disabled=plan is None)
    if not asked or plan is None:
        return
    with errors_shown():
        check_new_name(name)
        st.session_state[_SEEN] = {name}  # how earlier ones ended has been read
        st.session_state[_OWN] = name
        background.start_import(chosen.open(), name, way, plan, chosen.clear)
        st.rerun()


def draw_report() -> None:
    """Draw what became of the files of the last import, until it is closed."""
    report: ImportReport | None = st.session_state.get(_REPORT)
    if report is None:
        return
    with st.container(border=True):
        st.success(f"**{plain(report.name)}** is ready: "
                   f"{amount(report.train_count, 'training image')} and "
                   f"{amount(report.test_count, 'test image')} of "
                   f"{amount(len(report.kept), 'class')}, divided {plain(report.split)}.",
                   icon=":material/check_circle:")
        if report.skipped:
            st.warning(f"{amount(len(report.skipped), 'file')} could not be used.",
                       icon=":material/warning:")
            show_skipped(report.skipped, "import_report")
        if st.button("Close", icon=":material/close:", key="import_report_close"):
            del st.session_state[_REPORT]
            st.rerun()


def draw_removal(name: str) -> None:
    """Draw the button that removes an imported data set, asking once more."""
    with st.popover("Remove this data set", icon=":material/delete:"):
        st.write("Its stored copy is deleted. Your original pictures are not touched.")
        if st.button("Remove", type="primary", key="import_remove"):
            with errors_shown():
                remove_imported(name)
                if (report := st.session_state.get(_REPORT)) and report.name == name:
                    del st.session_state[_REPORT]
                st.rerun()
