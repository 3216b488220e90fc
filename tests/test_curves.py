"""Precision-recall and ROC curves: the numbers of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from model_folders import make_evaluation

from cnn.evaluation.curves import MOST_POINTS, ranking, rankings


def drawn(count: int, digits: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, many of them equal when rounded to few digits, and which are positive."""
    random = np.random.default_rng(seed)
    positive = random.random(count) < 0.2
    scores = random.normal(positive * 1.5, 1)
    return np.round(1 / (1 + np.exp(-scores)), digits).astype(np.float32), positive


@pytest.mark.parametrize("count, digits", [(50, 8), (50, 1), (3000, 8), (3000, 2), (2, 8)])
def test_areas_are_those_of_scikit_learn(count: int, digits: int) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    scores, positive = drawn(count, digits)
    positive[:2] = True, False
    found = ranking(scores, positive)
    assert found.average_precision == pytest.approx(average_precision_score(positive, scores))
    assert found.area == pytest.approx(roc_auc_score(positive, scores))


def test_points_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_curve, roc_curve

    scores, positive = drawn(120, 2)
    found = ranking(scores, positive)
    alarms, hits, _ = roc_curve(positive, scores, drop_intermediate=False)
    assert found.false_alarms == pytest.approx(alarms) and found.found == pytest.approx(hits)
    precision, recall, _ = precision_recall_curve(positive, scores)
    assert found.recall == pytest.approx(recall[::-1])
    assert found.precision == pytest.approx(precision[::-1])


def test_long_curves_are_thinned_and_keep_their_ends_and_shape() -> None:
    from sklearn.metrics import roc_curve

    scores, positive = drawn(5000, 8)
    found = ranking(scores, positive)
    assert len(found.false_alarms) <= MOST_POINTS and len(found.recall) <= MOST_POINTS
    ends = [found.false_alarms[0], found.found[0], found.false_alarms[-1], found.found[-1]]
    assert ends == [0, 0, 1, 1]
    alarms, hits, _ = roc_curve(positive, scores, drop_intermediate=False)
    away = (np.abs(alarms[:, None] - found.false_alarms)
            + np.abs(hits[:, None] - found.found)).min(axis=1)
    assert away.max() < 0.01  # from any point of the whole curve to one that is left


@pytest.mark.parametrize("positive", [[True, True], [False, False]])
def test_with_one_kind_of_image_only_there_is_no_curve(positive: list[bool]) -> None:
    assert ranking(np.array([0.2, 0.7], np.float32), np.array(positive)) is None


def test_equal_scores_for_all_are_a_guess() -> None:
    found = ranking(np.full(10, 0.5, np.float32), np.arange(10) < 3)
    assert (found.area, found.average_precision) == (0.5, pytest.approx(0.3))


def test_every_class_is_held_against_the_rest() -> None:
    evaluation = make_evaluation()
    found = rankings(evaluation)
    assert len(found) == 3
    alone = ranking(evaluation.probabilities[:, 2], evaluation.labels == 2)
    assert found[2].average_precision == alone.average_precision
