"""How well the probability of a class tells its images from all others, at every threshold.

Precision-recall and ROC curves, one class against the rest, with average precision and the area
under the ROC curve: the numbers of scikit-learn, by NumPy alone, since pages may not import it.
Knows no files and no charts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.evaluation.results import Evaluation

MOST_POINTS = 240  # of a curve; more cannot be told apart on a screen
Shares = NDArray[np.float64]  # (n,), 0 to 1


@dataclass(frozen=True)
class Ranking:
    """One class against the rest, its threshold falling from "never" to "always"."""

    recall: Shares  # of the images of the class, how many are found; the x of precision
    precision: Shares  # of those found, how many are of the class
    false_alarms: Shares  # of all other images, how many are taken for it; the x of found
    found: Shares  # recall once more, at the points of false_alarms
    average_precision: float
    area: float  # under the ROC curve


def ranking(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> Ranking | None:
    """Return the curves of one class, or None where it has no images or nothing else has.

    Args:
        scores: (N,), its probability for each image.
        positive: (N,), whether each image is of the class.
    """
    total = int(positive.sum())
    others = len(positive) - total
    if not total or not others:
        return None
    order = np.argsort(-scores, kind="stable")
    # Images with equal scores cross the threshold together.
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(positive[order])[ends]
    alarms = ends + 1 - hits
    precision, recall = hits / (ends + 1), hits / total
    found, false = np.append(0, recall), np.append(0, alarms / others)
    average = float((np.diff(recall, prepend=0) * precision).sum())
    area = float((np.diff(false) * (found[1:] + found[:-1]) / 2).sum())
    return Ranking(*_thinned(found, np.append(1, precision)), *_thinned(false, found),
                   average, area)


def rankings(found: Evaluation) -> tuple[Ranking | None, ...]:
    """Return the curves of every class."""
    return tuple(ranking(found.probabilities[:, label], found.labels == label)
                 for label in range(len(found.class_names)))


def _thinned(x: Shares, y: Shares) -> tuple[Shares, Shares]:
    """Leave out points so that those left lie at equal steps along the curve."""
    if len(x) <= MOST_POINTS:
        return x, y
    way = np.append(0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    kept = np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS - 1))
    kept = np.unique(np.append(kept, len(x) - 1))
    return x[kept], y[kept]
