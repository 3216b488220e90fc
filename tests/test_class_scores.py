"""Scores of classes with intervals, against scikit-learn, SciPy and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from cnn.evaluation.class_scores import class_scores, f1_interval

NAMES = ("ant", "bee", "cat", "dog")


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    labels = random.integers(0, 3, 200)
    return labels, np.where(random.random(200) < 0.8, labels, random.integers(0, 3, 200))


def scores_of(labels: np.ndarray, answers: np.ndarray):
    confusion = np.zeros((4, 4), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    return class_scores(NAMES, confusion)


def test_values_are_those_of_scikit_learn(answers) -> None:
    from sklearn.metrics import precision_recall_fscore_support

    expected = precision_recall_fscore_support(*answers, labels=range(3))
    for place, one in enumerate(scores_of(*answers)[:3]):
        found = one.precision.value, one.recall.value, one.f1.value, one.images
        assert found == pytest.approx([column[place] for column in expected])


def test_intervals_of_precision_and_recall_are_wilson_s_of_scipy(answers) -> None:
    from scipy.stats import binomtest

    confusion = np.zeros((3, 3), int)
    np.add.at(confusion, answers, 1)
    for place, one in enumerate(scores_of(*answers)[:3]):
        for score, total in ((one.recall, one.images), (one.precision, one.answers)):
            expected = binomtest(int(confusion[place, place]), total).proportion_ci(
                method="wilson")
            assert (score.low, score.high) == pytest.approx((expected.low, expected.high),
                                                            abs=1e-6)


def test_the_interval_of_f1_is_that_of_the_share_it_grows_with() -> None:
    from scipy.stats import binomtest

    expected = binomtest(30, 50).proportion_ci(method="wilson")
    low, high = f1_interval(30, 20)
    assert low == pytest.approx(2 * expected.low / (1 + expected.low), abs=1e-6)
    assert high == pytest.approx(2 * expected.high / (1 + expected.high), abs=1e-6)
    assert low < 2 * 30 / (2 * 30 + 20) < high
    assert f1_interval(0, 9)[0] == 0 and f1_interval(9, 0)[1] == pytest.approx(1)


def test_the_interval_of_f1_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    shares = np.array([0.25, 0.06, 0.09, 0.6])  # hits, misses, false alarms, the rest
    truth = 2 * shares[0] / (2 * shares[0] + shares[1] + shares[2])
    drawn = random.multinomial(300, shares, 1000)
    held = [low <= truth <= high for low, high in (
        f1_interval(int(hits), int(misses + alarms)) for hits, misses, alarms, _ in drawn)]
    assert 0.93 < np.mean(held) < 0.97


def test_what_was_never_asked_or_answered_has_no_score() -> None:
    never = class_scores(("a", "b", "c"), np.array([[3, 1, 0], [0, 0, 0], [0, 0, 0]]))
    assert never[0].recall is not None and never[0].precision is not None
    assert never[1].recall is None and never[1].precision.value == 0 and never[1].f1.value == 0
    assert (never[2].recall, never[2].precision, never[2].f1) == (None, None, None)
