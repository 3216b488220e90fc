"""Holds an export against the model it was made from, by running the program that goes with it.

Two comparisons: arrays that go straight into both networks, and picture files of several kinds that
go the whole way of each, decoding and resizing included. Knows neither folders of models nor zips.
"""

from __future__ import annotations

import io
import runpy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnn.data.dataset import Images
from cnn.data.images import decode_image
from cnn.errors import CnnError, Refused
from cnn.exports.usage import USAGE_FILE
from cnn.prediction.learned_from import training_data
from cnn.prediction.predictor import prepare
from cnn.prediction.saved import Card

LARGEST_DIFFERENCE = 1e-4  # of a probability; rounding in another order gives 1e-6
VECTORS = 64  # generated ones; as many test images where the data set is here
Probabilities = NDArray[np.float32]
Network = Callable[[Images], Probabilities]  # uint8 (N, H, W, C) to (N, K)


@dataclass(frozen=True)
class Difference:
    """How far an export is from its original."""

    generated: int  # arrays that were made up
    test_images: int  # of the data set, if it is here
    pictures: int  # files
    largest: float  # difference of a probability, 0 to 1, over all of them
    same_answer: int  # how many have the same most probable class in both

    @property
    def count(self) -> int:
        """How many inputs were compared."""
        return self.generated + self.test_images + self.pictures

    @property
    def small(self) -> bool:
        """Whether the export can be offered."""
        return self.largest <= LARGEST_DIFFERENCE and self.same_answer == self.count


def generated_images(shape: tuple[int, int, int], count: int = VECTORS) -> Images:
    """Return blocks of random colours, from one block to single pixels, uint8 (count, *shape)."""
    rng, (height, width, channels) = np.random.default_rng(0), shape
    images = np.empty((count, *shape), np.uint8)
    for number, image in enumerate(images):
        side = 1 + number * max(height, width) // count
        blocks = rng.integers(0, 256, (side, side, channels), dtype=np.uint8)
        image[:] = blocks[np.arange(height) * side // height][:, np.arange(width) * side // width]
    return images


def some_test_images(card: Card) -> Images:
    """Return up to VECTORS test images of the model's data set; none where it is not here."""
    try:
        images = training_data(card).test_images
    except CnnError:
        return np.empty((0, *card.input_shape), np.uint8)
    rows = np.linspace(0, len(images) - 1, min(VECTORS, len(images))).astype(int)
    return np.asarray(images[rows])


def picture_files() -> Iterator[tuple[str, bytes]]:
    """Yield pictures that a careless reader would get wrong, as name and file."""
    blocks = generated_images((90, 60, 3), 12)
    tall, wide = Image.fromarray(blocks[11]), Image.fromarray(blocks[7]).rotate(90, expand=True)
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: to be turned by a quarter
    see_through = tall.copy()
    see_through.putalpha(Image.fromarray(np.where(blocks[3][..., 0] > 127, 255, 0).astype("u1")))
    for name, picture, options in (
            ("tall.png", tall, {}), ("wide.png", wide, {}), ("grey.png", tall.convert("L"), {}),
            ("see-through.png", see_through, {}), ("tiny.png", tall.resize((5, 3)), {}),
            ("turned.jpg", wide, {"exif": turned})):
        file = io.BytesIO()
        picture.save(file, "JPEG" if name.endswith("jpg") else "PNG", **options)
        yield name, file.getvalue()


def compare(card: Card, original: Network, folder: Path, scratch: Path) -> Difference:
    """Run the program of an export and compare what it says with the original.

    Args:
        card: Of the model.
        original: Its network.
        folder: The export: network, labels and program.
        scratch: An empty folder for picture files.
    """
    program = runpy.run_path(str(folder / USAGE_FILE), run_name="export")
    made, own = generated_images(_shape(card)), some_test_images(card)
    vectors = np.concatenate([made, own])
    said = [program["probabilities"](image[np.newaxis].astype(np.float32)) for image in vectors]
    files = dict(picture_files())
    pictures = np.stack([prepare(decode_image(data), card)[0] for data in files.values()])
    said += [_of_file(program["classify"], scratch / name, data)
             for name, data in files.items()]
    truth, answers = original(np.concatenate([vectors, pictures])), np.stack(said)
    return Difference(
        len(made), len(own), len(files), float(np.abs(truth - answers).max()),
        int((truth.argmax(axis=1) == answers.argmax(axis=1)).sum()))


def _shape(card: Card) -> tuple[int, int, int]:
    height, width, channels = card.input_shape
    return height, width, channels


def _of_file(classify: Any, file: Path, data: bytes) -> Probabilities:
    """Return what the program says of a file, in the order of the classes."""
    file.write_bytes(data)
    return np.array([probability for _, probability in classify(file)], np.float32)


def refuse_if_different(difference: Difference, title: str, name: str) -> None:
    """Let no export out that answers otherwise than its original.

    Raises:
        Refused: If a probability differs by too much, or an answer at all.
    """
    if not difference.small:
        raise Refused(
            f"The {title} export of {name} is not offered: over {difference.count} inputs its "
            f"probabilities differ by up to {difference.largest:.2g} (allowed: "
            f"{LARGEST_DIFFERENCE:g}), and {difference.same_answer} have the same answer.",
            "Choose another format, and please report this.")
