"""How long one who asks the engine waits: long enough for slow work, and no longer than that.

Knows neither processes nor what is asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

LOADING_SECONDS = 30.0  # a network of 3,000 layers takes 24 s; nothing else does, so nobody hangs


class Patience:
    """The time that an engine which is up has left, a restart and a second try included.

    What is no hang does not count: the turns of others, and a network that is being loaded, unless
    the engine has to be started again.

    Args:
        seconds: In all.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._loading = LOADING_SECONDS

    def left(self) -> float:
        """Return how many seconds are left; 0 if none are."""
        return max(self._end - time.monotonic(), 0.0)

    @contextmanager
    def turn(self, lock: Lock) -> Iterator[None]:
        """Hold a lock for the length of a block, without counting the wait for it."""
        begin = time.monotonic()
        with lock:
            self._end += time.monotonic() - begin
            yield

    def hurry(self) -> None:
        """Count the loading of a network, too, from now on."""
        self._loading = 0.0

    def loaded(self, seconds: float) -> None:
        """Leave out so many seconds that went into loading a network, up to the limit of that."""
        seconds = min(seconds, self._loading)
        self._loading -= seconds
        self._end += seconds
