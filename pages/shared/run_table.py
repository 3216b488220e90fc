"""The list of runs on the Train page."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from cnn.runs.manager import RunInfo
from pages.shared.formats import duration

MOST_SHOWN = 50


def show_runs(runs: list[RunInfo]) -> None:
    """Show the newest runs, damaged ones among them; a button in each row opens it."""
    st.header("Runs")
    if not runs:
        st.caption("There is no run yet. Each one that you start is listed here.")
        return
    shown = runs[:MOST_SHOWN]
    st.dataframe(
        {"Run": ["Open"] * len(shown),
         "Model": [_name(run) for run in shown],
         "State": [run.status.state if run.error is None else "damaged" for run in shown],
         "Data set": [run.config.dataset if run.config else None for run in shown],
         "Architecture": [run.config.architecture if run.config else None for run in shown],
         "Best validation": [_share(run.status.best_val_accuracy or None) for run in shown],
         "Test": [_share(run.status.test_accuracy) for run in shown],
         "Time": [duration(run.status.seconds) if run.status.seconds else "" for run in shown],
         "Started": [_started(run) for run in shown]},
        hide_index=True, placeholder="–", alt="Runs, newest first",
        column_config={
            "Run": st.column_config.ButtonColumn(
                key="run_open", on_click=_open, args=([run.run_id for run in shown],),
                width="small", type="tertiary"),
            "Best validation": st.column_config.NumberColumn(format="%.2f %%"),
            "Test": st.column_config.NumberColumn(format="%.2f %%"),
            "Started": st.column_config.DatetimeColumn(format="distance")})
    if len(runs) > MOST_SHOWN:
        st.caption(f"The newest {MOST_SHOWN} of {len(runs)}.")


def _name(run: RunInfo) -> str:
    if run.config is None:
        return run.run_id
    return run.status.model or run.config.name


def _share(accuracy: float | None) -> float | None:
    return None if accuracy is None else 100 * accuracy


def _started(run: RunInfo) -> datetime | None:
    return datetime.fromtimestamp(run.status.created, UTC) if run.status.created else None


def _open(run_ids: list[str]) -> None:
    st.query_params["run"] = run_ids[st.session_state["run_open"]["row"]]
