"""Appends events to a run's metrics, also across a disk that is full for a while.

What cannot be written waits in memory, in order; a line is whole in the file or not there.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from cnn.files import is_disk_full
from cnn.training.events import EVENT_KINDS, Event


class EventWriter:
    """Writes one run's events; used by one trainer at a time.

    Args:
        path: Of the metrics file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[bytes] = []

    def write(self, event: Event) -> None:
        """Add an event, and all that waited before it."""
        record = {"kind": EVENT_KINDS[type(event)], **asdict(event)}
        self._waiting.append((json.dumps(record) + "\n").encode())
        self.flush()

    def flush(self) -> bool:
        """Write what waits; return whether nothing waits any more."""
        try:
            if self._waiting:
                self._append(b"".join(self._waiting))
                self._waiting = []
        except OSError as error:
            if not is_disk_full(error):
                raise
        return not self._waiting

    def _append(self, data: bytes) -> None:
        # Unbuffered: with a buffer, a part could be written when the file is closed.
        with self._path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                while data:
                    data = data[file.write(data):]
            except OSError:
                file.truncate(end)
                raise
