"""Measures a download: how much is there, how fast it comes, how long it will take.

Knows no servers and no files; `cnn.data.download` tells it what arrives.
"""

from __future__ import annotations

import time
from collections import deque

from cnn.data.progress import Progress, bytes_in_words, time_left

WINDOW_SECONDS = 10.0  # speed is measured over this time
STALLED = 1000.0  # bytes a second that count as nothing
HURRY_SECONDS = 300.0  # a server that needs longer is left, as long as others are untried
TELL_SECONDS = 0.1
SURE_SECONDS = 0.5  # before, a speed says nothing


class TooSlow(Exception):
    """The server would take too long."""


class Meter:
    """Tells how far the download of some files is.

    Args:
        progress: Whom to tell, a few times a second.
        name: Of the file under way.
        before: Bytes of the files before this one.
        total: Bytes of all files.
    """

    def __init__(self, progress: Progress, name: str, before: int, total: int) -> None:
        self._progress, self._name, self._before, self._total = progress, name, before, total
        self._host, self._told = "", 0.0
        self._marks = deque([(0.0, 0)])

    def start(self, host: str, at: int) -> None:
        """Begin to measure a server, `at` bytes of the file being there."""
        self._host, self._told = host, 0.0
        self._marks = deque([(time.monotonic(), at)])
        self.say(f"Asking {host} for")

    @property
    def speed(self) -> float:
        """Bytes a second over the last seconds."""
        (first, start), (last, end) = self._marks[0], self._marks[-1]
        return (end - start) / max(last - first, 1e-3)

    def reach(self, at: int) -> None:
        """Tell that `at` bytes of the file are there, not at each call."""
        now = time.monotonic()
        if now - self._told < TELL_SECONDS and self._before + at < self._total:
            return
        self._told = now
        self._marks.append((now, at))
        while now - self._marks[0][0] > WINDOW_SECONDS and len(self._marks) > 2:
            self._marks.popleft()
        done = self._before + at
        self._progress(
            f"Downloading {self._name}: {bytes_in_words(done)} of {bytes_in_words(self._total)}"
            f"{self._pace(self._total - done)} ({self._host})", done, self._total)

    def _pace(self, left: int) -> str:
        if self._marks[-1][0] - self._marks[0][0] < SURE_SECONDS:
            return ""
        time_in_words = f", {time_left(left / self.speed)}" if self.speed > 1 else ""
        return f", {bytes_in_words(self.speed)}/s{time_in_words}"

    def say(self, what: str) -> None:
        """Tell what else is done with the file."""
        self._progress(f"{what} {self._name}", self._before + self._marks[-1][1], self._total)

    def check(self, left: int, hurry: bool) -> None:
        """Look whether this server is worth waiting for.

        Args:
            left: Bytes that are still to come.
            hurry: Whether there are other servers to try.

        Raises:
            TooSlow: If it is not.
        """
        if self._marks[-1][0] - self._marks[0][0] < 0.9 * WINDOW_SECONDS:
            return
        if self.speed < STALLED or (hurry and left / self.speed > HURRY_SECONDS):
            raise TooSlow
