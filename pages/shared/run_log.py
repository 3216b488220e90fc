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

MOST_POINTS = 250  # then neighbours are averaged: a chart is drawn again every few seconds
SMOOTH_PART = 50  # each drawn value is the mean over this part of the curve, around its place

Point = tuple[float, float, float]  # epoch as a decimal, loss, accuracy


@dataclass(frozen=True)
class RunView:
    """What a run has told so far."""

    epochs: Sequence[dict[str, Any]]  # epoch events, oldest first
    notes: Sequence[dict[str, Any]]
    points: Sequence[Point]  # progress inside epochs, at most MOST_POINTS
    last: dict[str, Any] | None  # the newest batch event

    def smoothed(self, key: str) -> list[tuple[float, float]]:
        """Return the curve of loss or accuracy by batch, as (epoch as a decimal, value)."""
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
        self._notes: list[dict[str, Any]] = []
        self._points: list[Point] = []
        self._unfinished: list[Point] = []
        self._events_per_point = 1
        self._last: dict[str, Any] | None = None

    def view(self) -> RunView:
        """Return what there is, after reading what was added since the last call."""
        with self._lock:
            self._read_new()
            return RunView(tuple(self._epochs), tuple(self._notes), tuple(self._points), self._last)

    def _read_new(self) -> None:
        try:
            stat = self._folder.metrics_file.stat()
        except OSError:
            return
        if (stat.st_size, stat.st_mtime_ns) == self._stamp:
            return
        self._stamp = (stat.st_size, stat.st_mtime_ns)
        records, self._offset = self._folder.read_events(self._offset)
        for record in records:
            with suppress(KeyError, TypeError, ZeroDivisionError):  # a damaged line is passed over
                self._add(record)

    def _add(self, record: dict[str, Any]) -> None:
        if record["kind"] == "batch":
            place = record["epoch"] - 1 + record["batch"] / record["batches"]
            self._add_point((place, float(record["loss"]), float(record["accuracy"])))
            self._last = record
        elif record["kind"] == "epoch":
            numbers = [record[key] for key in ("epoch", "loss", "accuracy", "val_loss",
                                               "val_accuracy", "learning_rate", "seconds", "best",
                                               "images_per_second")]
            if all(math.isfinite(number) for number in numbers):
                self._epochs.append(record)
        elif record["kind"] == "resume":
            self._forget_after(int(record["epoch"]))
        elif record["kind"] == "note":
            note = {"epoch": int(record["epoch"]), "text": str(record["text"])}
            if note not in self._notes:  # a trainer that goes on may say it again
                self._notes.append(note)

    def _forget_after(self, epoch: int) -> None:
        """Drop what a trainer told of an epoch that another trainer did again."""
        self._epochs = [record for record in self._epochs if record["epoch"] <= epoch]
        self._notes = [note for note in self._notes if note["epoch"] <= epoch]
        self._points = [point for point in self._points if point[0] <= epoch]
        self._unfinished, self._last = [], None

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
    place, loss, accuracy = (sum(column) / len(points) for column in zip(*points, strict=True))
    return place, loss, accuracy


@lru_cache(maxsize=16)  # not Streamlit's cache: the live feed is asked outside of any page
def _reader(folder: str) -> RunLog:
    return RunLog(RunFolder(Path(folder)))


def view_run(folder: RunFolder) -> RunView:
    """Return what a run has told so far."""
    return _reader(str(folder.path)).view()
