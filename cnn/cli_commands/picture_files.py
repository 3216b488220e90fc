"""Picture files that commands are given: their bytes, or what is wrong with the path."""

from __future__ import annotations

from pathlib import Path

from cnn.data.images import MAX_BYTES
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
