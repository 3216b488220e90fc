"""Second looks: narrow escapes, and labels under suspicion by the rule of confident learning."""

from __future__ import annotations

import numpy as np
import pytest

from cnn.evaluation.doubts import doubtful, suspected_labels
from cnn.evaluation.results import Evaluation, evaluate_predictions


def evaluated(probabilities: list[list[float]] | np.ndarray, labels: list[int]) -> Evaluation:
    array = np.array(probabilities, np.float32)
    names = tuple("abcdefgh"[:array.shape[1]])
    return evaluate_predictions(array, np.array(labels), names)


def test_doubtful_answers_are_right_and_the_closest_first() -> None:
    found = evaluated([[0.5, 0.4, 0.1], [0.9, 0.1, 0], [0.3, 0.6, 0.1], [0.36, 0.34, 0.3]],
                      [0, 0, 0, 0])
    assert doubtful(found).tolist() == [3, 0, 1]


def test_without_a_right_answer_nothing_is_doubtful() -> None:
    assert doubtful(evaluated([[0.9, 0.1]], [1])).tolist() == []


def test_a_label_is_suspected_where_another_class_reaches_its_own_threshold() -> None:
    # Thresholds by hand: a (0.9 + 0.8 + 0.1) / 3 = 0.6, b (0.7 + 0.9 + 0.45) / 3 = 0.683.
    probabilities = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9],  # the last has the label a
                     [0.3, 0.7], [0.1, 0.9], [0.55, 0.45]]  # 0.55 is wrong, but under 0.6
    found = suspected_labels(evaluated(probabilities, [0, 0, 0, 1, 1, 1]))
    assert found.rows.tolist() == [2] and found.instead.tolist() == [1]


def test_it_is_the_rule_of_the_paper_written_out() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 4, 300)
    logits = random.normal(0, 1, (300, 4))
    logits[np.arange(300), labels] += 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    evaluation = evaluated(probabilities, labels.tolist())
    stored = evaluation.probabilities.astype(float)
    limits = [stored[labels == j, j].mean() for j in range(4)]
    expected = {}
    for row, (one, label) in enumerate(zip(stored, labels, strict=True)):
        passing = [j for j in range(4) if one[j] >= limits[j]]
        best = max(passing, key=lambda j: one[j], default=label)
        if best != label:
            expected[row] = best
    found = suspected_labels(evaluation)
    assert dict(zip(found.rows.tolist(), found.instead.tolist(), strict=True)) == expected
    leads = stored[found.rows, found.instead] - stored[found.rows, labels[found.rows]]
    assert len(leads) > 5 and (np.diff(leads) <= 0).all()


def test_wrong_labels_that_were_planted_are_found_first() -> None:
    random = np.random.default_rng(2)
    truth = random.integers(0, 5, 1000)
    logits = random.normal(0, 1, (1000, 5))
    logits[np.arange(1000), truth] += 5
    labels = truth.copy()
    labels[:20] = (truth[:20] + 1) % 5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = suspected_labels(evaluated(probabilities, labels.tolist()))
    planted = found.rows < 20
    assert planted.sum() >= 15 and planted[:10].all()
    assert (found.instead[planted] == truth[found.rows[planted]]).all()


@pytest.mark.parametrize("labels", [[0, 0], [0, 1]])
def test_a_class_without_images_suspects_nobody(labels: list[int]) -> None:
    found = suspected_labels(evaluated([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8]], labels))
    assert 2 not in found.instead
