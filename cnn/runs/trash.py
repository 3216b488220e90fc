"""Deleting runs so that it can be undone: a deleted run lies in `.trash` for 30 days.

Deleting and restoring move a folder in one step, so a run is always whole in one of both places.
A saved model is never touched: it is no part of its run. Knows nothing of what is in a run.
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

from cnn.errors import BadInput, CnnError, NotFound, Unavailable
from cnn.files import TEMPORARY, free_path, move
from cnn.paths import runs_dir
from cnn.runs.folder import RunFolder
from cnn.runs.labels import read_label
from cnn.runs.manager import RunInfo, get_run, list_runs

DAYS_KEPT = 30


@dataclass(frozen=True)
class DeletedRun:
    """A run that can be restored."""

    run_id: str
    title: str  # as a person gave it; may be empty
    deleted: float  # seconds since 1970, UTC

    @property
    def ends(self) -> float:
        """When it goes for good."""
        return self.deleted + 86400 * DAYS_KEPT


def delete_run(run_id: str) -> str:
    """Move a run to the deleted ones, damaged or not, and return its id there.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it is active.
        Unavailable: If its folder cannot be moved; the run is unharmed then.
    """
    run = _find(run_id)
    if run.active:
        raise BadInput(f"The run {run_id} is {run.status.state}: it cannot be deleted now.",
                       f"Stop it first: python -m cnn stop {run_id}, or Stop on its page. "
                       "Then delete it.")
    target = free_path(_trash(), run_id)
    # The time of deletion is that of the folder, set before the move: afterwards, a crash in
    # between would leave an old time and the next sweep would take the run away.
    try:
        os.utime(run.folder.path)
    except OSError as error:
        raise Unavailable(f"The run {run_id} cannot be deleted ({error.strerror or error}).",
                          f"Check that you may write to {runs_dir()}.") from error
    move(run.folder.path, target)
    with suppress(CnnError):  # this run is deleted, whatever becomes of older ones
        sweep_trash()
    return target.name


def restore_run(run_id: str) -> str:
    """Bring a deleted run back and return its id, another one if that is taken meanwhile.

    Raises:
        NotFound: If there is no such deleted run.
        Unavailable: If its folder cannot be moved; it stays among the deleted ones then.
    """
    if run_id not in {deleted.run_id for deleted in list_deleted()}:
        raise NotFound(f"There is no deleted run {run_id!r}.", "See: python -m cnn runs --trash")
    target = free_path(runs_dir(), run_id)
    move(_trash() / run_id, target)
    return target.name


def list_deleted() -> list[DeletedRun]:
    """Return the deleted runs that can be restored, the last deleted first."""
    runs = [DeletedRun(path.name, read_label(RunFolder(path)).title, _changed(path))
            for path in _entries() if not path.name.startswith(".")]
    return sorted(runs, key=lambda run: (run.deleted, run.run_id), reverse=True)


def empty_trash() -> int:
    """Delete the deleted runs for good and return how many there were.

    Raises:
        Unavailable: If a folder cannot be removed.
    """
    return _remove(lambda path: True)


def sweep_trash() -> int:
    """Delete for good what was deleted more than 30 days ago; return how many runs that were.

    Raises:
        Unavailable: If a folder cannot be removed.
    """
    return _remove(lambda path: time.time() > _changed(path) + 86400 * DAYS_KEPT)


def _trash() -> Path:
    return runs_dir() / ".trash"


def _entries() -> list[Path]:
    try:
        return list(_trash().iterdir())
    except OSError:  # nothing was ever deleted here
        return []


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:  # restored or removed between two looks
        return time.time()


def _find(run_id: str) -> RunInfo:
    """Return a run by its id, or by the name of its folder where that can be no id."""
    listed = next((run for run in list_runs() if run.run_id == run_id), None)
    return listed or get_run(run_id)


def _remove(wanted: Callable[[Path], bool]) -> int:
    """Remove what is wanted; under a temporary name, so that no half run can be restored."""
    paths = [path for path in _entries() if path.name.startswith(TEMPORARY) or wanted(path)]
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
            raise Unavailable(f"A deleted run cannot be removed ({error.strerror or error}).",
                              f"Close what uses it and try again, or remove {doomed}.") from error
    return sum(not path.name.startswith(TEMPORARY) for path in paths)
