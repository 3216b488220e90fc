"""Deleting folders so that it can be undone: a deleted one lies in `.trash` for 30 days.

Deleting and restoring move a folder in one step, so it is always whole in one of both places. The
one mechanism for runs and saved models; knows nothing of what is in them.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import CnnError, NotFound, Unavailable
from cnn.files import TEMPORARY, free_path, move

DAYS_KEPT = 30


@dataclass(frozen=True)
class Deleted:
    """A folder that can be restored."""

    name: str
    path: Path
    deleted: float  # seconds since 1970, UTC

    @property
    def ends(self) -> float:
        """When it goes for good."""
        return self.deleted + 86400 * DAYS_KEPT


@dataclass(frozen=True)
class Trash:
    """The deleted ones among the folders of a kind."""

    place: Path  # where those are that are not deleted
    what: str  # run or model: what a person calls one

    @property
    def folder(self) -> Path:
        """Where the deleted ones are."""
        return self.place / ".trash"

    def put(self, path: Path) -> str:
        """Delete a folder and return its name among the deleted ones.

        Raises:
            Unavailable: If it cannot be moved; it is unharmed then.
        """
        target = free_path(self.folder, path.name)
        # The time of deletion is that of the folder, set before the move: afterwards, a crash in
        # between would leave an old time and the next sweep would take the folder away.
        try:
            os.utime(path)
        except OSError as error:
            raise Unavailable(
                f"The {self.what} {path.name} cannot be deleted ({error.strerror or error}).",
                f"Check that you may write to {self.place}.") from error
        move(path, target)
        with suppress(CnnError):  # this one is deleted, whatever becomes of older ones
            self.sweep()
        return target.name

    def restore(self, name: str) -> str:
        """Bring a deleted one back and return its name, another if that is taken meanwhile.

        Raises:
            NotFound: If there is no such deleted one.
            Unavailable: If it cannot be moved; it stays among the deleted ones then.
        """
        if name not in {deleted.name for deleted in self.entries()}:
            raise NotFound(f"There is no deleted {self.what} {name!r}.",
                           f"See: python -m cnn {self.what}s --trash")
        target = free_path(self.place, name)
        move(self.folder / name, target)
        return target.name

    def entries(self) -> list[Deleted]:
        """Return those that can be restored, the last deleted first."""
        found = [Deleted(path.name, path, _changed(path)) for path in self._paths()
                 if not path.name.startswith(".")]
        return sorted(found, key=lambda one: (one.deleted, one.name), reverse=True)

    def empty(self) -> int:
        """Delete them for good and return how many there were.

        Raises:
            Unavailable: If a folder cannot be removed.
        """
        return self._remove(lambda path: True)

    def sweep(self) -> int:
        """Delete for good what was deleted more than 30 days ago; return how many that were.

        Raises:
            Unavailable: If a folder cannot be removed.
        """
        return self._remove(lambda path: time.time() > _changed(path) + 86400 * DAYS_KEPT)

    def _paths(self) -> list[Path]:
        try:
            return list(self.folder.iterdir())
        except OSError:  # nothing was ever deleted here
            return []

    def _remove(self, wanted: Callable[[Path], bool]) -> int:
        """Remove what is wanted; under a temporary name, so that no half one can be restored."""
        paths = [path for path in self._paths() if path.name.startswith(TEMPORARY) or wanted(path)]
        for path in paths:
            doomed = path
            if not path.name.startswith(TEMPORARY):
                doomed = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex[:8]}")
                move(path, doomed)
            try:
                if doomed.is_dir() and not doomed.is_symlink():
                    shutil.rmtree(doomed)
                else:
                    doomed.unlink()
            except OSError as error:
                raise Unavailable(
                    f"A deleted {self.what} cannot be removed ({error.strerror or error}).",
                    f"Close what uses it and try again, or remove {doomed}.") from error
        return sum(not path.name.startswith(TEMPORARY) for path in paths)


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:  # restored or removed between two looks
        return time.time()
