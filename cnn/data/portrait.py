"""What the training images of each class have in common: their mean, and how often each level is.

Reads the images in blocks, so that any set fits into memory, and looks at nothing of the test
split. Knows nothing of how a portrait is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.data import looks
from cnn.data.dataset import Dataset, Images, Labels
from cnn.data.progress import Progress, silent

LEVELS = 256
_BLOCK = 2**23  # values that are looked at together: 8 MB as they are, 64 MB while counted
_SUMS = 2**24  # values of mean images that are summed up in one pass over the set: 128 MB
_NAME = "portrait"


@dataclass(frozen=True)
class Portrait:
    """Figures of the training images of K classes; a class without images has zeros."""

    means: Images  # uint8 (K, H, W, C): the mean image of each class, rounded
    levels: Labels  # int64 (K, C, 256): how many pixels have each level

    def histogram(self, label: int | None, bins: int) -> NDArray[np.float64]:
        """Return how the pixels of a class are spread over equal ranges of levels.

        Args:
            label: Of the class; None for all classes together.
            bins: How many ranges; must divide 256.

        Returns:
            float64 (C, bins), shares that add up to 1 in each channel.
        """
        levels = self._levels(label)
        counts = levels.reshape(len(levels), bins, -1).sum(axis=2)
        return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))

    def mean_and_deviation(
        self, label: int | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation of each channel, 0 to 255, float64 (C,) each."""
        levels, values = self._levels(label), np.arange(LEVELS)
        pixels = np.maximum(levels.sum(axis=1), 1)
        mean = levels @ values / pixels
        squares = (levels * (values - mean[:, None]) ** 2).sum(axis=1) / pixels
        return mean, np.sqrt(squares)

    def _levels(self, label: int | None) -> Labels:
        return self.levels.sum(axis=0) if label is None else self.levels[label]


def known_portrait(data: Dataset) -> Portrait | None:
    """Return the portrait of a data set if it was made before."""
    kept = looks.find(data.fingerprint, _NAME)
    if kept is None or set(kept) != {"means", "levels"}:
        return None
    portrait = Portrait(kept["means"], kept["levels"])
    return portrait if _fits(portrait, data) else None


def _fits(portrait: Portrait, data: Dataset) -> bool:
    classes, channels = len(data.class_names), data.image_shape[2]
    return (portrait.means.shape == (classes, *data.image_shape)
            and portrait.levels.shape == (classes, channels, LEVELS))


def make_portrait(data: Dataset, progress: Progress = silent) -> Portrait:
    """Look at all training images once, keep the result and return it.

    Args:
        data: Its arrays may be larger than the memory.
        progress: Told how many images have been looked at. Defaults to nobody.
    """
    classes, shape = len(data.class_names), data.image_shape
    portrait = Portrait(np.zeros((classes, *shape), np.uint8),
                        np.zeros((classes, shape[2], LEVELS), np.int64))
    together, seen = max(_SUMS // int(np.prod(shape)), 1), 0
    for first in range(0, classes, together):
        told = _counting(progress, seen, len(data.train_labels))
        seen += _look(data, portrait, first, min(first + together, classes), told)
    looks.keep(data.fingerprint, _NAME, {"means": portrait.means, "levels": portrait.levels})
    return portrait


def _counting(progress: Progress, before: int, total: int) -> Callable[[int], None]:
    return lambda done: progress("Looking at the training images", before + done, total)


def _look(
    data: Dataset, portrait: Portrait, first: int, end: int, told: Callable[[int], None]
) -> int:
    """Fill in the classes from `first` to before `end`; return how many images they have.

    In the order in which the images lie on the disk: going through it class after class would read
    each part of it several times.
    """
    shape = data.image_shape
    rows = np.flatnonzero((data.train_labels >= first) & (data.train_labels < end))
    sums = np.zeros((end - first, *shape), np.int64)
    block = max(_BLOCK // int(np.prod(shape)), 1)
    for start in range(0, len(rows), block):
        part = rows[start:start + block]
        images, labels = data.train_images[part], data.train_labels[part]
        for label in np.unique(labels):
            own = images[labels == label]
            sums[label - first] += own.sum(axis=0, dtype=np.int64)
            _count_levels(own, portrait.levels[label])
        told(start + len(part))
    counts = np.bincount(data.train_labels[rows] - first, minlength=end - first)
    portrait.means[first:end] = np.round(sums / np.maximum(counts, 1)[:, None, None, None])
    return len(rows)


def _count_levels(images: Images, levels: Labels) -> None:
    for channel in range(len(levels)):
        levels[channel] += np.bincount(images[..., channel].ravel(), minlength=LEVELS)
