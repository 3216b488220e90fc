"""Runs that come and go on the page Runs: importing an archive, and the deleted runs."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from cnn.errors import Unavailable
from cnn.files import suggest_name
from cnn.runs.archive import import_run
from cnn.runs.trash import DAYS_KEPT, DeletedRun, empty_trash, list_deleted
from pages.shared.errors import errors_shown
from pages.shared.formats import count
from pages.shared.run_panel import restore, say
from pages.shared.run_table import ADDRESS

_NUMBER = "runs_imports"  # of this visit: a new uploader after each, without the old file


def draw_import() -> None:
    """Draw the upload of an archive, and import it when the button is pressed."""
    with st.expander("Import a run", icon=":material/upload:"):
        st.caption("A zip that was exported here or by another installation. Every file of it is "
                   "checked. Larger than 200 MB: `python -m cnn runs --import FILE.zip`")
        number = st.session_state.get(_NUMBER, 0)
        uploaded = st.file_uploader("The zip of a run", type="zip", key=f"runs_import_{number}")
        if st.button("Import", type="primary", icon=":material/upload:", key="runs_import",
                     disabled=uploaded is None):
            with errors_shown(), st.spinner("Checking and importing"):
                st.query_params[ADDRESS] = run_id = _import(uploaded)
                st.session_state[_NUMBER] = number + 1
                say(f"Imported as {run_id}: every sum is right.")
                st.rerun()


def _import(uploaded: Any) -> str:
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{suggest_name(Path(uploaded.name).stem)}.zip"
            with path.open("wb") as target:
                shutil.copyfileobj(uploaded, target)
            return import_run(path)
    except OSError as error:
        raise Unavailable(f"The upload could not be kept ({error.strerror or error}).",
                          "Free some space and try again.") from error


def draw_deleted() -> None:
    """Draw the deleted runs with a way back for each, and the way to delete them for good."""
    deleted = list_deleted()
    if not deleted:
        return
    with st.expander(f"Deleted runs ({count(len(deleted))})", icon=":material/delete:"):
        st.caption(f"Each is kept for {DAYS_KEPT} days.")
        _draw_table(deleted)
        with st.popover("Delete them for good", icon=":material/delete_forever:"):
            st.write("This cannot be undone. Saved models stay.")
            if st.button("Delete for good", type="primary", key="runs_empty"):
                with errors_shown():
                    say(f"Deleted for good: {count(empty_trash())}.")
                    st.session_state.pop("runs_deleted", None)
                    st.rerun()


def _draw_table(deleted: list[DeletedRun]) -> None:
    st.dataframe(
        {"Restore": ["Restore"] * len(deleted),
         "Run": [run.title or run.run_id for run in deleted],
         "Deleted": [datetime.fromtimestamp(run.deleted, UTC) for run in deleted],
         "Kept until": [datetime.fromtimestamp(run.ends, UTC) for run in deleted]},
        hide_index=True, alt="Deleted runs", column_config={
            "Restore": st.column_config.ButtonColumn(
                key="runs_restore", on_click=_restore, args=([run.run_id for run in deleted],),
                type="tertiary", width="small"),
            "Deleted": st.column_config.DatetimeColumn(format="distance"),
            "Kept until": st.column_config.DatetimeColumn(format="D MMM YYYY")})


def _restore(run_ids: list[str]) -> None:
    restore(run_ids[st.session_state["runs_restore"]["row"]])
