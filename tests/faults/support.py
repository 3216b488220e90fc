"""What every scenario needs: folders of its own, trainers with faults, a look at what a run has.

Looks at files by itself where the product's own reading is what is put to the test.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnn.data.catalogue import load
from cnn.files import TEMPORARY
from cnn.paths import PROJECT
from cnn.runs import manager
from cnn.runs.checkpoints import DAMAGED
from cnn.runs.folder import RunFolder
from tests.faults.trainer import VARIABLE, Fault

PATIENCE = 600.0  # seconds; TensorFlow starts in four, on a very busy machine in minutes


@dataclass
class Tally:
    """One row of the table: how often something was done, and what was lost.

    Args:
        scenario: What was done.
        looked_at: What was compared each time.
        kinds: Of loss.
    """

    scenario: str
    looked_at: str
    kinds: tuple[str, ...]
    times: int = 0
    losses: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""  # further figures, or why it was not done

    def lose(self, kind: str, what: str) -> None:
        """Count a loss and say it at once."""
        self.losses.append((kind, what))
        tell(f"LOST ({kind}): {what}")

    def check(self, right: bool, kind: str, what: str) -> bool:
        """Count a loss where something is not right; return whether it is."""
        if not right:
            self.lose(kind, what)
        return right

    def row(self) -> tuple[str, str, str, str]:
        """Return the cells of its row."""
        lost = ", ".join(f"{sum(kind == k for k, _ in self.losses)} {kind}" for kind in self.kinds)
        looked = f"{self.looked_at}{'. ' if self.note else ''}{self.note}"
        return self.scenario, str(self.times), looked, lost if self.times else "–"


def tell(text: str) -> None:
    """Say how far it is, beside the table."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


@contextmanager
def own_folders(place: Path | None = None) -> Iterator[Path]:
    """Point runs, models and data to a folder of this block, with the digits prepared in it.

    Args:
        place: That folder. Defaults to a temporary one, which is deleted in the end.
    """
    with tempfile.TemporaryDirectory(prefix="cnn-faults-") as made:
        root = place or Path(made)
        folders = {**{f"CNN_{kind}_DIR": str(root / kind.lower())
                      for kind in ("RUNS", "MODELS", "DATA")}, "KERAS_HOME": str(root / "keras")}
        before = {name: os.environ.get(name) for name in folders}
        os.environ.update(folders)
        try:
            load("digits")
            yield root
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class Trainers:
    """Starts each trainer of the product with the fault that is wanted at that time."""

    def __init__(self) -> None:
        self.fault = Fault()
        self._all: list[subprocess.Popen[bytes]] = []

    @property
    def last(self) -> subprocess.Popen[bytes]:
        """The newest."""
        return self._all[-1]

    def spawn(self, command: list[str], log: int) -> None:
        """Do what `manager._spawn` does."""
        self._all.append(subprocess.Popen(
            [sys.executable, "-m", "tests.faults.trainer", command[-1]], cwd=PROJECT,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, VARIABLE: self.fault.to_json()}))

    def kill(self) -> None:
        """End the newest as nothing else does."""
        self.last.kill()
        self.last.wait()

    def kill_all(self) -> None:
        """Leave no process behind."""
        for process in self._all:
            process.kill()
            process.wait()


@contextmanager
def own_trainers() -> Iterator[Trainers]:
    """Let the product start our trainers for the length of a block."""
    real, trainers = manager._spawn, Trainers()
    manager._spawn = trainers.spawn
    try:
        yield trainers
    finally:
        manager._spawn = real
        trainers.kill_all()


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Return whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def events_of(folder: RunFolder) -> list[dict[str, Any]]:
    """Return all events that are whole."""
    if not folder.metrics_file.is_file():
        return []
    events = []
    for line in folder.metrics_file.read_bytes().split(b"\n")[:-1]:
        try:
            events.append(json.loads(line))
        except ValueError:  # a line that a dead trainer left unfinished
            continue
    return events


def last_epoch_told(folder: RunFolder) -> int:
    """Return the last epoch that anybody could have seen as finished."""
    return max((e["epoch"] for e in events_of(folder) if e["kind"] == "epoch"), default=0)


def newest_checkpoint(folder: RunFolder) -> tuple[int, list[str]]:
    """Return how many whole epochs the best readable checkpoint has, and what cannot be read."""
    epochs, damaged = 0, []
    for path in (folder.path / "checkpoints").glob("*.npz"):
        if path.name.startswith((TEMPORARY, DAMAGED)):
            continue
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest()[:16] != path.stem.split("-")[-1]:
            damaged.append(path.name)
            continue
        with np.load(io.BytesIO(data)) as arrays:
            epochs = max(epochs, json.loads(str(arrays["progress"]))["epoch"])
    return epochs, damaged


def unfinished_files(folder: Path) -> list[str]:
    """Return the names of the temporary files in a folder."""
    return [path.name for path in folder.glob(f"{TEMPORARY}*")]


def digest(folder: Path) -> str:
    """Return a number that changes with any file below a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(str(path.relative_to(folder)).encode())
        found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()
