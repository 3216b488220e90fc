"""One engine process as its parent sees it: started, asked, and ended when it does not answer.

While it works on a request it beats (see `pulse`); one that does not is stopped, stuck or dead.

Knows nothing of what is asked; `cnn.prediction.client` does.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

from cnn.errors import Unavailable
from cnn.paths import PROJECT
from cnn.prediction.patience import Patience
from cnn.prediction.pulse import LOADING
from cnn.prediction.wire import receive, send

SILENT_SECONDS = 4.0  # without a beat, of which there is one a second
Answered = tuple[dict[str, Any], list[bytes]]


class Child:
    """One engine process and the thread that reads its replies. One request at a time.

    Args:
        command: Starts the engine.
        silent_seconds: How long it may give no sign of life while it is asked.

    Raises:
        Unavailable: If the process cannot be started.
    """

    def __init__(
        self, command: Sequence[str], silent_seconds: float = SILENT_SECONDS
    ) -> None:
        self._silent_seconds = silent_seconds
        self._begin = time.monotonic()
        flags: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is the server's business
        if sys.platform == "win32":
            flags = {"creationflags": 0x00000200}
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT,
                **flags)
        except OSError as error:
            raise Unavailable(
                f"The prediction engine cannot be started ({error.strerror or error}).",
                "Check that the computer has free memory, and try again.") from error
        self._greeted = False
        self._replies: queue.Queue[Answered | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True, name="engine-replies").start()

    def _read(self) -> None:
        try:
            while True:
                self._replies.put(receive(cast(BinaryIO, self.process.stdout)))
        except (EOFError, OSError):
            self._replies.put(None)  # dead
            self.process.wait()

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._begin

    def greet(self, seconds: float) -> bool:
        """Wait until it is up; return False if it died before.

        Raises:
            TimeoutError: If it is still starting after so many seconds; call again to wait on.
        """
        if not self._greeted:
            self._greeted = self._send({"op": "ready"}, ())
        try:
            return self._greeted and self._replies.get(timeout=seconds) is not None
        except queue.Empty:
            raise TimeoutError from None

    def ask(
        self, header: dict[str, Any], parts: Sequence[bytes], patience: Patience
    ) -> Answered | None:
        """Return the reply, or None if the process died or shows no sign of life.

        Raises:
            TimeoutError: If it lives, but there is no patience left.
        """
        if not self._send(header, parts):
            return None
        heard = time.monotonic()
        while True:
            try:
                reply = self._replies.get(timeout=min(patience.left(), self._silent_seconds))
            except queue.Empty:
                if not patience.left():
                    raise TimeoutError from None
                return None
            if reply is None or "beat" not in reply[0]:
                return reply
            before, heard = heard, time.monotonic()
            if reply[0]["beat"] == LOADING:
                patience.loaded(heard - before)

    def _send(self, header: dict[str, Any], parts: Sequence[bytes]) -> bool:
        # A child that hangs stops reading too, and then `send` itself would wait for ever.
        watchdog = threading.Timer(self._silent_seconds, self.process.kill)
        watchdog.start()
        try:
            send(cast(BinaryIO, self.process.stdin), header, parts)
        except (OSError, ValueError):
            return False
        finally:
            watchdog.cancel()
        return True

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()
