"""What a trainer is asked to do, looked up cheaply between two steps: its control file and signals.

Reads a file only when it has changed, and asks the disk a few times a second at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from cnn.errors import CnnError
from cnn.runs.control import PAUSE, Control
from cnn.runs.folder import RunFolder

SECONDS_BETWEEN_LOOKS = 0.2


class Wishes:
    """Follows what people ask of one run.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._stamp: tuple[int, int, int] | None = None
        self._next_look = 0.0
        self._complaint = ""
        self.control = Control()
        self.terminated = False

    def terminate(self, *_: object) -> None:
        """Handle SIGTERM: a pause, since whoever ends a process has no time for an evaluation."""
        self.terminated = True

    def look(self) -> str:
        """Return what is wished: "", PAUSE or STOP."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + SECONDS_BETWEEN_LOOKS
            self._read()
        return PAUSE if self.terminated else self.control.wish

    def complain_to(self, note: Callable[[str], None]) -> None:
        """Say once what could not be understood."""
        complaint, self._complaint = self._complaint, ""
        if complaint:
            note(complaint)

    def _read(self) -> None:
        try:
            stat = self._folder.control_file.stat()
        except OSError:
            return
        stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.control = self._folder.read_control()
        except CnnError as error:  # edited by hand: what was asked before holds
            self._complaint = f"What was asked of this run cannot be understood. {error}"
