"""Pictures that a person pinned to a run: kept in its folder, classified after every epoch.

    pins/1.png ...    the pictures, decoded once and stored anew
    pins/names.json   their names as the person knows them, in the same order

Server and CLI store and read them; `Pins` is the trainer's side and the only part that needs
TensorFlow. Knows nothing of what pages draw.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cnn.data.dataset import Dataset
from cnn.errors import BadInput, CnnError, Damaged, NotFound
from cnn.files import atomic_path, atomic_write_bytes, atomic_write_json, read_json
from cnn.training.events import PinsEvent

MOST_PINS = 5
LONGEST_SIDE = 1024  # pixels: several times what any network here looks at
LONGEST_NAME = 120  # characters
# With ten classes or fewer, nothing is left out, and every class can be followed over the epochs.
MOST_CLASSES = 10


class Pin(NamedTuple):
    """One picture: its name for people, and a whole image file."""

    name: str
    data: bytes


def ready_pins(pictures: Sequence[tuple[str, bytes]]) -> list[Pin]:
    """Return pictures from people as PNG of a sensible size, or refuse them by name.

    Args:
        pictures: Names and whole files, of any format that `decode_image` reads.

    Raises:
        BadInput: If there are more than `MOST_PINS`, or one cannot be read.
    """
    if len(pictures) > MOST_PINS:
        raise BadInput(f"At most {MOST_PINS} pictures can be watched. Received: {len(pictures)}.",
                       "Leave some out.")
    return [_ready(name, data) for name, data in pictures]


def _ready(name: str, data: bytes) -> Pin:
    from cnn.data.images import decode_image, encode_png, thumbnail  # Pillow, only when used

    # A name of a file may hold bytes that are no text.
    name = name.encode("utf-8", "replace").decode()[-LONGEST_NAME:]
    try:
        return Pin(name, encode_png(thumbnail(decode_image(data), LONGEST_SIDE)))
    except CnnError as error:
        raise BadInput(f"{name}: {error.message}", error.hint) from error


def save_pins(run: Path, pictures: Sequence[tuple[str, bytes]]) -> None:
    """Keep pictures in a run's folder, all or none.

    Args:
        run: The run's folder.
        pictures: Names and whole files; none leaves the folder as it is.

    Raises:
        BadInput: As `ready_pins` does.
        Unavailable: If the disk is full.
    """
    if not pictures:
        return
    pins = ready_pins(pictures)
    with atomic_path(run / "pins") as folder:
        folder.mkdir()
        for number, pin in enumerate(pins, 1):
            atomic_write_bytes(folder / f"{number}.png", pin.data)
        atomic_write_json(folder / "names.json", {"names": [pin.name for pin in pins]})


def read_pins(run: Path) -> list[Pin]:
    """Return the pictures of a run, none if it has none.

    Raises:
        Damaged: If they cannot be read.
    """
    folder = run / "pins"
    try:
        names = read_json(folder / "names.json").get("names")
    except NotFound:
        return []
    if not isinstance(names, list) or len(names) > MOST_PINS:
        raise Damaged(f"The names of the pinned pictures of {run.name} cannot be understood.",
                      "Delete the folder pins of this run.")
    try:
        return [Pin(str(name), (folder / f"{number}.png").read_bytes())
                for number, name in enumerate(names, 1)]
    except OSError as error:
        raise Damaged(f"A pinned picture of {run.name} cannot be read ({error.strerror}).",
                      "Delete the folder pins of this run.") from error


class Pins:
    """The pictures of a run in the form that its network takes.

    Pictures that cannot be read are said in the trainer's output and never end a training.

    Args:
        run: The run's folder.
        dataset: Says how pictures are resized, and the names of the classes.
        model: Functional Keras model with a "logits" layer; it may go on learning.
    """

    def __init__(self, run: Path, dataset: Dataset, model: Any) -> None:
        self._classes = dataset.class_names
        self._images = _inputs(run, dataset)
        self._logits = _compiled(model) if len(self._images) else None  # traced at its first call

    def classify(self, epoch: int) -> PinsEvent | None:
        """Return what the network makes of the pictures with its present weights; None of none."""
        if self._logits is None:
            return None
        return PinsEvent(epoch, [self._top(row) for row in self._logits(self._images).numpy()])

    def tell(self, epoch: int, append: Callable[[PinsEvent], None]) -> None:
        """Hand on what `classify` returns, if there are pictures."""
        event = self.classify(epoch)
        if event:
            append(event)

    def _top(self, probabilities: Any) -> list[tuple[str, float]]:
        order = np.argsort(-probabilities, kind="stable")[:MOST_CLASSES]
        return [(self._classes[i], round(float(probabilities[i]), 5)) for i in order]


def _inputs(run: Path, dataset: Dataset) -> Any:
    """Return the pictures as float32 (N, H, W, C), 0 to 255."""
    from cnn.data.images import decode_image
    from cnn.prediction.predictor import to_input

    try:
        pins = read_pins(run)
        seen = [to_input(decode_image(pin.data), dataset.image_shape, dataset.resize,
                         dataset.dark_background)[0] for pin in pins]
    except CnnError as error:
        logging.getLogger(__name__).warning("The pinned pictures are left out: %s", error)
        seen = []
    return np.stack(seen).astype(np.float32) if seen else np.empty(0, np.float32)


def _compiled(model: Any) -> Any:
    """Return a function to probabilities: one graph, which reads the weights as they are then."""
    import tensorflow as tf

    from cnn.models.build import logits_model

    network = logits_model(model)
    return tf.function(lambda images: tf.nn.softmax(
        tf.cast(network(images, training=False), tf.float32)))
