"""Asking for exports: each is made in a process of its own, one at a time, and the last are kept.

    <store>/.exports/<model>-<format>-<stamp of its files>.zip

Needs no TensorFlow; `worker` is the process. The stamp changes with the model's files, so that what
is kept is never that of another model.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnn.data.jobs import Jobs, JobState
from cnn.data.progress import Progress, silent
from cnn.data.store import STORE, data_folders, writable_folder
from cnn.errors import BadInput
from cnn.exports.formats import check_possible, get_format
from cnn.files import TEMPORARY
from cnn.prediction.saved import CARD_FILE, MODEL_FILE, model_folder, read_card
from cnn.short_work import answer_of

SECONDS_AT_MOST = 600.0  # half a minute on a quiet laptop, most of it TensorFlow's start
_FOLDER = ".exports"  # the dot keeps it out of the list of data sets
_KEPT = 12  # exports of all models together; a network has 2 to 15 MB
_COMMAND = (sys.executable, "-m", "cnn.exports.worker")
_one_at_a_time = threading.Lock()
_jobs = Jobs("export")  # of this server process, for all visitors


@dataclass(frozen=True)
class Export:
    """An export that was made before and can be taken."""

    path: Path
    record: dict[str, Any]  # as `package.export_model` returned it


def export_to(
    name: str, format_name: str, target: Path, progress: Progress = silent
) -> dict[str, Any]:
    """Make an export in a new process and return what is known of it; takes half a minute.

    Args:
        name: Of the saved model.
        format_name: One of `formats.FORMATS`.
        target: The zip to write.
        progress: Told what is being done; may raise to end it. Defaults to nobody.

    Raises:
        CnnError: If it cannot be made; there is nothing at `target` then that was not there before.
    """
    check_possible(get_format(format_name), read_card(name))
    if target.suffix.lower() != ".zip":
        raise BadInput(f"An export is a zip. Received: {target.name}.",
                       f"Try {target.with_suffix('.zip').name}.")
    request = json.dumps({"model": name, "format": format_name, "target": str(target.resolve())})
    with _alone(progress):
        return answer_of([*_COMMAND, request], SECONDS_AT_MOST, "The export",
                         "The computer may be short of memory or very busy: try again later.",
                         progress)


@contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    while not _one_at_a_time.acquire(timeout=0.3):
        progress("Waiting for another export", 0, 0)
    try:
        yield
    finally:
        _one_at_a_time.release()


def known_export(name: str, format_name: str) -> Export | None:
    """Return the export of a model as it is now, if it was made before.

    Raises:
        NotFound: If there is no such model.
    """
    file = _file_name(name, format_name)
    for folder in data_folders():
        path = folder / STORE / _FOLDER / file
        with suppress(OSError, KeyError, ValueError, zipfile.BadZipFile), \
                zipfile.ZipFile(path) as archive:
            record = json.loads(archive.read(f"{name}-{format_name}/export.json"))
            return Export(path, {**record, "bytes": path.stat().st_size})
    return None


def _file_name(name: str, format_name: str) -> str:
    stats = [(model_folder(name) / file).stat() for file in (MODEL_FILE, CARD_FILE)]
    stamp = repr([(stat.st_mtime_ns, stat.st_size) for stat in stats]).encode()
    return f"{name}-{format_name}-{hashlib.sha256(stamp).hexdigest()[:12]}.zip"


def start_export(name: str, format_name: str) -> None:
    """Begin to make an export that `known_export` then returns, unless that is under way."""
    def work(progress: Progress) -> None:
        shelf = writable_folder(f"{STORE}/{_FOLDER}")
        export_to(name, format_name, shelf / _file_name(name, format_name), progress)
        _clear_out(shelf)

    _jobs.start((name, format_name), work)


def look_export(name: str, format_name: str) -> JobState | None:
    """Return how far an export is, or how the last one ended; None without one."""
    return _jobs.look((name, format_name))


def cancel_export(name: str, format_name: str) -> None:
    """Ask an export to end, if it is under way."""
    _jobs.cancel((name, format_name))


def _clear_out(shelf: Path) -> None:
    """Remove the exports that were made longest ago, and what killed processes left."""
    with suppress(OSError):
        times = {path: path.stat().st_mtime for path in shelf.iterdir()}
        unfinished = [path for path in times if path.name.startswith(TEMPORARY)]
        whole = sorted(times.keys() - set(unfinished), key=times.__getitem__, reverse=True)
        # Another server may be writing: what is young is left alone.
        left = [path for path in unfinished if times[path] < time.time() - SECONDS_AT_MOST]
        for path in (*whole[_KEPT:], *left):
            path.unlink(missing_ok=True)
