"""Random rotation, shift and flip of training images.

The random part is NumPy and makes one small matrix per image, so it is the same on every machine
and with every backend, and a preview can show exactly what training sees. The pixel part is one
TensorFlow operation for a whole batch. Knows nothing of models or runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.config import Augmentation


def random_transforms(
    settings: Augmentation, count: int, height: int, width: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return one projective transform per image, as `ImageProjectiveTransformV3` wants them.

    Each row (a0, a1, a2, b0, b1, b2, 0, 0) says where an output pixel (x, y) comes from:
    x_in = a0 x + a1 y + a2, y_in = b0 x + b1 y + b2.

    Args:
        settings: What may change, and by how much.
        count: Number of images.
        height: Of the images, in pixels.
        width: Of the images, in pixels.
        rng: Source of all randomness; always drawn from in the same order.

    Returns:
        float32 (count, 8).
    """
    angle = np.deg2rad(rng.uniform(-1, 1, count) * settings.rotation)
    shift_x = rng.uniform(-1, 1, count) * settings.shift * width
    shift_y = rng.uniform(-1, 1, count) * settings.shift * height
    mirror = np.where((rng.random(count) < 0.5) & settings.flip, -1.0, 1.0)

    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    cos, sin = np.cos(angle), np.sin(angle)
    # Output -> shifted back -> rotated about the centre -> mirrored about the vertical axis.
    a0, a1 = mirror * cos, -mirror * sin
    b0, b1 = sin, cos
    x0, y0 = -centre_x - shift_x, -centre_y - shift_y
    a2 = a0 * x0 + a1 * y0 + centre_x
    b2 = b0 * x0 + b1 * y0 + centre_y
    zero = np.zeros(count)
    return np.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1).astype(np.float32)


def apply_transforms(images: Any, transforms: Any) -> Any:
    """Move the pixels of a batch; what lies outside an image repeats its nearest edge pixel.

    Args:
        images: float32 tensor (N, H, W, C). Not uint8: the operation cuts fractions off, which
            would darken every image by half a level.
        transforms: float32 (N, 8) from `random_transforms`.

    Returns:
        float32 tensor (N, H, W, C).
    """
    import tensorflow as tf

    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
