"""Precision, recall and F1 of each class with what chance leaves open: 95 % confidence intervals.

Works on a confusion matrix alone; knows no files and no pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.evaluation.results import wilson_interval


@dataclass(frozen=True)
class Score:
    """A share, 0 to 1, and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassScores:
    """How one class fares. What cannot be known is None: nothing was asked, or nothing answered."""

    name: str
    images: int  # test images of this class
    answers: int  # test images that were given this answer
    precision: Score | None  # of the answers, how many are of this class
    recall: Score | None  # of the images, how many got this answer
    f1: Score | None


def class_scores(
    class_names: Sequence[str], confusion: NDArray[np.int64]
) -> tuple[ClassScores, ...]:
    """Return the scores of each class.

    Precision and recall are shares of independent images and have Wilson's interval; F1 is none,
    see `f1_interval`.

    Args:
        class_names: K names.
        confusion: (K, K), row: true class, column: answer.
    """
    right = np.diag(confusion).tolist()
    images, answers = confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist()
    return tuple(
        ClassScores(name, own, given, _share(hits, given), _share(hits, own),
                    _f1(hits, given + own - hits))
        for name, hits, own, given in zip(class_names, right, images, answers, strict=True))


def _share(hits: int, total: int) -> Score | None:
    return Score(hits / total, *wilson_interval(hits, total)) if total else None


def _f1(hits: int, concerned: int) -> Score | None:
    if not concerned:
        return None
    return Score(_f1_of(hits / concerned), *f1_interval(hits, concerned - hits))


def f1_interval(hits: int, misses: int) -> tuple[float, float]:
    """Return the 95 % interval of an F1, 0 to 1, by the Wilson indirect method.

    F1 = 2s / (1 + s), where s is the share of right answers among the images that have to do with
    the class: those that are of it and those that were called it. s is a plain share with Wilson's
    interval, and F1 grows with it. (Lam, Gopal and Qian, "Confidence intervals for the F1 score: a
    comparison of four methods", arXiv 2309.14621.)

    Args:
        hits: Images of the class that got its answer.
        misses: Images of the class that got another, and others that got its answer.
            At least one image in both together.
    """
    low, high = wilson_interval(hits, hits + misses)
    return _f1_of(low), _f1_of(high)


def _f1_of(share: float) -> float:
    return 2 * share / (1 + share)
