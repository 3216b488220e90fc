"""Files that come through a browser, kept on disk until they were used.

They get generated names: what a browser calls them never becomes a path. A folder goes with its
`Staging`, at the latest when the server ends (`clear_all`); one that a killed server left behind is
swept away after a day (`sweeping`). Knows nothing of pages, nor what is in the files.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from cnn.data.folders import read_picture
from cnn.data.importing import Source, given_source
from cnn.data.store import STORE, writable_folder
from cnn.files import TEMPORARY, disk_error, need_space


class Readable(Protocol):
    """A stream of bytes, such as an open file."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` of the next bytes, and nothing at the end."""


@dataclass(frozen=True)
class Given:
    """One picture that a person gave for a class."""

    class_name: str
    file_name: str  # as the browser calls it
    path: Path


class Staging:
    """A folder of its own for the files of one visitor, made when the first file comes."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._count = 0
        self._lock = threading.Lock()  # the files of one drop come in several threads
        _ALL.add(self)

    def keep(self, stream: Readable, size: int, ending: str = "") -> Path:
        """Write a file that comes in a stream and return where it is.

        Whatever the stream raises passes, and no half a file stays.

        Args:
            stream: Read from where it stands to its end.
            size: In bytes.
            ending: Of the name, such as ".zip". Defaults to none.

        Raises:
            Unavailable: If the disk is full or no data folder can be written.
        """
        path = self._new_path(ending)
        need_space(path.parent, size)
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(stream, file)
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise disk_error(path, error) from error
            raise
        return path

    def _new_path(self, ending: str) -> Path:
        with self._lock:
            if self._folder is None or not self._folder.is_dir():
                self._folder = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}given-",
                                                     dir=writable_folder(STORE)))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            self._count += 1
            return self._folder / f"{self._count}{ending}"

    def clear(self) -> None:
        """Delete what is kept."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None


_ALL: weakref.WeakSet[Staging] = weakref.WeakSet()


def clear_all() -> None:
    """Delete what is kept by anybody: for the end of a server."""
    for staging in list(_ALL):
        staging.clear()


def source_of_given(given: Sequence[Given]) -> Source:
    """Return the pictures that a person gave class by class, as an import takes them."""
    return given_source((one.class_name, one.file_name, partial(read_picture, one.path))
                        for one in given)
