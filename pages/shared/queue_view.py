"""The queue on the Runs page: what waits, in which order, and how many runs train at once."""

from __future__ import annotations

import streamlit as st

from cnn.errors import CnnError
from cnn.runs.manager import RunInfo
from cnn.runs.queue import MOST_SLOTS, set_slots, slots, waiting
from pages.shared.acting import show_problem
from pages.shared.errors import show_error
from pages.shared.formats import plain
from pages.shared.run_controls import draw_place
from pages.shared.run_table import run_name


def draw_queue(runs: list[RunInfo]) -> None:
    """Draw it, if a run trains or waits."""
    if not any(run.active for run in runs):
        return
    order = waiting()
    st.subheader("Queue", anchor=False)
    known = {run.run_id: run for run in runs}
    for run in (known[run_id] for run_id in order if run_id in known):
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"**{plain(run_name(run))}**", width="stretch")
            draw_place(run, f"_{run.run_id}")
    if not order:
        st.caption("No run waits. One that is started now "
                   + ("waits until the present one has ended." if slots() == 1 else
                      f"waits while {slots()} train."))
    show_problem()
    number = st.number_input(
        "Runs at once", 1, MOST_SLOTS, slots(), key=f"queue_slots_{slots()}", width=160,
        help="They share the processor: two at once take about twice as long each.")
    if number != slots():
        try:
            set_slots(int(number))
        except CnnError as error:  # the folder may only be read
            show_error(error)
        else:
            st.rerun()
