"""How a photo is best brought to the size of a CIFAR-10 model: crop, fit or stretch; averaged.

    python -m benchmarks.photos FOLDER [MODEL ...] [--write]

FOLDER has ImageNet photos whose names begin with the WordNet number of what they show, such as
n02123045_tabby.JPEG. Those of things that CIFAR-10 knows are taken; no training and no tuning saw
them. Without MODEL, all saved models of CIFAR-10 are tried.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import arguments, publish, table
from cnn.data.images import RESIZE_WAYS, decode_image
from cnn.hardware import start_tensorflow
from cnn.prediction.predictor import Predictor
from cnn.prediction.saved import list_models

# WordNet numbers of ImageNet's classes. Antelopes are no deer here.
SHOWN: dict[str, tuple[Container[int], ...]] = {
    "airplane": ({2690373, 4552348},),
    "automobile": ({2814533, 2930766, 3100240, 3594945, 3670208, 3770679, 3777568, 4037443,
                    4285008},),
    "bird": (range(1514668, 1622780), range(1795545, 1860188), range(2002556, 2058222)),
    "cat": (range(2123045, 2124076),),
    "dog": (range(2085620, 2113979),),
    "frog": (range(1641577, 1644901),),
    "horse": ({2389026},),
    "ship": ({2687172, 2981792, 3095699, 3344393, 3662601, 3673027, 3947888, 4147183, 4273569,
              4483307},),
    "truck": ({3345487, 3417042, 3796401, 3930630, 4461696, 4467665},),
}


@dataclass(frozen=True)
class Photo:
    """A photo and the class that it shows."""

    pixels: Any
    shows: str


def read_photos(folder: Path) -> list[Photo]:
    """Return the photos of a folder that show a class of CIFAR-10."""
    photos = []
    for path in sorted(folder.iterdir()):
        shows = _class_of(path.name)
        if shows:
            photos.append(Photo(decode_image(path.read_bytes()), shows))
    return photos


def _class_of(name: str) -> str:
    if not (name.startswith("n") and name[1:9].isdigit()):
        return ""
    number = int(name[1:9])
    return next((shows for shows, kinds in SHOWN.items()
                 if any(number in kind for kind in kinds)), "")


def measure(predictor: Predictor, photos: list[Photo], how: str, average: bool) -> list[object]:
    """Return right answers, their mean over classes, and the mean log loss, for one way."""
    answers = predictor.predict([photo.pixels for photo in photos], how, average)
    names = predictor.card.class_names
    truth = np.array([names.index(photo.shows) for photo in photos])
    probabilities = np.stack([answer.probabilities for answer in answers])
    right = probabilities.argmax(axis=1) == truth
    by_class = [right[truth == label].mean() for label in np.unique(truth)]
    loss = -np.log(probabilities[np.arange(len(truth)), truth]).mean()
    return [f"{right.sum()} of {len(truth)} ({right.mean():.1%})", f"{np.mean(by_class):.1%}",
            f"{loss:.3f}"]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="*")
    options = parser.parse_args()
    start_tensorflow()
    photos = read_photos(options.folder)
    models = options.models or [model.name for model in list_models()
                                if model.card and model.card.dataset == "cifar10"]
    rows = [[f"`{name}`", how, "yes" if average else "no",
             *measure(Predictor(name), photos, how, average)]
            for name in models for how in RESIZE_WAYS for average in (False, True)]
    head = ["model", "brought to size by", "averaged", "right", "mean of classes", "log loss"]
    publish("photos", "python -m benchmarks.photos FOLDER", table(head, rows), options.write)


if __name__ == "__main__":
    main()
