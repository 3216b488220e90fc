"""Asking the engine what a network made of a picture after an epoch: the server's side.

`Moments` asks in the background, so that a page can draw meanwhile, and ask for what will be looked
at next. Needs no TensorFlow; `time_machine` answers.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from cnn.models.specs import Shape
from cnn.prediction.client import EngineClient

MOST_MAPS = 32  # channels on a sheet
MOST_KEPT = 64  # moments; one has some 70 kB


@dataclass(frozen=True)
class Moment:
    """What a network made of a picture after an epoch. PNG is empty where there is nothing."""

    probabilities: tuple[float, ...]  # by class
    layers: dict[str, Shape]  # those with feature maps
    layer: str  # whose feature maps are on the sheet; "" if the network has none
    heat_layer: str  # that the heat map was made from; "" if the network has none
    size: tuple[int, ...]  # height and width of the heat map in places
    coarse: bool  # too few places to tell where in the picture something is
    blank: bool  # no part of the picture speaks for the class
    seen: bytes  # PNG: the picture as the network got it
    heat: bytes  # PNG
    sheet: bytes  # PNG: the first channels of the layer


def ask_moment(
    engine: EngineClient, folder: str, epoch: int, picture: bytes, layer: str = "",
    class_name: str = "",
) -> Moment:
    """Return what a network made of a picture after an epoch of its training.

    Args:
        engine: To ask.
        folder: Path of the run's snapshots.
        epoch: One that there is a snapshot of.
        picture: JPEG, PNG, WebP, BMP or GIF.
        layer: Whose feature maps to return; the first that has any, where this has none.
        class_name: What the heat map speaks of. Defaults to the most probable class.

    Raises:
        CnnError: What the engine answered, or that it does not work.
    """
    reply, (seen, heat, sheet) = engine.call(
        {"op": "moment", "folder": folder, "epoch": epoch, "layer": layer, "class": class_name},
        [picture])
    layers = {item["name"]: tuple(item["shape"]) for item in reply["layers"]}
    return Moment(tuple(reply["probabilities"]), layers, reply["layer"], reply["heat_layer"],
                  tuple(reply["size"]), reply["coarse"], reply["blank"], seen, heat, sheet)


@dataclass(frozen=True)
class Question:
    """What is asked of an epoch; see `ask_moment`."""

    folder: str
    epoch: int
    layer: str
    class_name: str
    version: Hashable  # what changes when the picture or the snapshot does


class Moments:
    """Moments that were asked for; the last ones are kept. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: OrderedDict[Question, Future[Moment]] = OrderedDict()
        # One at a time: the engine answers one after the other.
        self._pool = ThreadPoolExecutor(1, "moments")

    def begin(self, engine: EngineClient, question: Question, picture: bytes) -> Future[Moment]:
        """Begin to ask, and return what will have the answer; what failed is asked again.

        Args:
            engine: To ask.
            question: What.
            picture: JPEG, PNG, WebP, BMP or GIF.
        """
        with self._lock:
            found = self._asked.get(question)
            if found is None or (found.done() and found.exception()):
                found = self._asked[question] = self._pool.submit(
                    ask_moment, engine, question.folder, question.epoch, picture, question.layer,
                    question.class_name)
            self._asked.move_to_end(question)
            while len(self._asked) > MOST_KEPT:
                self._asked.popitem(last=False)
        return found
