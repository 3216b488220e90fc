"""How well saved models tell pictures of other things: "probably none of these".

    python -m benchmarks.novelty [MODEL ...] [--photos FOLDER] [--write]

AUROC: how often a picture of something else is stranger to the model than a test image of its own
data set. Pictures of other things are made by formula, taken from data sets that are here, and from
a folder of photos of which none shows a class of the model. None of them was used to learn what is
usual. Needs the data set of the model, and of the model `evaluate --novelty`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import arguments, publish, table
from cnn.data import catalogue
from cnn.data.dataset import Dataset, Images
from cnn.data.images import decode_image, resize
from cnn.errors import CnnError
from cnn.hardware import start_tensorflow
from cnn.prediction.learned_from import training_data
from cnn.prediction.predictor import Predictor
from cnn.prediction.saved import list_models

MOST = 1000  # pictures of a kind
MADE = 300  # pictures by formula, of a kind
SIDE = 96  # pixels of what is made by formula
# Classes of CIFAR-100 that are, or look like, classes of CIFAR-10.
OVERLAPPING = {
    "cifar10": {"bus", "camel", "cattle", "fox", "leopard", "lion", "lizard", "motorcycle",
                "pickup_truck", "streetcar", "tank", "tiger", "tractor", "train", "wolf"}}


def by_formula() -> Iterator[tuple[str, list[Images]]]:
    """Yield kinds of pictures that show nothing, uint8 (SIDE, SIDE, 3)."""
    random = np.random.default_rng(0)
    down, across = np.mgrid[:SIDE, :SIDE] / SIDE

    def two_colours(share: Any) -> Images:
        first, second = random.integers(0, 256, (2, 3))
        mixed: Images = (first + (second - first) * share[..., None]).astype(np.uint8)
        return mixed

    def slope() -> Any:
        angle = random.uniform(0, 2 * np.pi)
        return np.cos(angle) * across + np.sin(angle) * down

    def blobs(count: int) -> Images:
        few = random.integers(0, 256, (count, count, 3), dtype=np.uint8)
        return resize(few, (SIDE, SIDE), "stretch")

    yield "one colour", [two_colours(np.zeros_like(down)) for _ in range(MADE)]
    yield "colour gradient", [two_colours(slope() % 1) for _ in range(MADE)]
    yield "stripes", [two_colours(np.sin(random.uniform(8, 60) * slope()) > 0)
                      for _ in range(MADE)]
    yield "blobs, 4×4", [blobs(4) for _ in range(MADE)]
    yield "blobs, 8×8", [blobs(8) for _ in range(MADE)]
    yield "noise, 32×32", [blobs(32) for _ in range(MADE)]


def from_data_sets(known: Dataset) -> Iterator[tuple[str, list[Images]]]:
    """Yield test images of other data sets that are here, uint8 RGB."""
    for name in catalogue.all_names():
        if name == known.name or not catalogue.describe(name).available:
            continue
        other = catalogue.load(name)
        shared = set(known.class_names) | OVERLAPPING.get(known.name, set())
        wanted = [place for place, label in enumerate(other.class_names) if label not in shared]
        if len(wanted) < 2:
            continue
        rows = np.flatnonzero(np.isin(other.test_labels, wanted))[:MOST]
        yield f"{name}, {len(wanted)} classes", [np.asarray(other.test_images[row]) for row in rows]


def from_folder(folder: Path) -> list[Images]:
    """Return the pictures in a folder, uint8 RGB; what is none is passed over."""
    found = []
    for path in sorted(folder.iterdir()):
        try:
            found.append(decode_image(path.read_bytes()))
        except (CnnError, OSError):
            continue
    return found


def as_rgb(picture: Images) -> Images:
    """Return a picture with three channels."""
    return picture if picture.shape[2] == 3 else picture.repeat(3, axis=2)


def novelties(predictor: Predictor, pictures: list[Images]) -> tuple[list[float], float]:
    """Return how strange pictures are, 0 to 1, and which share of them is called unlike."""
    answers = [answer for begin in range(0, len(pictures), 100)
               for answer in predictor.predict([as_rgb(p) for p in pictures[begin:begin + 100]])]
    return ([answer.novelty or 0.0 for answer in answers],
            float(np.mean([answer.unlike for answer in answers])))


def measured(name: str, photos: Path | None) -> Iterator[list[object]]:
    """Yield a row of the table for each kind of pictures."""
    from sklearn.metrics import roc_auc_score

    predictor = Predictor(name)
    data = training_data(predictor.card)
    step = max(1, len(data.test_images) // (2 * MOST))
    own, alarms = novelties(predictor, [np.asarray(i) for i in data.test_images[::step]])
    yield [f"`{name}`", f"test images of {data.name}", len(own), "", f"{alarms:.1%}"]
    kinds = [*by_formula(), *from_data_sets(data)]
    if photos:
        kinds.append(("photos of other things", from_folder(photos)))
    for kind, pictures in kinds:
        other, called = novelties(predictor, pictures)
        auroc = roc_auc_score([0] * len(own) + [1] * len(other), own + other)
        yield [f"`{name}`", kind, len(other), f"{auroc:.3f}", f"{called:.1%}"]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("models", nargs="*", help="saved models (default: all)")
    parser.add_argument("--photos", type=Path, metavar="FOLDER",
                        help="photos that show none of the models' classes")
    options: argparse.Namespace = parser.parse_args()
    start_tensorflow()
    names = options.models or [model.name for model in list_models() if model.card]
    rows = [row for name in names for row in measured(name, options.photos)]
    head = ["model", "pictures", "n", "AUROC", "called “probably none of these”"]
    publish("novelty", "python -m benchmarks.novelty --photos FOLDER", table(head, rows),
            options.write)


if __name__ == "__main__":
    main()
