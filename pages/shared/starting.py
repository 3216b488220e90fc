"""Starting a run at a click, and only once at a double one."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from cnn.config import RunConfig
from cnn.runs.manager import list_runs, start_run
from cnn.runs.pins import Pin

SECONDS_OF_A_DOUBLE_CLICK = 3.0


def start(config: RunConfig, pins: Sequence[Pin] = ()) -> None:
    """Start the run and make it the one that is shown.

    Raises:
        CnnError: As `start_run` does.
    """
    st.query_params["run"] = _just_started(config) or start_run(config, pins)


def _just_started(config: RunConfig) -> str:
    newest = next(iter(list_runs()), None)
    if newest and newest.config == config and newest.active:
        age = time.time() - newest.status.created
        return newest.run_id if age < SECONDS_OF_A_DOUBLE_CLICK else ""
    return ""
