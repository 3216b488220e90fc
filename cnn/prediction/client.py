"""The server's side of the engine: what it can be asked, and the answers.

Needs no TensorFlow. One engine serves all pages and the API of a server process; `shared_engine`
returns it. How it is kept running is said in `kept`. Pictures that several ask about at the same
time share a batch, see `batching`.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cnn.data.dataset import Images
from cnn.data.preview import Shown
from cnn.errors import CnnError, error_from_dict
from cnn.prediction.batching import PICTURE_SECONDS, Batcher
from cnn.prediction.kept import KeptEngine, checked, died
from cnn.prediction.patience import Patience

if TYPE_CHECKING:
    from cnn.data.parts import Box

ENGINE = (sys.executable, "-m", "cnn.prediction.engine")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prediction:
    """The answer for one picture, or why there is none."""

    top: tuple[tuple[str, float], ...] = ()  # all classes, most probable first
    size: tuple[int, int] = (0, 0)  # height and width of the picture, turned upright
    inverted: bool = False
    preview: bytes = b""  # PNG of the decoded picture, at most 512 pixels long
    seen: bytes = b""  # PNG of what the network saw
    thumbnail: bytes = b""  # JPEG of the decoded picture, at most 64 pixels long
    error: CnnError | None = None
    novelty: float | None = None  # share of validation images less strange, 0..1; None: not known
    unlike: bool = False  # stranger than 95 % of pictures like the training images


class _Question(NamedTuple):
    """What is asked of a picture; those asked the same can share a batch."""

    model: str
    how: str
    pictures: bool
    average: bool
    thumbnails: bool


class EngineClient(KeptEngine):
    """Asks one engine process; safe to use from several threads.

    Args:
        command: Starts an engine. Tests give another.
        limits: As for `KeptEngine`.
    """

    def __init__(self, command: Sequence[str] = ENGINE, **limits: float) -> None:
        super().__init__(command, **limits)
        self._batches: Batcher[_Question, Prediction] = Batcher(self._ask, died)

    def start_in_background(self, model: str = "") -> None:
        """Start the engine and load a model, without waiting."""
        threading.Thread(target=self._warm, args=(model,), daemon=True, name="engine-start").start()

    def _warm(self, model: str) -> None:
        try:
            self.call({"op": "ready", "model": model})
        except CnnError as error:  # a request will say it to a person; here only the log can
            _log.warning("The prediction engine did not start well: %s", error)

    def predict(
        self, model: str, images: Sequence[bytes], how: str = "", pictures: bool = False,
        average: bool = False, thumbnails: bool = False,
    ) -> list[Prediction]:
        """Classify encoded images; each has an answer or its own error.

        Args:
            model: Name of a saved model.
            images: Files as bytes: JPEG, PNG, WebP, BMP or GIF.
            how: crop, fit or stretch; empty for what the model's card says.
            pictures: Whether to return preview and what the network saw.
            average: Whether to average over several views of each picture, see `averaging`.
            thumbnails: Whether to return a small picture, which costs far less than `pictures`.

        Raises:
            NotFound, Damaged: If the model cannot be used.
            Unavailable: If the engine cannot be started, or survived none of them. One that it did
                not survive twice has this error, the others their answers.
        """
        self.await_start()
        found = self._batches(_Question(model, how, pictures, average, thumbnails), images)
        failures = [one for one in found if isinstance(one, CnnError)]
        if failures and len(failures) == len(found):
            raise failures[0]
        return [Prediction(error=one) if isinstance(one, CnnError) else one for one in found]

    def _ask(
        self, question: _Question, images: Sequence[bytes], patience: Patience
    ) -> list[Prediction] | None:
        answered = self.once({"op": "predict", **question._asdict()}, images, patience)
        if answered is None:
            return None
        reply, blobs = checked(answered)
        return _predictions(reply["results"], iter(blobs), question)

    def ways(self, model: str, image: bytes, average: bool = False) -> dict[str, Prediction]:
        """Classify one picture brought to size in every way, with preview and what was seen.

        Args:
            model: Name of a saved model.
            image: JPEG, PNG, WebP, BMP or GIF.
            average: As for `predict`.

        Returns:
            The answer for crop, fit and stretch; all have the error of a picture that has one.

        Raises:
            NotFound, Damaged: If the model cannot be used.
            Unavailable: If the engine cannot be started, or did not survive the question twice.
        """
        question = _Question(model, "", True, average, False)
        reply, blobs = self.call({"op": "ways", **question._asdict()}, [image],
                                  PICTURE_SECONDS)
        ways, results = zip(*reply["results"].items(), strict=True)
        return dict(zip(ways, _predictions(results, iter(blobs), question), strict=True))

    def cut(self, image: bytes, part: Box) -> bytes:
        """Return a part of a picture as PNG, at most 1,024 pixels long.

        Args:
            image: JPEG, PNG, WebP, BMP or GIF.
            part: Left, top, right and bottom as shares of width and height, 0 to 1.

        Raises:
            CnnError: What is wrong with the picture or the part.
        """
        return self.call({"op": "cut", "part": part}, [image], PICTURE_SECONDS)[1][0]

    def figure(self, model: str, figure: str) -> bytes:
        """Return a Matplotlib figure of a saved model as PNG; names in `cnn.evaluation.figures`."""
        return self.call({"op": "figure", "model": model, "figure": figure})[1][0]

    def graph(self, architecture: str, input_shape: Sequence[int], classes: int) -> str:
        """Return the TensorFlow operations of an architecture as Graphviz text."""
        return self.call({"op": "graph", "architecture": architecture,
                          "input_shape": list(input_shape), "classes": classes})[0]["dot"]

    def moved(self, shown: Shown) -> Images:
        """Return images as training shows them, uint8 (N, H, W, C): turned, where they should be.

        Raises:
            Unavailable: If the engine died or hung twice, or cannot be started.
        """
        if shown.transforms is None:
            return shown.images
        _, (pixels,) = self.call({"op": "move", "shape": shown.images.shape},
                                 [shown.images.tobytes(), shown.transforms.tobytes()])
        return np.frombuffer(pixels, np.uint8).reshape(shown.images.shape)


def _predictions(
    results: Sequence[dict[str, Any]], blobs: Iterator[bytes], question: _Question
) -> list[Prediction]:
    predictions = []
    for row in results:
        if "error" in row:
            predictions.append(Prediction(error=error_from_dict(row["error"])))
            continue
        top = tuple((item["class"], item["probability"]) for item in row["top"])
        preview, seen = (next(blobs), next(blobs)) if question.pictures else (b"", b"")
        thumbnail = next(blobs) if question.thumbnails else b""
        predictions.append(Prediction(
            top, (row["height"], row["width"]), row["inverted"], preview, seen, thumbnail,
            novelty=row["novelty"], unlike=row["unlike"]))
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
