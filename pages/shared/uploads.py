"""An uploader that hands its files over at once: they go to disk, and are not kept in memory.

Streamlit would keep every file in memory until its visitor has gone. Knows nothing of pictures.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnn.data.staging import Staging


def take_uploads(
    label: str, types: list[str], stage: Staging, key: str, several: bool, largest: int
) -> list[tuple[str, Any, int]]:
    """Draw an uploader; return name, path and bytes of what has just come, moved to the disk.

    Args:
        label: Said above it.
        types: Endings of names.
        stage: Where files go.
        key: Of the uploader; behind it comes how many times it was filled.
        several: Whether it takes several files.
        largest: MB of one file.

    Raises:
        Unavailable: If the disk is full.
    """
    turn = st.session_state.setdefault(f"{key}_turn", 0)
    place = st.empty()
    options = {"type": types, "accept_multiple_files": several, "max_upload_size": largest}
    given = place.file_uploader(label, key=f"{key}_{turn}", **options)
    files = given if isinstance(given, list) else [given] if given else []
    if not files:
        return []
    st.session_state[f"{key}_turn"] = turn + 1
    ending = f".{types[0]}" if len(types) == 1 else ""
    try:
        return [(file.name, stage.keep(file, file.size, ending), file.size) for file in files]
    finally:
        for file in files:
            _forget(file.file_id)
        # Empty again in this very run: the old one would ask for files that are gone.
        place.file_uploader(label, key=f"{key}_{turn + 1}", **options)


def _forget(file_id: str) -> None:
    context = get_script_run_ctx()
    manager = context.uploaded_file_mgr if context else None
    if context and isinstance(manager, MemoryUploadedFileManager):
        manager.remove_file(context.session_id, file_id)
