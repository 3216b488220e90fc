"""One image as training shows it, epoch after epoch: the very batches of training, looked into.

Without rotation the pictures are finished here. With rotation they still have to be moved by
`augmentation.apply_transforms`, which needs TensorFlow. Knows nothing of pages or engines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.config import Augmentation
from cnn.data.batches import Batches
from cnn.data.dataset import Dataset, Images


@dataclass(frozen=True)
class Shown:
    """One image in E epochs."""

    images: Images  # uint8 (E, H, W, C)
    transforms: NDArray[np.float32] | None  # (E, 8), still to be applied, where needed


def shown_in_training(
    data: Dataset, row: int, augmentation: Augmentation, batch_size: int, seed: int, epochs: int
) -> Shown:
    """Return what a training on all training images would see of one of them.

    Args:
        data: May be mapped from disk: one batch per epoch is read.
        row: Of the training image.
        augmentation: Random changes.
        batch_size: Most images in a batch.
        seed: Of order and changes.
        epochs: How many to show, from the first on.
    """
    batches = Batches(data.train_images, data.train_labels, batch_size, augmentation, seed)
    found = [batches.showing(row, epoch) for epoch in range(1, epochs + 1)]
    images = np.stack([batch.images[place] for batch, place in found])
    moved = [batch.transforms[place] for batch, place in found if batch.transforms is not None]
    return Shown(images, np.stack(moved) if moved else None)
