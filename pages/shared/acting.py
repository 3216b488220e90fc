"""Doing something at a click, where its button is drawn, and saying why it failed.

Never in a callback: a click that reaches a server which was just started, and so does not know this
page's callbacks, must count as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from cnn.errors import CnnError
from pages.shared.errors import show_error

_PROBLEM = "action_problem"


def act(action: Callable[..., Any], *args: Any, **changes: Any) -> None:
    """Do it and draw the page anew, with what was wrong if it failed."""
    try:
        action(*args, **changes)
    except CnnError as error:  # a run has just ended by itself, or somebody was quicker
        st.session_state[_PROBLEM] = error
    st.rerun()


def show_problem() -> None:
    """Show why what was asked for a moment ago has failed, if it has."""
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        show_error(problem)
