"""One engine process as its parent sees it: started, asked, and ended when it does not answer.

Knows nothing of what is asked; `cnn.prediction.client` does.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

from cnn.errors import Unavailable
from cnn.paths import PROJECT
from cnn.prediction.wire import receive, send

Answered = tuple[dict[str, Any], list[bytes]]


class Child:
    """One engine process and the thread that reads its replies. One request at a time.

    Args:
        command: Starts the engine.

    Raises:
        Unavailable: If the process cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
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
        self._replies: queue.Queue[Answered | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True, name="engine-replies").start()

    def _read(self) -> None:
        try:
            while True:
                self._replies.put(receive(cast(BinaryIO, self.process.stdout)))
        except (EOFError, OSError):
            self._replies.put(None)  # dead
            self.process.wait()

    def ask(
        self, header: dict[str, Any], parts: Sequence[bytes], seconds: float
    ) -> Answered | None:
        """Return the reply, or None if the process died or took too long."""
        # A child that hangs stops reading too, and then `send` itself would wait for ever.
        watchdog = threading.Timer(seconds, self.process.kill)
        watchdog.start()
        try:
            send(cast(BinaryIO, self.process.stdin), header, parts)
            return self._replies.get(timeout=seconds)
        except (OSError, ValueError, queue.Empty):
            return None
        finally:
            watchdog.cancel()

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()
