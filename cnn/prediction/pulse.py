"""The engine's signs of life while it works on a request: that one is slow and not dead.

Knows neither requests nor what is done about silence.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from cnn.prediction.wire import send

BEAT_SECONDS = 1.0
LOADING, WORKING = "loading", "working"  # what a beat says: the first may take long


class Pulse:
    """A thread that says every second what the engine is at, as long as it is at something.

    Args:
        replies: Where to; between two beats it belongs to the engine.
        at: Returns `LOADING` or `WORKING`.
    """

    def __init__(self, replies: BinaryIO, at: Callable[[], str]) -> None:
        self._replies, self._at = replies, at
        self._lock = threading.Lock()
        self._working = False
        threading.Thread(target=self._beat, daemon=True, name="pulse").start()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat for the length of a block; after it, no beat is under way."""
        self._working = True
        try:
            yield
        finally:
            with self._lock:
                self._working = False

    def _beat(self) -> None:
        with suppress(OSError):  # nobody listens any more: the engine ends as well
            while True:
                time.sleep(BEAT_SECONDS)
                with self._lock:
                    if self._working:
                        send(self._replies, {"beat": self._at()})
