"""Work on pictures that the server does: how far it is, and the button that ends it.

Knows neither what is done nor how it ends: who draws this looks at it again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import streamlit as st

from cnn.data.jobs import JobState
from cnn.short_work import Background
from pages.shared.formats import count, plain

SECONDS_BETWEEN_LOOKS = 0.7


def draw_job(state: JobState, cancel: Callable[[], None], key: str, title: str = "") -> None:
    """Draw the bar of work that is under way, and the button that cancels it.

    Args:
        state: How far it is.
        cancel: Asks it to end.
        key: Of the button.
        title: Said before what is being done. Defaults to nothing.
    """
    share = min(state.done / state.total, 1.0) if state.total else 0.0
    st.progress(share, text=plain(f"{title}: {job_words(state)}" if title else job_words(state)))
    # Not in a callback: the click must reach a server that was started anew meanwhile.
    if st.button("Cancel", icon=":material/close:", key=key, disabled=state.state == "ending"):
        cancel()


@st.fragment(run_every=1.0)
def wait_for(work: Background, subject: tuple[Hashable, ...], words: str, icon: str) -> None:
    """Say that something is being worked out; when it ends, draw the whole page anew."""
    if not work.running(subject):
        st.rerun()
    st.info(words, icon=icon)


def job_words(state: JobState) -> str:
    """Return how far it is: "Reading pictures, 9 s left (30 of 90, 12 a second)"."""
    if not state.total:
        return state.what
    speed = state.done / state.seconds if state.seconds > 1 else 0.0
    rate = f", {count(round(speed))} a second" if speed else ""
    return f"{state.what} ({count(state.done)} of {count(state.total)}{rate})"
