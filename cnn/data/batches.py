"""Training batches, each prepared while the step before it runs, so that no step waits.

What is in a batch depends on (seed, epoch, number of the batch) alone: a run that is resumed goes
on with the very images it would have seen. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.config import Augmentation
from cnn.data.augmentation import cut_out, move_whole_pixels, random_transforms
from cnn.data.dataset import Images, Labels


@dataclass(frozen=True)
class Batch:
    """What one training step gets."""

    images: Images
    labels: Labels
    transforms: NDArray[np.float32] | None  # for `augmentation.apply_transforms`, where needed


class Batches:
    """Divides training images into batches, in a new order each epoch.

    Args:
        images: uint8 (N, H, W, C); may be memory-mapped.
        labels: int64 (N,).
        size: Most images in a batch; all have this size or one less where N is no multiple of it.
        augmentation: Random changes; may be set anew while training.
        seed: Of order and changes.
    """

    def __init__(
        self, images: Images, labels: Labels, size: int, augmentation: Augmentation, seed: int
    ) -> None:
        self._images, self._labels = images, labels
        self.augmentation, self._seed = augmentation, seed
        self.count = -(-len(labels) // size)  # batches in one epoch
        self._first_mirrored = np.random.default_rng([seed, 0]).random(len(labels)) < 0.5
        self._mean = images[:1000].mean(axis=(0, 1, 2)).astype(np.uint8)

    def of(self, epoch: int, done: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 1, but for the first `done` of them."""
        if done >= self.count:
            return
        parts = self._parts(epoch)
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(self._make, epoch, done, parts[done])
            for number in range(done, self.count):
                batch = ahead.result()
                if number + 1 < self.count:
                    ahead = pool.submit(self._make, epoch, number + 1, parts[number + 1])
                yield batch

    def showing(self, row: int, epoch: int) -> tuple[Batch, int]:
        """Return the batch of an epoch that has a certain image, and the image's place in it.

        Args:
            row: Of the image, 0 to N - 1.
            epoch: Counted from 1.
        """
        for number, chosen in enumerate(self._parts(epoch)):
            place = np.flatnonzero(chosen == row)
            if len(place):
                return self._make(epoch, number, chosen), int(place[0])
        raise IndexError(f"there is no image {row} among {len(self._labels)}")

    def _parts(self, epoch: int) -> list[NDArray[np.int64]]:
        """Return the rows of each batch of an epoch."""
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._labels))
        return np.array_split(order, self.count)

    def _make(self, epoch: int, number: int, chosen: NDArray[np.int64]) -> Batch:
        settings, labels = self.augmentation, self._labels[chosen]
        if not settings.active:
            return Batch(self._images[chosen], labels, None)
        # From 1: NumPy takes [seed, epoch, 0] for [seed, epoch], which drew the order.
        rng = np.random.default_rng([self._seed, epoch, number + 1])
        mirrored = (self._first_mirrored[chosen] ^ (epoch % 2 == 0)) & settings.flip
        height, width = self._images.shape[1:3]
        if settings.rotation:
            images = self._images[chosen]
            transforms = random_transforms(settings, mirrored, height, width, rng)
        else:
            images = move_whole_pixels(self._images, chosen, settings.shift, mirrored, rng)
            transforms = None
        if settings.cutout:
            cut_out(images, settings.cutout, self._mean, rng)
        return Batch(images, labels, transforms)
