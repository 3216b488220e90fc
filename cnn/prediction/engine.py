"""The engine process: TensorFlow, loaded models, one request at a time.

    python -m cnn.prediction.engine

A child of the server (see `client`), which reads requests on standard input and answers on standard
output; it ends when its input closes, so it never outlives a server. A picture or model file that
breaks the decoder or TensorFlow kills this process and nothing else. Knows no pages and no HTTP.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from cnn.data.images import RESIZE_WAYS, decode_small, encode_jpeg, encode_png, thumbnail
from cnn.data.parts import cut
from cnn.errors import BadInput, CnnError
from cnn.evaluation.novelty import FILE_NAME as NOVELTY_FILE
from cnn.hardware import limit_memory, start_tensorflow, usable_cores
from cnn.prediction import explaining, opening, time_machine  # noqa: F401  for their operations
from cnn.prediction.handlers import HANDLERS, Reply, handles
from cnn.prediction.predictor import (
    PREVIEW_PIXELS,
    Answer,
    Predictor,
    decode,
    look_closer,
    prepare,
)
from cnn.prediction.pulse import LOADING, WORKING, Pulse
from cnn.prediction.saved import MODEL_FILE, Card, model_folder, read_card
from cnn.prediction.wire import receive, send

MODELS_KEPT = 3
THUMBNAIL_PIXELS = 64
SMALL_BYTES = 2**14  # of an encoded picture
LARGEST_PART = 1024  # pixels, of the longer side of a part that was cut out
DEEPEST = 20_000  # calls inside calls: Keras goes through a network layer by layer that way


class Engine:
    """Answers requests; keeps the models used last."""

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[Any, ...], Predictor] = OrderedDict()
        self._answering: WeakSet[Predictor] = WeakSet()  # those that have their graph
        self.at = WORKING
        # Pillow decodes without Python's lock. A picture is dropped as soon as it is small, so no
        # more large ones are in memory than there are threads.
        self.threads = ThreadPoolExecutor(usable_cores(), "pictures")

    def model(self, name: str) -> Predictor:
        """Return a loaded model; a file that was replaced meanwhile is loaded again."""
        read_card(name)
        key = (name, *(_stamp(model_folder(name) / file) for file in (MODEL_FILE, NOVELTY_FILE)))
        if key not in self._models:
            with self._loading():
                self._models[key] = Predictor(name)
            while len(self._models) > MODELS_KEPT:
                self._models.popitem(last=False)
        self._models.move_to_end(key)
        return self._models[key]

    def answering(self, name: str) -> Predictor:
        """Return a loaded model whose graph is made, so that its answers take no longer than usual.

        The graph of a large network takes longer than any answer, and is not always needed.
        """
        predictor = self.model(name)
        if predictor not in self._answering:
            with self._loading():
                predictor.predict([np.zeros((8, 8, 3), np.uint8)])
            self._answering.add(predictor)
        return predictor

    @contextmanager
    def _loading(self) -> Iterator[None]:
        self.at = LOADING
        try:
            yield
        finally:
            self.at = WORKING

    def answer(self, header: dict[str, Any], parts: list[bytes]) -> Reply:
        """Return the reply to one request; every failure becomes an error in words."""
        try:
            return HANDLERS[header["op"]](self, header, parts)
        except CnnError as error:
            return {"error": error.to_dict()}, []
        except Exception as error:  # the engine must live on whatever one request does
            traceback.print_exc()
            problem = CnnError(f"The prediction engine failed: {type(error).__name__}.",
                               "Try again; the terminal of the dashboard has the details.")
            return {"error": problem.to_dict()}, []


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file does; zeros for one that is not there."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


@handles("ready")
def _ready(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Import TensorFlow and, if a model is named, load it and make it answer once."""
    import tensorflow as tf

    if header.get("model"):
        engine.answering(header["model"])
    return {"tensorflow": tf.__version__}, []


@dataclass(frozen=True)
class _Look:
    """What is kept of a decoded picture: little, however large that was."""

    prepared: list[tuple[NDArray[np.uint8], bool]]  # in each way, as `Predictor.classify` takes it
    closer: list[NDArray[np.uint8] | None]  # the same, where views are averaged
    size: tuple[int, int]  # height and width
    preview: bytes  # PNG, if pictures were asked for
    thumbnail: bytes  # JPEG, if thumbnails were asked for


