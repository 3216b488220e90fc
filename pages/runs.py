"""Runs: every training there was; find one, open it, name it, hand it on, delete it.

The address says which run is chosen (`?run=`), so that a reload and a link show the same.
"""

from __future__ import annotations

import streamlit as st

from cnn.runs.labels import read_label
from cnn.runs.manager import RunInfo, get_run, list_runs, tend_queue
from pages.shared.errors import errors_shown
from pages.shared.formats import count
from pages.shared.layout import TRAIN
from pages.shared.queue_view import draw_queue
from pages.shared.run_panel import BIN, show_panel
from pages.shared.run_store import draw_import
from pages.shared.run_table import ADDRESS, SHOWN_STATES, choose_run, run_name, run_state

SECONDS_BETWEEN_LOOKS = 5.0


def draw_table(runs: list[RunInfo], chosen: str) -> None:
    """Draw the filters and the runs that pass them."""
    left, right = st.columns([3, 2])
    text = left.text_input("Search", key="runs_search", icon=":material/search:",
                           placeholder="Title, note, model, data or architecture")
    states = right.multiselect("State", SHOWN_STATES, key="runs_states",
                               placeholder="All states")
    shown = [run for run in runs if passes(run, text, states)]
    if not shown:
        st.caption(f"None of {count(len(runs))} runs fits. Clear the search to see them.")
        return
    choose_run(shown, chosen)
    st.caption(f"{count(len(shown))} of {count(len(runs))} runs, newest first. Select a row to "
               "do something with a run.")


def passes(run: RunInfo, text: str, states: list[str]) -> bool:
    """Whether a run has one of the states, if any is named, and all words of the text."""
    if states and run_state(run) not in states:
        return False
    config = run.config
    known = [run_name(run), run.run_id, run.status.model, read_label(run.folder).note,
             *((config.name, config.dataset, config.architecture) if config else ())]
    return all(word in " ".join(known).casefold() for word in text.casefold().split())


def marks(runs: list[RunInfo]) -> list[tuple[str, str, int]]:
    """Return what changes when the table has to be drawn anew."""
    return [(run.run_id, run_state(run), run.status.epoch) for run in runs]


def look(seen: list[tuple[str, str, int]]) -> None:
    """Draw the whole page once more when a run has gone on."""
    if marks(list_runs()) != seen:
        st.rerun()


def main() -> None:
    """Draw the page."""
    tend_queue()
    runs, chosen = list_runs(), st.query_params.get(ADDRESS, "")
    # Places that are always there: what comes and goes would close what is open below it.
    messages, table, panel = st.container(), st.container(), st.container()
    with messages:
        BIN.show_messages()
    with table:
        if runs:
            draw_table(runs, chosen)
        else:
            st.markdown("There is no run yet. Each training that you start is listed here.")
            st.page_link(TRAIN, label="Train a network", icon=":material/model_training:")
        if any(run.active for run in runs):
            st.fragment(run_every=SECONDS_BETWEEN_LOOKS)(look)(marks(runs))
    with panel, errors_shown():
        if chosen:
            # From the list first: a folder that somebody named by hand can be deleted, too.
            show_panel(next((run for run in runs if run.run_id == chosen), None)
                       or get_run(chosen))
    draw_queue(runs)
    draw_import()
    BIN.draw_deleted()


main()
