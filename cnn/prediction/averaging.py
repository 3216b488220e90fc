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
    return _probabilities((_logs(first) + _logs(second)) / 2)


def average_views(predict: Predict, images: Images, mirror: bool) -> NDArray[np.float32]:
    """Return probabilities from the weighted mean of the logits of all views.

    Args:
        predict: From uint8 (N, H, W, C) to probabilities (N, K).
        images: uint8 (N, H, W, C).
        mirror: Whether mirrored views belong to the same class: not so for digits.
    """
    return _probabilities(sum(
        (weight * _logs(predict(view)) for weight, view in views(images, mirror)), np.zeros(1)))


def _logs(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.log(np.maximum(probabilities.astype(np.float64), _TINY))


def _probabilities(logs: NDArray[np.float64]) -> NDArray[np.float32]:
    logs = logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)
    return np.exp(logs).astype(np.float32)
