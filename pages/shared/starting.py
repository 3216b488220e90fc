"""Starting a run at a click, and what there is to say if that fails."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from cnn.config import RunConfig
from cnn.errors import CnnError
from cnn.runs.manager import list_runs, start_run
from cnn.runs.pins import Pin
from pages.shared.errors import show_error

SECONDS_OF_A_DOUBLE_CLICK = 3.0


def start(config: RunConfig, pins: Sequence[Pin] = ()) -> None:
    """Start the run and draw the page anew, with it or with what was wrong.

    Not for `on_click`: a server that was just started knows no callbacks, and would lose the click.
    """
    try:
        st.query_params["run"] = _just_started(config) or start_run(config, pins)
    except CnnError as error:
        st.session_state["start_error"] = error
    st.rerun()


def show_start_error() -> None:
    """Show why the start that was asked for a moment ago has failed, if it has."""
    error = st.session_state.pop("start_error", None)
    if error:
        show_error(error)


def _just_started(config: RunConfig) -> str:
    newest = next(iter(list_runs()), None)
    if newest and newest.config == config and newest.active:
        age = time.time() - newest.status.created
        return newest.run_id if age < SECONDS_OF_A_DOUBLE_CLICK else ""
    return ""
