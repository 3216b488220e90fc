"""Follows the metrics of a run while it writes them: reads only what is new, keeps what is drawn.

One reader per run serves all visitors. It knows the records of `cnn.training.events` and nothing
of charts or widgets.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cnn.runs.folder import RunFolder
from cnn.training.events import place_of

MOST_POINTS = 250  # then neighbours are averaged: a chart is drawn again every few seconds
SMOOTH_PART = 50  # each drawn value is the mean over this part of the curve, around its place

# A place is an epoch as a decimal: 2.5 is the middle of the third.
Point = tuple[float, float, float, float]  # place, loss, accuracy, learning rate


@dataclass(frozen=True)
class Mark:
    """Something that happened at a moment of a run and may have bent its curves."""

    place: float
    kind: str  # of its event: note, change or resume
    text: str


@dataclass(frozen=True)
class RunView:
    """What a run has told so far."""

    epochs: Sequence[dict[str, Any]] = ()  # epoch events, oldest first
    marks: Sequence[Mark] = ()
    points: Sequence[Point] = ()  # progress inside epochs, at most MOST_POINTS
    last: dict[str, Any] | None = None  # the newest batch event
    pins: Sequence[dict[str, Any]] = ()  # events of pinned pictures, at most MOST_POINTS

    @property
    def rates(self) -> list[tuple[float, float]]:
        """The learning rate by batch, as (place, rate)."""
        return [(point[0], point[3]) for point in self.points]

    def smoothed(self, key: str) -> list[tuple[float, float]]:
        """Return the curve of loss or accuracy by batch, as (place, value)."""
        values = np.array([point[1 if key == "loss" else 2] for point in self.points])
        half = len(values) // (2 * SMOOTH_PART)
        sums = np.concatenate([[0.0], np.cumsum(values)])
        places = np.arange(len(values))
        begin, end = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
        means = (sums[end] - sums[begin]) / (end - begin)
        return [(point[0], float(mean)) for point, mean in zip(self.points, means, strict=True)]


class RunLog:
    """Reads one run's metrics file bit by bit; safe to use from several threads."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._offset = 0
        self._stamp: tuple[int, int] | None = None
        self._epochs: list[dict[str, Any]] = []
        self._marks: list[Mark] = []
        self._pins: list[dict[str, Any]] = []
        self._points: list[Point] = []
        self._unfinished: list[Point] = []
        self._events_per_point = 1
        self._last: dict[str, Any] | None = None

    def view(self) -> RunView:
        """Return what there is, after reading what was added since the last call.

        Raises:
            Damaged: If the file cannot be read at all.
        """
        with self._lock:
            self._read_new()
            return RunView(tuple(self._epochs), tuple(self._marks), tuple(self._points),
                           self._last, tuple(self._pins))

    def _read_new(self) -> None:
        try:
            stat = self._folder.metrics_file.stat()
        except OSError:
            return
        if (stat.st_size, stat.st_mtime_ns) == self._stamp:
            return
        records, self._offset = self._folder.read_events(self._offset)
        self._stamp = (stat.st_size, stat.st_mtime_ns)
        for record in records:
            # A damaged line is passed over.
            with suppress(KeyError, TypeError, ValueError, ZeroDivisionError):
                self._add(record)

    def _add(self, record: dict[str, Any]) -> None:
        kind = record["kind"]
        if kind == "batch":
            self._add_point((place_of(record), float(record["loss"]), float(record["accuracy"]),
                             float(record["learning_rate"])))
            if all(math.isfinite(record[key]) for key in ("images_per_second", "seconds")):
                self._last = record
        elif kind == "epoch":
            self._add_epoch(record)
        elif kind == "resume":
            self._go_on(record)
        elif kind == "note":
            self._add_mark(Mark(float(record["epoch"]), kind, str(record["text"])))
        elif kind == "change":
            self._add_mark(Mark(place_of(record), kind, str(record["text"])))
        elif kind == "pins":
            self._add_pins(int(record["epoch"]), record["tops"])

    def _add_epoch(self, record: dict[str, Any]) -> None:
        numbers = [record[key] for key in ("epoch", "loss", "accuracy", "val_loss", "val_accuracy",
                                           "learning_rate", "seconds", "best",
                                           "images_per_second")]
        if all(math.isfinite(number) for number in numbers):
            self._epochs.append(record)

    def _add_mark(self, mark: Mark) -> None:
        if mark not in self._marks:  # a trainer that goes on may say it again
            self._marks.append(mark)

    def _add_pins(self, epoch: int, tops: list[list[Any]]) -> None:
        told = [{str(name): float(probability) for name, probability in top} for top in tops]
        if not all(math.isfinite(value) for top in told for value in top.values()):
            return
        if len(self._pins) >= MOST_POINTS:
            self._pins = self._pins[1::2]
        self._pins.append({"epoch": epoch, "tops": told})

    def _go_on(self, record: dict[str, Any]) -> None:
        """Drop what a trainer told of batches that another trainer did again."""
        epoch, end = int(record["epoch"]), place_of(record)
        self._epochs = [record for record in self._epochs if record["epoch"] <= epoch]
        self._pins = [record for record in self._pins if record["epoch"] <= epoch]
        self._marks = [mark for mark in self._marks if mark.place <= end]
        self._points = [point for point in self._points if point[0] <= end]
        self._unfinished = [point for point in self._unfinished if point[0] <= end]
        self._last = None
        self._add_mark(Mark(end, "resume", "Resumed." if end else "Begun again."))

    def _add_point(self, point: Point) -> None:
        if not all(map(math.isfinite, point)):
            return
        self._unfinished.append(point)
        if len(self._unfinished) < self._events_per_point:
            return
        self._points.append(_mean(self._unfinished))
        self._unfinished = []
        if len(self._points) >= MOST_POINTS:
            self._points = [_mean(self._points[i:i + 2]) for i in range(0, MOST_POINTS, 2)]
            self._events_per_point *= 2


def _mean(points: Sequence[Point]) -> Point:
    place, loss, accuracy, rate = (
        sum(column) / len(points) for column in zip(*points, strict=True))
    return place, loss, accuracy, rate


@lru_cache(maxsize=16)  # not Streamlit's cache: the live feed is asked outside of any page
def _reader(folder: str) -> RunLog:
    return RunLog(RunFolder(Path(folder)))


def view_run(folder: RunFolder) -> RunView:
    """Return what a run has told so far.

    Raises:
        Damaged: If its metrics cannot be read at all.
    """
    return _reader(str(folder.path)).view()
