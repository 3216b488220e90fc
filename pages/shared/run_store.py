"""Runs that come from elsewhere, on the page Runs: importing an archive."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from cnn.errors import Unavailable
from cnn.files import suggest_name
from cnn.runs.archive import import_run
from pages.shared.errors import errors_shown
from pages.shared.run_panel import BIN
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
                BIN.say(f"Imported as {run_id}: every sum is right.")
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
