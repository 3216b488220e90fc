"""Where a model is weaker: its accuracy on parts of the test images, with 95 % intervals.

Parts come from a number or a group of each image. Knows neither images nor pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels
from cnn.evaluation.results import wilson_interval

PARTS = 4


@dataclass(frozen=True)
class Slice:
    """Some of the test images."""

    rows: Labels  # (n,), in the test split, at least one
    right: int  # how many were answered rightly
    low: float  # smallest and largest value of what they were divided by, or their group twice
    high: float

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return self.right / len(self.rows)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.right, len(self.rows))

    def stands_out(self, accuracy: float) -> bool:
        """Whether the interval leaves out the accuracy on all test images."""
        low, high = self.interval
        return not low <= accuracy <= high


def by_value(
    values: NDArray[np.floating] | NDArray[np.integer], right: NDArray[np.bool_]
) -> list[Slice]:
    """Return quarters of the images by a value, the lowest first.

    Equal values stay together, so there can be fewer parts, and of different sizes.

    Args:
        values: (N,), of each test image.
        right: (N,), whether each was answered rightly.
    """
    inner = np.arange(1, PARTS) / PARTS
    edges = np.unique(np.quantile(values, inner, method="inverted_cdf"))
    return _slices(np.searchsorted(edges, values), values, right)


def by_group(groups: Labels, right: NDArray[np.bool_]) -> list[Slice]:
    """Return the images of each group.

    Those come first that are surely the weakest: by the upper end of their interval, which is high
    where a few images tell little.

    Args:
        groups: (N,), number of the group of each test image.
        right: (N,), whether each was answered rightly.
    """
    return sorted(_slices(groups, groups, right), key=lambda one: one.interval[1])


def _slices(
    codes: Labels, values: NDArray[np.floating] | NDArray[np.integer], right: NDArray[np.bool_]
) -> list[Slice]:
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order])) + 1
    return [Slice(rows, int(right[rows].sum()), float(values[rows].min()),
                  float(values[rows].max()))
            for rows in np.split(order, starts)]
