"""How much one client, and all together, may ask of the API. Counts only; knows no HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cnn.errors import Unavailable

MOST_CLIENTS = 4096  # that are remembered; one that is forgotten begins with a full bucket


class Buckets:
    """A token bucket for each client: a request takes one, and they come back with time.

    Args:
        rate: Requests per second that a client may send for ever; twice that at once.
        clock: Seconds; tests give another.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._full, self._clock = rate, max(1.0, 2 * rate), clock
        self._left: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted
        self._lock = threading.Lock()

    def wait(self, client: str) -> float:
        """Take a token and return 0, or the seconds until there is one."""
        now = self._clock()
        with self._lock:
            tokens, since = self._left.pop(client, (self._full, now))
            tokens = min(self._full, tokens + (now - since) * self._rate)
            allowed = tokens >= 1
            self._left[client] = (tokens - allowed, now)  # at the end: the oldest come first
            if len(self._left) > MOST_CLIENTS:
                del self._left[next(iter(self._left))]
        return 0.0 if allowed else (1 - tokens) / self._rate


class Room:
    """Memory for the bodies of all requests that are under way.

    Args:
        size: In bytes.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Hold `size` bytes for the length of a block.

        Raises:
            Unavailable: If there are not as many free.
        """
        with self._lock:
            if size > self._free:
                raise Unavailable("The server holds as many pictures of others as it can.",
                                  "Send the request again in a few seconds.")
            self._free -= size
        try:
            yield
        finally:
            with self._lock:
                self._free += size
