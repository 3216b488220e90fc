"""Lists the files of a folder for import. Knows nothing of classes and pictures (`layout` does)."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from cnn.data.images import MAX_BYTES
from cnn.data.layout import EMPTY, MAX_FILES, Entry, Skipped, shown, usable_parts
from cnn.data.tables import TABLES
from cnn.errors import BadInput


def whole_path(text: str) -> Path:
    """Return the path that a person names; `~` is their home.

    Raises:
        BadInput: If it does not begin at the root of a disk.
    """
    path = Path(text)
    with suppress(RuntimeError):  # nobody of that name has a home
        path = path.expanduser()
    if not path.is_absolute():
        raise BadInput(f"{text!r} is not a whole path.",
                       "Give the path from the root of the disk on.")
    return path


def list_folder(folder: Path) -> tuple[list[Entry], list[Skipped]]:
    """Return the files below `folder` in alphabetical order, and those that are not used.

    Links are not followed: they can lead anywhere, also round in circles.

    Raises:
        BadInput: If there are more than `MAX_FILES` files.
    """
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in [*sorted(files), *links]:
            _list_file(Path(parent) / name, folder, entries, skipped)
        if not files and not folders and Path(parent) != folder:
            skipped.append((shown(Path(parent).relative_to(folder).as_posix()), EMPTY))
        if len(entries) + len(skipped) > MAX_FILES:
            raise BadInput(f"{shown(str(folder))} holds more than {MAX_FILES:,} files.",
                           "Choose the folder that holds the class folders, or fewer pictures.")
    return entries, skipped


def list_beside(table: Path) -> tuple[list[Entry], list[Skipped]]:
    """Return a table and the files beside and below it, without other tables.

    Raises:
        BadInput: If there are more than `MAX_FILES` files.
    """
    entries, skipped = list_folder(table.parent)
    return [entry for entry in entries if entry.parts == (table.name,)
            or not entry.parts[-1].lower().endswith(TABLES)], skipped


def _list_file(path: Path, folder: Path, entries: list[Entry], skipped: list[Skipped]) -> None:
    relative = path.relative_to(folder).as_posix()
    try:
        parts = usable_parts(relative)
        if path.is_symlink() or not path.is_file():
            raise BadInput("it is a link or no ordinary file")
    except BadInput as error:
        skipped.append((shown(relative), error.message))
        return
    if parts:
        entries.append(Entry(parts, partial(read_picture, path)))


def read_picture(path: Path) -> bytes:
    """Return the bytes of a file, of one that is too large for a picture only the first.

    Raises:
        BadInput: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # the one more lets the decoder see that it is long
    except OSError as error:
        raise BadInput(f"it cannot be read ({error.strerror or error})") from error
