"""Whether two models differ by more than chance, and which of many are worth their cost.

Works on stored test results and plain numbers: no Keras, no folders, no pages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.errors import BadInput
from cnn.evaluation.results import Evaluation

SIGNIFICANT = 0.05  # the customary bound of a p-value


@dataclass(frozen=True)
class Duel:
    """Two models' answers to the same test images."""

    both: int  # images that both get right
    only_first: int
    only_second: int
    neither: int
    p_value: float  # how often a difference as large comes from equally good models

    @property
    def distinguishable(self) -> bool:
        """Whether these test images tell the two apart."""
        return self.p_value < SIGNIFICANT


def duel(first: Evaluation, second: Evaluation) -> Duel:
    """Compare two models on the test images they share, by the exact McNemar test.

    Raises:
        BadInput: If they were not tested on the same images.
    """
    one, other = right_answers(first, second)
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    return Duel(int((one & other).sum()), only_first, only_second, int((~one & ~other).sum()),
                mcnemar(only_first, only_second))


def right_answers(
    first: Evaluation, second: Evaluation
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which test images each of two models gets right, bool (N,) each.

    Raises:
        BadInput: If they were not tested on the same images, as far as their labels tell.
    """
    if first.class_names != second.class_names or not np.array_equal(first.labels, second.labels):
        raise BadInput("The two models were not tested on the same images.",
                       "Compare models of one data set, in one version of it.")
    return first.predicted == first.labels, second.predicted == second.labels


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of the exact McNemar test.

    Only images on which the models differ say which is better; were both equally good, each of them
    would go to either like a tossed coin (McNemar, Psychometrika 12, 1947).

    Args:
        only_first: Images that only the first model gets right.
        only_second: Images that only the second gets right.
    """
    tosses, fewer = only_first + only_second, min(only_first, only_second)
    ways = [math.lgamma(tosses + 1) - math.lgamma(k + 1) - math.lgamma(tosses - k + 1)
            for k in range(fewer + 1)]
    return min(1.0, 2 * math.fsum(math.exp(way - tosses * math.log(2)) for way in ways))


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> list[bool]:
    """Return for each whether no other beats it: by cost, by gain, or both, and in neither worse.

    Args:
        costs: Lower is better.
        gains: Higher is better; one for each cost.
    """
    points = list(zip(costs, gains, strict=True))
    return [not any((cost <= own_cost and gain > own_gain) or (cost < own_cost and gain >= own_gain)
                    for cost, gain in points)
            for own_cost, own_gain in points]
