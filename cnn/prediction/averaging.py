"""One answer from several views of a picture: mirrored, and moved by one pixel.

The views and weights of Keller Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (arXiv
2404.00498), section 3.5, where they add about half a point. Knows arrays only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Images

Predict = Callable[[Images], NDArray[np.float32]]
_TINY = 1e-30
_OFFSETS = ((1, 0.5), (0, 0.25), (2, 0.25))  # corner in the padded picture, and its weight


def view_count(mirror: bool) -> int:
    """Return how often `average_views` asks the network about each picture."""
    return len(_OFFSETS) * (2 if mirror else 1)


def average_views(predict: Predict, images: Images, mirror: bool) -> NDArray[np.float32]:
    """Return probabilities from the weighted mean of the logits of all views.

    Half of the weight is on the picture as it is, half on its two diagonal neighbours one pixel up
    and left, and down and right. Each counts half as itself and half mirrored.

    Args:
        predict: From uint8 (N, H, W, C) to probabilities (N, K).
        images: uint8 (N, H, W, C).
        mirror: Whether mirrored views belong to the same class: not so for digits.
    """
    logs = sum(weight * np.log(np.maximum(predict(view).astype(np.float64), _TINY))
               for weight, view in _views(images, mirror))
    logs -= np.logaddexp.reduce(logs, axis=1, keepdims=True)
    return np.exp(logs).astype(np.float32)


def _views(images: Images, mirror: bool) -> Iterator[tuple[float, Images]]:
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    for offset, weight in _OFFSETS:
        view = padded[:, offset:offset + height, offset:offset + width]
        if mirror:
            yield weight / 2, view
            yield weight / 2, view[:, :, ::-1]
        else:
            yield weight, view
