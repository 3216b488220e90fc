"""Pictures of a folder on the computer of the server: nothing is uploaded, however many they are.

Finds names and paths; what the files are is found out by the prediction engine.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnn.data.folders import list_folder, whole_path
from cnn.errors import BadInput
from pages.shared.uploads import Upload

KEY = "predict_folder"


def choose_folder(types: list[str]) -> list[Upload]:
    """Show the field for a folder; return the pictures in it and below, in alphabetical order.

    Args:
        types: Endings of their names.

    Raises:
        BadInput: If there is no such folder, no picture in it, or far too many files.
    """
    text = st.text_input("Or the path of a folder on this computer", key=KEY,
                         placeholder="/home/me/pictures", persist_state="session").strip()
    if not text:
        return []
    folder = whole_path(text)
    names = _names(str(folder), tuple(types))
    if not names:
        raise BadInput(f"There is no folder {text!r} with pictures in it.",
                       f"Check the path. Pictures end in {', '.join(types)}.")
    return [Upload(name, folder / name) for name in names]


@st.cache_data(ttl=30, max_entries=8, show_spinner="Looking into the folder")
def _names(folder: str, types: tuple[str, ...]) -> list[str]:
    endings = tuple(f".{ending}" for ending in types)
    entries, _ = list_folder(Path(folder))
    names = ("/".join(entry.parts) for entry in entries)
    return [name for name in names if name.lower().endswith(endings)]
