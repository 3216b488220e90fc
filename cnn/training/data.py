"""The arrays of one run: what is trained on, and what is held back to choose the best epoch by.

Never holds test images. Knows nothing of networks.
"""

from __future__ import annotations

from dataclasses import dataclass

from cnn.config import RunConfig
from cnn.data.dataset import Dataset, Images, Labels
from cnn.data.splits import hold_back


@dataclass(frozen=True)
class TrainingData:
    """Arrays for one run, images as uint8 (N, H, W, C) in 0..255."""

    train_images: Images
    train_labels: Labels
    val_images: Images
    val_labels: Labels
    class_weights: tuple[float, ...] | None = None  # what an error in each class costs; None: 1


def training_data(dataset: Dataset, config: RunConfig) -> TrainingData:
    """Return the training images of a data set as a run with these settings divides them.

    Raises:
        BadInput: If there are too few images or groups for this.
    """
    split = hold_back(dataset, config.validation_fraction, config.train_images, config.seed)
    images, labels = dataset.train_images, dataset.train_labels
    return TrainingData(  # copies in memory: picking by index reads the map once
        images[split.train], labels[split.train],
        images[split.validation], labels[split.validation], dataset.class_weights)