@handles("predict")
def _predict(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Classify encoded pictures as one batch; each has an answer or an error of its own."""
    predictor = engine.answering(header["model"])

    def look_at(data: bytes) -> _Look | CnnError:
        try:
            decoded = decode(data, predictor.card.input_shape)
        except CnnError as error:
            return error
        return _look(decoded, predictor.card, [header.get("how", "")], header)

    # Threads help with photos; handing over pictures as small as these takes longer than they do.
    small = all(len(part) <= SMALL_BYTES for part in parts)
    looks = [look_at(part) for part in parts] if small else list(engine.threads.map(look_at, parts))
    good = [look for look in looks if isinstance(look, _Look)]
    answers = iter(predictor.classify(
        [look.prepared[0] for look in good],
        [look.closer[0] for look in good] if _averages(header) else None))
    results: list[dict[str, Any]] = []
    pictures: list[bytes] = []
    for look in looks:
        if isinstance(look, CnnError):
            results.append({"error": look.to_dict()})
            continue
        answer = next(answers)
        results.append(_facts(answer, look.size, predictor.card.class_names))
        if header.get("pictures"):
            pictures += [look.preview, encode_png(answer.seen)]
        if header.get("thumbnails"):
            pictures.append(look.thumbnail)
    return {"results": results}, pictures


@handles("ways")
def _ways(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Classify one picture brought to size in each way, decoded once and as one batch."""
    predictor = engine.answering(header["model"])
    try:
        decoded = decode(parts[0], predictor.card.input_shape)
    except CnnError as error:
        return {"results": {how: {"error": error.to_dict()} for how in RESIZE_WAYS}}, []
    look = _look(decoded, predictor.card, list(RESIZE_WAYS), header)
    answers = predictor.classify(look.prepared, look.closer if _averages(header) else None)
    facts = [_facts(answer, look.size, predictor.card.class_names) for answer in answers]
    pictures = [png for answer in answers for png in (look.preview, encode_png(answer.seen))]
    return {"results": dict(zip(RESIZE_WAYS, facts, strict=True))}, pictures


@handles("cut")
def _cut(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Return a part of a picture as PNG, of the detail that a network can use."""
    left, top, right, bottom = (float(share) for share in header["part"])
    share = max(min(right - left, bottom - top), 0.05)  # of less than that, no more is decoded
    picture, _ = decode_small(parts[0], round(LARGEST_PART / share))
    return {}, [encode_png(thumbnail(cut(picture, (left, top, right, bottom)), LARGEST_PART))]


def _look(
    decoded: tuple[NDArray[np.uint8], tuple[int, int]], card: Card, ways: list[str],
    header: dict[str, Any],
) -> _Look:
    picture, size = decoded
    preview = encode_png(thumbnail(picture, PREVIEW_PIXELS)) if header.get("pictures") else b""
    tiny = encode_jpeg(thumbnail(picture, THUMBNAIL_PIXELS)) if header.get("thumbnails") else b""
    closer = [look_closer(picture, card, how) for how in ways] if _averages(header) else []
    return _Look([prepare(picture, card, how) for how in ways], closer, size, preview, tiny)


def _averages(header: dict[str, Any]) -> bool:
    return header.get("average") is True


def _facts(answer: Answer, size: tuple[int, int], class_names: list[str]) -> dict[str, Any]:
    return {"top": answer.top(class_names, len(class_names)), "inverted": answer.inverted,
            "novelty": answer.novelty, "unlike": answer.unlike,
            "height": size[0], "width": size[1]}


@handles("figure")
def _figure(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Draw a figure of a saved model with Matplotlib, as PNG."""
    from cnn.evaluation.figures import draw
    from cnn.evaluation.results import read_evaluation
    from cnn.prediction.saved import read_history

    name = header["model"]
    needed = header["figure"] != "history"  # the curves can be drawn without test results
    evaluation = read_evaluation(model_folder(name)) if needed else None
    return {}, [draw(header["figure"], name, evaluation, read_history(name))]


@handles("graph")
def _graph(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Return the TensorFlow operations of an architecture, as Graphviz text."""
    from cnn.models.build import build_model
    from cnn.models.graph import graph_dot, operation_graph

    shape = tuple(int(side) for side in header["input_shape"])
    if len(shape) != 3:
        raise BadInput(f"input_shape must be height, width, channels. Received: {shape}.")
    model = build_model(header["architecture"], shape, int(header["classes"]))
    return {"dot": graph_dot(operation_graph(model))}, []


@handles("move")
def _move(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Move the pixels of images as training does."""
    from cnn.prediction.moving import move

    return move(header, parts)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until the input closes."""
    engine = Engine()
    pulse = Pulse(replies, lambda: engine.at)
    while True:
        try:
            header, parts = receive(requests)
        except EOFError:
            return
        with pulse.beating():
            reply, blobs = engine.answer(header, parts)
        send(replies, {**reply, "id": header.get("id")}, blobs)


def main() -> None:
    """Take the pipes, keep stray prints away from them, and serve."""
    limit_memory()
    sys.setrecursionlimit(DEEPEST)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # TensorFlow prints where it likes: to the terminal, not into the replies
    start_tensorflow()
    serve(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
