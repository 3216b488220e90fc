"""Weights of a whitening layer, from training images alone.

Knows arrays and a Keras layer's kernel and bias, not networks. After the first layer of Keller
Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (arXiv 2404.00498), section 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Images

MOST_PATCHES = 1_000_000  # more change the third digit of the covariance, and cost memory
_FLOOR = 5e-4  # added to each variance, so that what hardly varies is not blown up
_LEAST_SPREAD = 1e-3  # of a channel, on the scale 0..1: an empty one must not divide by zero
_PREFIX = "whitening"


def whitening_weights(
    images: Images, kernel: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return kernel and bias of a convolution that makes patches uncorrelated, with variance 1.

    For pixel values scaled to 0..1. Channels are first brought to mean 0 and deviation 1, then each
    eigenvector of the patches' covariance becomes two filters, it and its negative.

    Args:
        images: uint8 (N, H, W, C); so many of the first as are enough are used.
        kernel: Height and width of a patch, in pixels.

    Returns:
        float32 (kernel, kernel, C, 2 * kernel**2 * C) and float32 (2 * kernel**2 * C,).
    """
    enough = max(1, MOST_PATCHES // (images.shape[1] * images.shape[2]))
    pixels = images[:enough].astype(np.float32) / 255
    mean = pixels.mean(axis=(0, 1, 2), dtype=np.float64)
    spread = np.maximum(pixels.std(axis=(0, 1, 2), dtype=np.float64), _LEAST_SPREAD)
    patches = _patches(((pixels - mean) / spread).astype(np.float32), kernel)
    variances, directions = np.linalg.eigh(patches.T @ patches / len(patches))
    shape = (kernel, kernel, images.shape[-1], len(variances))
    filters = (directions / np.sqrt(np.maximum(variances, 0) + _FLOOR)).reshape(shape)
    filters /= spread[:, None]
    bias = -np.einsum("hwcd,c->d", filters, mean)
    return (np.concatenate([filters, -filters], axis=-1).astype(np.float32),
            np.concatenate([bias, -bias]).astype(np.float32))


def _patches(pixels: NDArray[np.float32], kernel: int) -> NDArray[np.float32]:
    """Return all patches as rows, in the order (y, x, channel) of a Keras kernel."""
    height, width = pixels.shape[1] - kernel + 1, pixels.shape[2] - kernel + 1
    parts = [pixels[:, y:y + height, x:x + width] for y in range(kernel) for x in range(kernel)]
    return np.concatenate(parts, axis=-1).reshape(-1, kernel * kernel * pixels.shape[-1])


def fit_whitening(model: Any, images: Images) -> None:
    """Give the whitening layers of a Keras model their weights; other models stay as they are.

    Args:
        model: What `cnn.models.build.build_model` returned.
        images: Training images, uint8 (N, H, W, C).
    """
    for layer in model.layers:
        if layer.name.startswith(_PREFIX):
            kernel, bias = whitening_weights(images, layer.kernel.shape[0])
            layer.kernel.assign(kernel)
            layer.bias.assign(bias)
