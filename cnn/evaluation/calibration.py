"""How far confidences can be believed, and the one number that mends them.

After Guo et al., "On calibration of modern neural networks" (arXiv 1706.04599). NumPy, and SciPy
where a temperature is fitted; knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels

Probabilities = NDArray[np.float32]  # (N, K), rows sum to 1
BINS = 15
LOWEST, HIGHEST = 0.05, 20.0  # temperatures
_TINY = 1e-30  # smallest probability that a logarithm is taken of


@dataclass(frozen=True)
class Reliability:
    """How often a model is right, by how sure it was: 15 bins of equal width from 0 to 1."""

    counts: NDArray[np.int64]  # (15,) images whose highest probability falls into each bin
    sure: NDArray[np.float64]  # (15,) sums of these probabilities
    right: NDArray[np.int64]  # (15,) how many of these images were answered rightly

    @property
    def total(self) -> int:
        """Number of images."""
        return int(self.counts.sum())

    @property
    def error(self) -> float:
        """The expected calibration error, 0 to 1: the mean gap of the bins, by their images."""
        return float(np.abs(self.right - self.sure).sum() / self.total)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Mean confidence in each bin, (15,); not a number where a bin is empty."""
        return self._mean(self.sure)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of right answers in each bin, (15,); not a number where a bin is empty."""
        return self._mean(self.right)

    def _mean(self, sums: NDArray[Any]) -> NDArray[np.float64]:
        return np.divide(sums, self.counts, out=np.full(BINS, np.nan), where=self.counts > 0)


def reliability(probabilities: Probabilities, labels: Labels) -> Reliability:
    """Count confidences and right answers by bins of confidence.

    Args:
        probabilities: (N, K).
        labels: The right classes, (N,).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return Reliability(
        counts=np.bincount(bins, minlength=BINS),
        sure=np.bincount(bins, confidence, BINS).astype(np.float64),
        right=np.bincount(bins[right], minlength=BINS))


def expected_calibration_error(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean gap between confidence and accuracy, 0 to 1; see `Reliability`."""
    return reliability(probabilities, labels).error


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """Return what to divide logits by so that the cross-entropy on these images is lowest.

    Above 1 the network was too sure of itself, below 1 not sure enough. Never fit it on the test
    split.

    The mean confidence stays at or below (N + 1) / (N + 2), what N right answers of N are evidence
    for (Laplace's rule of succession): where all are right, the cross-entropy alone would have
    every answer called certain, and one wrong one would cost dearly.

    Args:
        probabilities: (N, K), before calibration, or (views, N, K), where each image was shown in
            several ways: more answers leave less to chance, but are no evidence for more images.
        labels: The right classes, (N,).
    """
    logs = np.log(np.maximum(probabilities.astype(np.float64), _TINY))
    rows = np.arange(len(labels))

    def cross_entropy(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        return float(np.mean(np.logaddexp.reduce(scaled, axis=-1) - scaled[..., rows, labels]))

    def excess(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        confidence = np.exp(scaled.max(axis=-1) - np.logaddexp.reduce(scaled, axis=-1))
        return float(confidence.mean()) - (len(labels) + 1) / (len(labels) + 2)

    best = _lowest_point(cross_entropy)
    if excess(best) > 0:  # confidence only falls with the temperature
        best = _lowest_point(lambda place: abs(excess(place)))
    return float(np.exp(best))


def _lowest_point(function: Callable[[float], float]) -> float:
    """Return where a function of the temperature's logarithm is lowest."""
    from scipy.optimize import minimize_scalar

    bounds = (np.log(LOWEST), np.log(HIGHEST))
    return float(minimize_scalar(function, bounds=bounds, method="bounded").x)


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Return the probabilities that logits divided by `temperature` give, of the same shape."""
    logs = np.log(np.maximum(probabilities.astype(np.float64), _TINY)) / temperature
    logs -= np.logaddexp.reduce(logs, axis=-1, keepdims=True)
    return np.exp(logs).astype(np.float32)
