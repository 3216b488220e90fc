"""What a data set is to everything else: four arrays, class names and where they came from.

Knows nothing of files, downloads or training; `catalogue` makes data sets, `splits` divides them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]  # (N, height, width, channels), 0 to 255; channels 1 (grey) or 3 (RGB)
Labels = NDArray[np.int64]  # (N,), index into the class names


@dataclass(frozen=True)
class Dataset:
    """Images with labels, divided into a training and a test split.

    The arrays may be memory-mapped and are read-only: copy before changing. The images of an
    imported set are a `cnn.data.rows.RowView`, which is indexed and converted like an array.
    """

    name: str
    class_names: tuple[str, ...]
    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    fingerprint: str  # sha256 over the arrays and class names
    resize: str = "crop"  # how a picture of another size is brought to this one: crop, fit, stretch
    dark_background: bool = False  # light strokes on black, as handwritten digits are
    split: str = ""  # how the test split was made, for the card; "" where its authors made it
    train_groups: Labels | None = None  # (N,), equal for images that must not be divided
    held_back: NDArray[np.bool_] | None = None  # (N,), training images that the source itself
    # keeps for validation; None: each run draws its own
    class_weights: tuple[float, ...] | None = None  # what an error in each class costs; None: 1
    train_items: Labels | None = None  # (N,), place of each in the list of imported files
    test_items: Labels | None = None

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every image."""
        height, width, channels = self.train_images.shape[1:]
        return int(height), int(width), int(channels)
