"""How fast this computer trains: measured once, in a process of its own, and remembered on disk.

Needs no TensorFlow. One file per machine and size of images, in the folder of prepared data sets:

    <store>/speed-<height>x<width>x<channels>-<classes>-<machine>.json

Another processor, number of cores or version of TensorFlow is another machine.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnn.data.store import STORE, data_folders, writable_folder
from cnn.errors import CnnError, Damaged, NotFound, Unavailable, error_from_dict
from cnn.files import atomic_write_json, read_json
from cnn.hardware import machine
from cnn.models.presets import candidates, to_measure
from cnn.models.speeds import Speeds, speeds_from_dict
from cnn.paths import PROJECT

SECONDS_AT_MOST = 300.0  # ten on a quiet laptop; beside nine busy processes it took 200
_FORMAT = 1  # raise it when the same figures would mean something else

Subject = tuple[tuple[int, int, int], int, str]  # input shape, classes, a network that was chosen


def known_speeds(
    input_shape: tuple[int, int, int], classes: int, architecture: str = ""
) -> Speeds | None:
    """Return what was measured on this machine for such images; None if nothing useful was.

    Args:
        input_shape: Height, width and channels.
        classes: How many classes there are.
        architecture: A network that must be among the measured, if a person chose one.
    """
    wanted = [c.architecture for c in candidates(input_shape, classes, architecture)]
    # All folders: the first may be a lab's, read-only and with a file that is of no use any more.
    places = [folder / STORE / _file_name(input_shape, classes) for folder in data_folders()]
    for path in sorted(places, key=_changed, reverse=True):
        speeds = _read(path)
        if speeds is not None and (speeds.input_shape, speeds.classes) == (
                tuple(input_shape), classes) and all(map(speeds.of, wanted)):
            return speeds
    return None


def _changed(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _read(path: Path) -> Speeds | None:
    try:
        stored = read_json(path)
        if (stored.get("format"), stored.get("machine")) == (_FORMAT, machine()):
            return speeds_from_dict(stored.get("speeds", {}))
    except (Damaged, NotFound):  # it costs seconds to make it again
        pass
    return None


def measure_speeds(
    input_shape: tuple[int, int, int], classes: int, architecture: str = ""
) -> Speeds:
    """Measure in a new process, remember the result and return it; takes some seconds.

    Networks that were measured before are kept beside the new ones.

    Args:
        input_shape: Height, width and channels.
        classes: How many classes there are.
        architecture: A network that must be among the measured, if a person chose one.

    Raises:
        CnnError: If the measurement fails, or its result cannot be stored.
    """
    wanted = to_measure(candidates(input_shape, classes, architecture))
    speeds = _measure({"input_shape": input_shape, "classes": classes, "architectures": wanted})
    before = known_speeds(input_shape, classes)
    if before is not None and before.precision == speeds.precision:
        kept = tuple(n for n in before.networks if n.architecture not in wanted)
        speeds = replace(speeds, networks=(*kept, *speeds.networks))
    atomic_write_json(writable_folder(STORE) / _file_name(input_shape, classes), {
        "format": _FORMAT, "machine": machine(), "speeds": speeds.to_dict()})
    return speeds


def _file_name(input_shape: tuple[int, int, int], classes: int) -> str:
    text = json.dumps(machine(), sort_keys=True)
    size = "x".join(map(str, input_shape))
    return f"speed-{size}-{classes}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"


def _command(request: dict[str, Any]) -> list[str]:
    return [sys.executable, "-m", "cnn.training.speed", json.dumps(request)]


def _measure(request: dict[str, Any]) -> Speeds:
    try:
        done = subprocess.run(
            _command(request), cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=SECONDS_AT_MOST, text=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"Measuring this computer took longer than {SECONDS_AT_MOST:g} seconds.",
            "It is very busy, or too slow for training. Measure again later.") from error
    except OSError as error:
        raise Unavailable(f"The measurement cannot be started ({error.strerror or error}).",
                          "Check that the computer has free memory, and try again.") from error
    return _answer(done)


def _answer(done: subprocess.CompletedProcess[str]) -> Speeds:
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Unavailable(
            f"The measurement of this computer failed: {last[:300]}.",
            "python -m cnn doctor may know why. Or choose the settings yourself.") from None
    if "error" in answer:
        raise error_from_dict(answer["error"])
    return speeds_from_dict(answer)


class Background:
    """Measurements that run while pages are drawn, each at most once at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Subject] = set()
        self._failed: dict[Subject, CnnError] = {}

    def start(self, subject: Subject) -> None:
        """Start to measure, unless that is being done already; returns at once."""
        with self._lock:
            if subject in self._running:
                return
            self._running.add(subject)
            self._failed.pop(subject, None)
        threading.Thread(target=self._work, args=(subject,), daemon=True, name="speed").start()

    def running(self, subject: Subject) -> bool:
        """Whether this is being measured now."""
        with self._lock:
            return subject in self._running

    def failure(self, subject: Subject) -> CnnError | None:
        """Return why the last attempt has failed, if it has."""
        with self._lock:
            return self._failed.get(subject)

    def _work(self, subject: Subject) -> None:
        error: CnnError | None = None
        try:
            measure_speeds(*subject)
        except CnnError as problem:
            error = problem
        except Exception as problem:  # nobody waits for this thread: the page must learn of it
            error = CnnError(f"The measurement failed: {type(problem).__name__}: {problem}",
                             "Please report this.")
        with self._lock:
            self._running.discard(subject)
            if error is not None:
                self._failed[subject] = error


background = Background()  # of this server process, for all visitors
