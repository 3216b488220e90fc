"""Picture files that commands are given: those of a folder, and the bytes of one."""

from __future__ import annotations

import os
from pathlib import Path

from cnn.data.images import MAX_BYTES
from cnn.data.kinds import kind_of
from cnn.errors import BadInput, NotFound


def read_picture(source: str) -> bytes:
    """Return what is in the file at a path; what it is, the decoder finds out.

    Raises:
        NotFound: If there is no such file.
        BadInput: If it cannot be read.
    """
    path = Path(source)
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # one more: the decoder says that it is too large
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {str(path)!r}.", "Check the path.") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = "it is a folder" if path.is_dir() else str(error)
        raise BadInput(f"{str(path)!r} cannot be read: {reason}.",
                       "Give the path of a picture.") from error


def find_pictures(folder: str) -> tuple[list[str], int]:
    """Return the picture files in a folder and in those below, in order, and how many are others.

    What a file is, its first bytes say, not its name. Hidden files and folders are passed over.

    Raises:
        BadInput: If there is no picture.
    """
    found: list[str] = []
    others = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith("."):
                continue
            if _begins_like_one(path):
                found.append(str(path))
            else:
                others += 1
    if not found:
        raise BadInput(f"There is no picture in the folder {folder!r}.",
                       "Give a folder of JPEG, PNG, WebP, BMP or GIF files.")
    return found, others


def _begins_like_one(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            kind_of(file.read(16))
    except (OSError, BadInput):
        return False
    return True
