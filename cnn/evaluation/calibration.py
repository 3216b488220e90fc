"""How far confidences can be believed, and the one number that mends them.

After Guo et al., "On calibration of modern neural networks" (arXiv 1706.04599). NumPy and SciPy
only; knows nothing of models.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels

Probabilities = NDArray[np.float32]  # (N, K), rows sum to 1
BINS = 15
LOWEST, HIGHEST = 0.05, 20.0  # temperatures
_TINY = 1e-30  # smallest probability that a logarithm is taken of


def expected_calibration_error(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean gap between confidence and accuracy, 0 to 1.

    Images are put into 15 bins of equal width by their highest probability; each bin counts by its
    number of images.

    Args:
        probabilities: (N, K).
        labels: The right classes, (N,).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, right - confidence.astype(np.float64), BINS)
    return float(np.abs(gaps).sum() / len(labels))


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """Return what to divide logits by so that the cross-entropy on these images is lowest.

    Above 1 the network was too sure of itself, below 1 not sure enough. Never fit it on the test
    split.

    Args:
        probabilities: (N, K), before calibration.
        labels: The right classes, (N,).
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(probabilities.astype(np.float64), _TINY))
    rows = np.arange(len(labels))

    def cross_entropy(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        return float(np.mean(np.logaddexp.reduce(scaled, axis=1) - scaled[rows, labels]))

    bounds = (np.log(LOWEST), np.log(HIGHEST))
    return float(np.exp(minimize_scalar(cross_entropy, bounds=bounds, method="bounded").x))


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Return the probabilities that logits divided by `temperature` give."""
    logs = np.log(np.maximum(probabilities.astype(np.float64), _TINY)) / temperature
    logs -= np.logaddexp.reduce(logs, axis=1, keepdims=True)
    return np.exp(logs).astype(np.float32)
