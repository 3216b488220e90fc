"""Random rotation, shift, mirroring and cutout of training images.

Without rotation, images move by whole pixels: one NumPy gather on uint8, which costs a hundredth of
a training step. With rotation, the random part makes one small matrix per image and the pixel part
is one TensorFlow operation for a whole batch. All randomness is NumPy's, so it is the same on every
machine and a preview can show exactly what training sees. Knows nothing of models or runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.config import Augmentation
from cnn.data.dataset import Images


def random_transforms(
    settings: Augmentation, mirrored: NDArray[np.bool_], height: int, width: int,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return one projective transform per image, as `ImageProjectiveTransformV3` wants them.

    Each row (a0, a1, a2, b0, b1, b2, 0, 0) says where an output pixel (x, y) comes from:
    x_in = a0 x + a1 y + a2, y_in = b0 x + b1 y + b2.

    Args:
        settings: By how much images may turn and move.
        mirrored: Which images to mirror, bool (N,).
        height: Of the images, in pixels.
        width: Of the images, in pixels.
        rng: Source of all randomness; always drawn from in the same order.

    Returns:
        float32 (N, 8).
    """
    count = len(mirrored)
    angle = np.deg2rad(rng.uniform(-1, 1, count) * settings.rotation)
    shift_x = rng.uniform(-1, 1, count) * settings.shift * width
    shift_y = rng.uniform(-1, 1, count) * settings.shift * height
    mirror = np.where(mirrored, -1.0, 1.0)

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


def move_whole_pixels(
    images: Images, chosen: NDArray[np.int64], shift: float, mirrored: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Images:
    """Return some of the images, each moved by whole pixels and perhaps mirrored.

    What comes in at an edge is the image itself, reflected there.

    Args:
        images: uint8 (M, H, W, C).
        chosen: Which of them, (N,).
        shift: Largest shift as a fraction of height and width.
        mirrored: Which of the chosen to mirror, bool (N,).
        rng: Source of the shifts.

    Returns:
        uint8 (N, H, W, C), a copy.
    """
    rows, columns = (_places(size, shift, len(chosen), rng) for size in images.shape[1:3])
    columns[mirrored] = columns[mirrored][:, ::-1]
    return images[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]


def _places(size: int, shift: float, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return for each image where each of its pixels along one axis comes from."""
    most = min(round(shift * size), size - 1)
    places = np.abs(np.arange(size) + rng.integers(-most, most + 1, (count, 1)))
    return np.where(places >= size, 2 * (size - 1) - places, places)


def cut_out(
    images: Images, side: float, color: NDArray[np.uint8], rng: np.random.Generator
) -> None:
    """Fill a square at a random place of each image, in place.

    After DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout"
    (arXiv 1708.04552); here the square always lies inside the image.

    Args:
        images: uint8 (N, H, W, C).
        side: Of the square, as a fraction of height and width.
        color: What to fill it with, uint8 (C,).
        rng: Source of the places.
    """
    inside = [_span(size, round(side * size), len(images), rng) for size in images.shape[1:3]]
    images[inside[0][:, :, None] & inside[1][:, None, :]] = color


def _span(size: int, length: int, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return for each image which pixels along one axis lie in a span of this length."""
    begin = rng.integers(0, size - length + 1, (count, 1))
    places = np.arange(size)
    return (places >= begin) & (places < begin + length)


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
