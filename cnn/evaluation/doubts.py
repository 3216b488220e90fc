"""Test images worth a second look: right answers that nearly went wrong, labels that may be wrong.

From stored test probabilities alone; knows neither images nor pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels
from cnn.evaluation.results import Evaluation

_ROUNDING = 1e-6  # a mean of equal numbers can be a little more than each of them


@dataclass(frozen=True)
class Suspects:
    """Test images whose label may be wrong, the most suspicious first."""

    rows: Labels  # (n,), in the test split
    instead: Labels  # (n,), the class that each looks like


def doubtful(found: Evaluation) -> Labels:
    """Return the rows of right answers, the narrowest lead over the runner-up first."""
    right = np.flatnonzero(found.predicted == found.labels)
    best_two = np.partition(found.probabilities[right], -2, axis=1)[:, -2:]
    return right[np.argsort(best_two[:, 1] - best_two[:, 0], kind="stable")]


def suspected_labels(found: Evaluation) -> Suspects:
    """Return the test images whose label may be wrong, by the rule of confident learning.

    What a class's own images usually get is its threshold: the mean probability of the class over
    the test images with its label. An image is counted for the class that it gives the most, among
    those whose threshold it reaches; where that is not its label, the label is under suspicion.
    (Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels",
    JAIR 2021, arXiv 1911.00068.) Ordered by how much more the other class gets than the label.

    It is a suspicion and no more: where a network errs with confidence, it accuses right labels.
    The rule needs answers to images that the network did not learn from, as test images are.
    """
    probabilities = found.probabilities.astype(np.float64)
    reached = probabilities >= _thresholds(probabilities, found.labels) - _ROUNDING
    counted_for = np.where(reached, probabilities, -1).argmax(axis=1)
    rows = np.flatnonzero(reached.any(axis=1) & (counted_for != found.labels))
    instead = counted_for[rows]
    lead = probabilities[rows, instead] - probabilities[rows, found.labels[rows]]
    order = np.argsort(-lead, kind="stable")
    return Suspects(rows[order], instead[order])


def _thresholds(probabilities: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """Return the threshold of each class, (K,); a class without images is never reached."""
    classes = probabilities.shape[1]
    counts = np.bincount(labels, minlength=classes)
    own = np.bincount(labels, probabilities[np.arange(len(labels)), labels], classes)
    return np.divide(own, counts, out=np.full(classes, np.inf), where=counts > 0)
