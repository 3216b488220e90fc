"""The server's side of the engine: starts it, asks it, restarts it when it dies.

Needs no TensorFlow. One engine serves all pages and the API of a server process; `shared_engine`
returns it. A request that finds the engine dead, or kills it, is tried once more on a fresh one.
"""

from __future__ import annotations

import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from cnn.errors import CnnError, Unavailable, error_from_dict
from cnn.paths import PROJECT
from cnn.prediction.wire import receive, send

START_SECONDS = 90.0  # TensorFlow takes 5 s to import; a cold disk on a busy laptop far more
REQUEST_SECONDS = 30.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prediction:
    """The answer for one picture, or why there is none."""

    top: tuple[tuple[str, float], ...] = ()  # all classes, most probable first
    size: tuple[int, int] = (0, 0)  # height and width of the picture, turned upright
    inverted: bool = False
    preview: bytes = b""  # PNG of the decoded picture, at most 512 pixels long
    seen: bytes = b""  # PNG of what the network saw
    error: CnnError | None = None


class _Child:
    """One engine process and the thread that reads its replies."""

    def __init__(self, command: Sequence[str]) -> None:
        flags: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is the server's business
        if sys.platform == "win32":
            flags = {"creationflags": 0x00000200}
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT,
            **flags)
        self.replies: queue.Queue[tuple[dict[str, Any], list[bytes]] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True, name="engine-replies").start()

    def _read(self) -> None:
        try:
            while True:
                self.replies.put(receive(cast(BinaryIO, self.process.stdout)))
        except (EOFError, OSError):
            self.replies.put(None)  # dead
            self.process.wait()

    def ask(self, header: dict[str, Any], parts: Sequence[bytes], seconds: float) -> Any:
        """Return the reply, or None if the process died or took too long."""
        # A child that hangs stops reading too, and then `send` itself would wait for ever.
        watchdog = threading.Timer(seconds, self.process.kill)
        watchdog.start()
        try:
            send(cast(BinaryIO, self.process.stdin), header, parts)
            return self.replies.get(timeout=seconds)
        except (OSError, ValueError, queue.Empty):
            return None
        finally:
            watchdog.cancel()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _start(command: Sequence[str]) -> _Child:
    try:
        return _Child(command)
    except OSError as error:
        raise Unavailable(f"The prediction engine cannot be started ({error.strerror or error}).",
                          "Check that the computer has free memory, and try again.") from error


class EngineClient:
    """Asks one engine process; safe to use from several threads.

    Args:
        command: Starts an engine. Tests give another.
        request_seconds: Time limit of one request once the engine is up.
        start_seconds: Time limit of the start.
    """

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-m", "cnn.prediction.engine"),
        request_seconds: float = REQUEST_SECONDS,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._command = command
        self._request_seconds = request_seconds
        self._start_seconds = start_seconds
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self.ready = False  # whether the next answer comes without waiting for a start

    def start_in_background(self, model: str = "") -> None:
        """Start the engine and load a model, without waiting."""
        threading.Thread(target=self._warm, args=(model,), daemon=True, name="engine-start").start()

    def _warm(self, model: str) -> None:
        try:
            self.call({"op": "ready", "model": model})
        except CnnError as error:  # a request will say it to a person; here only the log can
            _log.warning("The prediction engine did not start well: %s", error)

    def call(self, header: dict[str, Any], parts: Sequence[bytes] = ()) -> Any:
        """Send a request and return (reply, byte strings).

        Raises:
            CnnError: What the engine answered, or Unavailable if it died or hung twice.
        """
        with self._lock:
            for _ in range(2):
                reply = self._try(header, parts)
                if reply is not None:
                    break
            else:
                raise Unavailable(
                    "The prediction engine died or hung twice on this request.",
                    "Try another picture or model; the dashboard's terminal has the details.")
        if "error" in reply[0]:
            raise error_from_dict(reply[0]["error"])
        return reply

    def _try(self, header: dict[str, Any], parts: Sequence[bytes]) -> Any:
        if self._child is None:
            started = time.monotonic()
            self._child = _start(self._command)
            if self._child.ask({"op": "ready"}, (), self._start_seconds) is None:
                return self._drop()
            _log.info("engine up after %.1f s", time.monotonic() - started)
            self.ready = True
        reply = self._child.ask(header, parts, self._request_seconds)
        return self._drop() if reply is None else reply

    def _drop(self) -> None:
        self.ready = False
        if self._child is not None:
            self._child.kill()
            self._child = None

    def close(self) -> None:
        """End the engine process."""
        with self._lock:
            self._drop()

    def predict(
        self, model: str, images: Sequence[bytes], how: str = "", pictures: bool = False,
        average: bool = False,
    ) -> list[Prediction]:
        """Classify encoded images; each has an answer or its own error.

        Args:
            model: Name of a saved model.
            images: Files as bytes: JPEG, PNG, WebP, BMP or GIF.
            how: crop, fit or stretch; empty for what the model's card says.
            pictures: Whether to return preview and what the network saw.
            average: Whether to average over several views of each picture, see `averaging`.

        Raises:
            NotFound, Damaged: If the model cannot be used.
            Unavailable: If the engine died or hung twice, or cannot be started.
        """
        header = {"op": "predict", "model": model, "how": how, "pictures": pictures,
                  "average": average}
        reply, blobs = self.call(header, images)
        return _predictions(reply["results"], iter(blobs) if pictures else None)

    def figure(self, model: str, figure: str) -> bytes:
        """Return a Matplotlib figure of a saved model as PNG; names in `cnn.evaluation.figures`."""
        return self.call({"op": "figure", "model": model, "figure": figure})[1][0]

    def graph(self, architecture: str, input_shape: Sequence[int], classes: int) -> str:
        """Return the TensorFlow operations of an architecture as Graphviz text."""
        return self.call({"op": "graph", "architecture": architecture,
                          "input_shape": list(input_shape), "classes": classes})[0]["dot"]


def _predictions(results: list[dict[str, Any]], blobs: Any) -> list[Prediction]:
    predictions = []
    for row in results:
        if "error" in row:
            predictions.append(Prediction(error=error_from_dict(row["error"])))
            continue
        top = tuple((item["class"], item["probability"]) for item in row["top"])
        pictures = (next(blobs), next(blobs)) if blobs else (b"", b"")
        predictions.append(Prediction(
            top, (row["height"], row["width"]), row["inverted"], *pictures))
    return predictions


_shared: EngineClient | None = None
_shared_lock = threading.Lock()


def shared_engine() -> EngineClient:
    """Return the engine of this server process; the first call makes it, not yet started."""
    global _shared  # noqa: PLW0603  one per process is the point
    with _shared_lock:
        if _shared is None:
            _shared = EngineClient()
        return _shared
