"""The training images that a network takes for most like a picture.

Compares what the last layer of the network weighs, by the angle between the two rows of values. The
values of some thousand training images are computed a few seconds at a time, so that whoever wants
another answer is not kept waiting, and stored beside the data sets. Knows arrays and files; the
network is a function.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Dataset, Images
from cnn.data.splits import Rows
from cnn.data.store import STORE, writable_folder
from cnn.errors import CnnError
from cnn.files import atomic_path
from cnn.prediction.learned_from import split_of, training_data
from cnn.prediction.saved import MODEL_FILE, Card, model_folder

Features = NDArray[np.float32]  # (N, F)
FeaturesOf = Callable[[Images], Features]
MOST_IMAGES = 5000
MOST_VALUES = 5_000_000  # of all images together: 10 MB as 16-bit numbers
FILES_KEPT = 8
_AT_ONCE = 50  # images between two looks at the clock


@dataclass(frozen=True)
class Neighbour:
    """A training image, and how like a picture it is to the network."""

    row: int  # in the training split
    likeness: float  # cosine of the angle between their features, -1 to 1


class Gallery:
    """Training images of one model, to compare pictures with.

    Args:
        features_of: What the last layer of the network weighs.
        images: The training split, uint8 (N, H, W, C).
        rows: Which of them to compare with; as many as fit are taken.
        path: Where their features are kept; what is there already is taken from there.
    """

    def __init__(
        self, features_of: FeaturesOf, images: Images, rows: Rows, path: Path | None = None
    ) -> None:
        self._features_of, self._images, self._path = features_of, images, path
        width = features_of(np.asarray(images[:1])).shape[1]
        self.rows = rows[: max(1, MOST_VALUES // width)]
        self._features = np.zeros((len(self.rows), width), np.float16)
        self.done = 0  # how many images are known
        stored = _read(path) if path else None
        if stored is not None and stored.shape == self._features.shape:
            self._features, self.done = stored, len(stored)

    def grow(self, seconds: float) -> bool:
        """Look at images for about so long; return whether all are known then."""
        end = time.monotonic() + seconds
        while self.done < len(self.rows):
            part = slice(self.done, self.done + _AT_ONCE)
            images = np.asarray(self._images[self.rows[part]])
            self._features[part] = _unit(self._features_of(images))
            self.done += len(images)
            if self.done == len(self.rows) and self._path:
                with suppress(CnnError):  # a full disk: it is computed again another time
                    _store(self._path, self._features)
            elif time.monotonic() > end:
                break
        return self.done == len(self.rows)

    def nearest(self, image: Images, count: int) -> list[Neighbour]:
        """Return the images most like `image`, uint8 (H, W, C), the most alike first."""
        feature = _unit(self._features_of(image[None]))[0]
        likeness = self._features[: self.done].astype(np.float32) @ feature
        best = np.argsort(-likeness, kind="stable")[:count]
        return [Neighbour(int(self.rows[place]), float(likeness[place])) for place in best]


def open_gallery(card: Card, features_of: FeaturesOf) -> tuple[Gallery, Dataset]:
    """Return the training images of a model, with the data set they are from.

    Raises:
        NotFound, Unavailable, BadInput, Damaged: If its data set is not here as it was.
    """
    dataset = training_data(card)
    rows = split_of(card, dataset).train
    if len(rows) > MOST_IMAGES:
        chosen = np.random.default_rng(0).choice(len(rows), MOST_IMAGES, replace=False)
        rows = rows[np.sort(chosen)]
    path = None
    with suppress(CnnError):  # nothing can be written: it works all the same
        path = writable_folder(STORE) / f"neighbours-{_key(card, rows)}.npy"
    return Gallery(features_of, dataset.train_images, rows, path), dataset


def _key(card: Card, rows: Rows) -> str:
    digest = hashlib.sha256((model_folder(card.name) / MODEL_FILE).read_bytes())
    digest.update(card.dataset_fingerprint.encode() + rows.tobytes())
    return digest.hexdigest()[:16]


def _unit(features: Features) -> Features:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(lengths, 1e-9)


def _read(path: Path) -> NDArray[np.float16] | None:
    try:
        values: NDArray[np.float16] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return values if values.dtype == np.float16 else None


def _store(path: Path, features: NDArray[np.float16]) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, features)
    others = sorted(path.parent.glob("neighbours-*.npy"), key=lambda file: file.stat().st_mtime)
    for old in others[:-FILES_KEPT]:
        old.unlink(missing_ok=True)
