"""Uploaders whose files go to disk at once, and are not kept in memory.

Streamlit would keep every file in memory until its visitor has gone. `take_uploads` hands files
over and is empty again; `keep_uploads` goes on to list them. Knows nothing of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from cnn.data.staging import Staging
from pages.shared.formats import amount


@dataclass(frozen=True)
class Upload:
    """A file from a browser, on disk."""

    name: str  # as the browser calls it
    path: Path


@dataclass
class _Shelf:
    """The files of one uploader and one visit."""

    stage: Staging = field(default_factory=Staging)
    listed: dict[str, Upload] = field(default_factory=dict)  # in the browser, by Streamlit's id
    earlier: list[Upload] = field(default_factory=list)  # given before the page was left


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
    # What has just come is taken before an uploader is drawn, which would copy all of it.
    given = st.session_state.get(f"{key}_{turn}") or []
    files = [file for file in (given if isinstance(given, list) else [given])
             if not isinstance(file, DeletedFile)]
    if files:
        st.session_state[f"{key}_turn"] = turn = turn + 1
    ending = f".{types[0]}" if len(types) == 1 else ""
    try:
        return [(file.name, stage.keep(file, file.size, ending), file.size) for file in files]
    finally:
        for file in files:
            _forget(file.file_id)
        # Empty again, under its next key: the old one would ask for files that are gone.
        st.file_uploader(label, types, accept_multiple_files=several, max_upload_size=largest,
                         key=f"{key}_{turn}")


def keep_uploads(label: str, types: list[str], key: str, largest: int) -> list[Upload]:
    """Draw an uploader for several files; return those of this visit, on disk, oldest first.

    Its list in the browser works as usual. What was given before the page was left is no longer in
    that list, and is removed by a button.

    Args:
        label: Said above it.
        types: Endings of names.
        key: Of the uploader.
        largest: MB of one file.

    Raises:
        Unavailable: If the disk is full.
    """
    shelf: _Shelf = st.session_state.setdefault(f"{key}_shelf", _Shelf())
    if key not in st.session_state:  # Streamlit forgets an uploader whose page was left
        shelf.earlier += shelf.listed.values()
        shelf.listed = {}
    # First, as above.
    _take(shelf, st.session_state.get(key, []))
    st.file_uploader(label, types, accept_multiple_files=True, max_upload_size=largest, key=key)
    # Here, unlike in what the uploader returned, files are named that were forgotten already.
    _take(shelf, st.session_state[key])
    _offer_removal(shelf, key)
    return [*shelf.earlier, *shelf.listed.values()]


def _take(shelf: _Shelf, files: list[UploadedFile | DeletedFile]) -> None:
    """Move new files to the disk, and delete those that are no longer in the list."""
    for file in files:
        if not isinstance(file, DeletedFile):
            if file.file_id not in shelf.listed:
                shelf.listed[file.file_id] = Upload(file.name, shelf.stage.keep(file, file.size))
            _forget(file.file_id)
            file.truncate(0)  # the session holds it until the next click in the browser
    for gone in shelf.listed.keys() - {file.file_id for file in files}:
        shelf.listed.pop(gone).path.unlink(missing_ok=True)


def _offer_removal(shelf: _Shelf, key: str) -> None:
    if shelf.earlier and st.button(
            f"Remove {amount(len(shelf.earlier), 'earlier file')}", icon=":material/close:",
            type="tertiary", key=f"{key}_remove"):
        for upload in shelf.earlier:
            upload.path.unlink(missing_ok=True)
        shelf.earlier = []
        st.rerun()


def _forget(file_id: str) -> None:
    context = get_script_run_ctx()
    manager = context.uploaded_file_mgr if context else None
    if context and isinstance(manager, MemoryUploadedFileManager):
        manager.remove_file(context.session_id, file_id)
