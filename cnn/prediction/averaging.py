"""One answer from several views of a picture. Knows arrays only; the views are `cnn.data.views`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Images
from cnn.data.views import views

Predict = Callable[[Images], NDArray[np.float32]]
_TINY = 1e-30


def geometric_mean(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities from the mean of the logits of two answers, all (N, K)."""
    logs = np.log(np.maximum(first.astype(np.float64), _TINY)) / 2
    logs += np.log(np.maximum(second.astype(np.float64), _TINY)) / 2
    logs -= np.logaddexp.reduce(logs, axis=1, keepdims=True)
    return np.exp(logs).astype(np.float32)


def average_views(predict: Predict, images: Images, mirror: bool) -> NDArray[np.float32]:
    """Return probabilities from the weighted mean of the logits of all views.

    Args:
        predict: From uint8 (N, H, W, C) to probabilities (N, K).
        images: uint8 (N, H, W, C).
        mirror: Whether mirrored views belong to the same class: not so for digits.
    """
    logs = sum(weight * np.log(np.maximum(predict(view).astype(np.float64), _TINY))
               for weight, view in views(images, mirror))
    logs -= np.logaddexp.reduce(logs, axis=1, keepdims=True)
    return np.exp(logs).astype(np.float32)
