"""Tables of runs: all of them on the page Runs, the newest few on the page Train."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from cnn.runs.folder import STATES
from cnn.runs.labels import read_label
from cnn.runs.manager import RunInfo
from pages.shared.formats import count, duration
from pages.shared.layout import RUNS
from pages.shared.live_run import COLORS

DAMAGED = "damaged"  # in the place of a state
SHOWN_STATES = [*STATES, DAMAGED]
MOST_ON_TRAIN = 5
ADDRESS = "run"  # in the address: the run that is chosen
_LEFT_OUT = ("Epochs", "Test", "Time")  # on Train, where it must fit beside a button
_WIDTHS = {"Run": 170, "State": 100}  # pixels


def run_name(run: RunInfo) -> str:
    """Return what a run is called: its title, or else its model, or else its id."""
    named = run.status.model or (run.config.name if run.config else "")
    return read_label(run.folder).title or named or run.run_id


def run_state(run: RunInfo) -> str:
    """Return the state of a run, or that it is damaged."""
    return DAMAGED if run.error else run.status.state


def state_color(state: str) -> str:
    """Return the colour of a state, by its name in Streamlit."""
    return COLORS.get(state, "red" if state == DAMAGED else "gray")


def started(run: RunInfo) -> datetime | None:
    """Return when a run was made; nothing where its status says what no clock does."""
    try:
        return datetime.fromtimestamp(run.status.created, UTC) if run.status.created else None
    except (ValueError, OverflowError, OSError):
        return None


def choose_run(runs: list[RunInfo], chosen: str) -> None:
    """Show runs in a table; the row that a person selects goes into the address.

    Args:
        runs: In the order of the table.
        chosen: Id of the run whose row is selected at first; it may not be among them.
    """
    ids = [run.run_id for run in runs]
    # A key for just these rows: a selection is kept as the number of a row.
    key = f"runs_table_{hashlib.sha256(repr(ids).encode()).hexdigest()[:12]}"
    first = [ids.index(chosen)] if chosen in ids else []
    st.dataframe(
        _columns(runs), hide_index=True, placeholder="–", alt="Runs, newest first",
        column_config=_formats(), key=key, selection_mode="single-row",
        on_select=lambda: _select(ids, st.session_state[key]["selection"]["rows"]),
        selection_default={"selection": {"rows": first, "columns": [], "cells": []}})


def _select(ids: list[str], rows: list[int]) -> None:
    if rows:
        st.query_params[ADDRESS] = ids[rows[0]]
    else:
        st.query_params.pop(ADDRESS, None)


def show_newest(runs: list[RunInfo]) -> None:
    """Show the newest runs, damaged ones among them; a button in each row opens it."""
    st.header("Newest runs")
    if not runs:
        st.caption("There is no run yet. Each one that you start is listed here.")
        return
    shown = runs[:MOST_ON_TRAIN]
    button = st.column_config.ButtonColumn(
        key="run_open", on_click=_open, args=([run.run_id for run in shown],), width="small",
        type="tertiary")
    columns = {"Open": ["Open"] * len(shown), **_columns(shown)}
    st.dataframe(columns, hide_index=True, placeholder="–", alt="The newest runs",
                 column_order=[name for name in columns if name not in _LEFT_OUT],
                 column_config={"Open": button, **_formats()})
    st.page_link(RUNS, label=f"All runs ({count(len(runs))})", icon=":material/list:",
                 help="Rename, compare, export, delete.")


def _open(run_ids: list[str]) -> None:
    st.query_params[ADDRESS] = run_ids[st.session_state["run_open"]["row"]]


def _columns(runs: list[RunInfo]) -> dict[str, list[Any]]:
    return {
        "Run": [run_name(run) for run in runs],
        "State": [[run_state(run)] for run in runs],
        "Data": [run.config.dataset if run.config else None for run in runs],
        "Architecture": [run.config.architecture if run.config else None for run in runs],
        "Epochs": [f"{run.status.epoch}/{run.config.epochs}" if run.config else None
                   for run in runs],
        "Validation": [_share(run.status.best_val_accuracy or None) for run in runs],
        "Test": [_share(run.status.test_accuracy) for run in runs],
        "Time": [duration(run.status.seconds) if run.status.seconds else None for run in runs],
        "Started": [started(run) for run in runs]}


def _share(accuracy: float | None) -> float | None:
    return None if accuracy is None else 100 * accuracy


def _formats() -> dict[str, Any]:
    config = st.column_config
    return {
        "Run": config.TextColumn(width=_WIDTHS["Run"]),
        "State": config.MultiselectColumn(
            options=SHOWN_STATES, color=[state_color(state) for state in SHOWN_STATES],
            width=_WIDTHS["State"]),
        "Validation": config.NumberColumn(
            format="%.2f %%", help="The best accuracy on images held back from training."),
        "Test": config.NumberColumn(
            format="%.2f %%", help="The accuracy on images that were never used before."),
        "Started": config.DatetimeColumn(format="distance")}
