"""An engine that is kept running: started when it is needed, and again when it dies or hangs.

A request that finds the engine dead or silent, or kills it, is tried once more on a fresh one. One
that lives but does not finish in time is ended, and the next request has a fresh one. Knows nothing
of what is asked.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from cnn.errors import CnnError, Unavailable, error_from_dict
from cnn.prediction.child import SILENT_SECONDS, Answered, Child
from cnn.prediction.patience import Patience

START_SECONDS = 90.0  # TensorFlow takes 5 s to import; a cold disk on a busy laptop far more
REQUEST_SECONDS = 45.0  # for what takes long: to open a network of 3,000 layers takes 24 s

_log = logging.getLogger(__name__)


class KeptEngine:
    """Asks one engine process at a time; safe to use from several threads.

    Args:
        command: Starts an engine.
        request_seconds: Time limit of `call` once the engine is up, a second try included.
        start_seconds: Time limit of the start.
        silent_seconds: How long an engine that is asked may give no sign of life.
    """

    def __init__(
        self, command: Sequence[str], request_seconds: float = REQUEST_SECONDS,
        start_seconds: float = START_SECONDS, silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._command = command
        self._request_seconds = request_seconds
        self._start_seconds = start_seconds
        self._silent_seconds = silent_seconds
        self._lock = threading.Lock()
        self._child: Child | None = None
        self.ready = False  # whether the next answer comes without waiting for a start

    def call(
        self, header: dict[str, Any], parts: Sequence[bytes] = (), seconds: float | None = None
    ) -> Answered:
        """Send a request and return (reply, byte strings).

        Args:
            header: Its "op" is one of the engine's operations.
            parts: Byte strings that belong to it.
            seconds: Time limit, a second try included. Default: that for all requests.

        Raises:
            CnnError: What the engine answered, or Unavailable if it died or hung twice, or did not
                finish in time.
        """
        self.await_start()
        patience = Patience(self._request_seconds if seconds is None else seconds)
        reply = self.once(header, parts, patience) or self.once(header, parts, patience)
        if reply is None:
            raise died()
        return checked(reply)

    def await_start(self) -> None:
        """Let an engine that is not up take its time; one that is restarted has less.

        Raises:
            Unavailable: If it died twice while it started, or took too long.
        """
        if self.ready:
            return
        with self._lock:
            if not (self._start(self._start_seconds) or self._start(self._start_seconds)):
                raise died()

    def _start(self, seconds: float) -> bool:
        """Return whether the engine is up; False if it died or took too long to start."""
        if self.ready:
            return True
        self._child = self._child or Child(self._command, self._silent_seconds)
        left = max(self._start_seconds - self._child.age, 0.0)
        try:
            self.ready = self._child.greet(min(seconds, left))
        except TimeoutError:
            if seconds < left:
                raise Unavailable("The prediction engine died or hung, and is starting again.",
                                  "Try again in some seconds.") from None
        if not self.ready:
            self._drop()
            return False
        _log.info("engine up after %.1f s", self._child.age)
        return True

    def once(
        self, header: dict[str, Any], parts: Sequence[bytes], patience: Patience
    ) -> Answered | None:
        """Send a request and return the reply, or None if the engine died or fell silent.

        Raises:
            Unavailable: If it did not finish, or was not up again, while there was patience.
        """
        with patience.turn(self._lock):
            if not patience.left():
                raise _hung(patience)
            if not self.ready:
                patience.hurry()
            if not self._start(patience.left()) or self._child is None:
                return None
            try:
                reply = self._child.ask(header, parts, patience)
            except TimeoutError:
                self._drop()
                raise _hung(patience) from None
            if reply is None:
                self._drop()
            return reply

    def _drop(self) -> None:
        self.ready = False
        if self._child is not None:
            self._child.kill()
            self._child = None

    def close(self) -> None:
        """End the engine process."""
        with self._lock:
            self._drop()


def checked(reply: Answered) -> Answered:
    """Return a reply, unless it is an error: then raise that."""
    if "error" in reply[0]:
        raise error_from_dict(reply[0]["error"])
    return reply


def died() -> CnnError:
    """Return what to say of a request that the engine did not survive twice."""
    return Unavailable("The prediction engine died or hung twice on this request.",
                       "Try another picture or model; the dashboard's terminal has the details.")


def _hung(patience: Patience) -> CnnError:
    return Unavailable(f"The prediction engine hung: no answer within {patience.seconds:.0f} s.",
                       "Try again, or another picture or model; the dashboard's terminal has the "
                       "details.")
