"""Two models on the same images: McNemar against SciPy; and the front of what is worth its cost."""

import numpy as np
import pytest
from scipy.stats import binomtest

from cnn.errors import BadInput
from cnn.evaluation.comparison import duel, mcnemar, pareto_front
from cnn.evaluation.results import evaluate_predictions

LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2])


def evaluation(answers, labels=LABELS, names=("a", "b", "c")):
    return evaluate_predictions(np.eye(len(names), dtype=np.float32)[answers], labels, names)


@pytest.mark.parametrize(("first", "second"), [
    (0, 0), (1, 0), (0, 6), (3, 3), (10, 2), (25, 61), (400, 460), (3000, 2800)])
def test_the_p_value_is_that_of_the_binomial_test(first, second):
    wanted = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(wanted, rel=1e-9)
    assert mcnemar(second, first) == mcnemar(first, second)


def test_a_duel_counts_who_is_right_alone():
    result = duel(evaluation([0, 0, 0, 1, 0, 0, 0, 0]), evaluation([0, 0, 1, 0, 1, 1, 2, 0]))
    assert (result.both, result.only_first, result.only_second, result.neither) == (2, 2, 3, 1)
    assert result.p_value == 1.0
    assert not result.distinguishable


def test_what_chance_hardly_makes_is_distinguishable():
    labels = np.zeros(40, np.int64)
    good, bad = np.zeros(40, np.int64), np.repeat([0, 1], 20)
    result = duel(evaluation(good, labels), evaluation(bad, labels))
    assert (result.only_first, result.only_second) == (20, 0)
    assert result.p_value == pytest.approx(2 ** -19)
    assert result.distinguishable


@pytest.mark.parametrize("other", [
    evaluation(LABELS[::-1], LABELS[::-1]),
    evaluation(LABELS[:4], LABELS[:4]),
    evaluation(LABELS, names=("a", "b", "d"))])
def test_models_of_other_test_images_are_not_compared(other):
    with pytest.raises(BadInput, match="not tested on the same images"):
        duel(evaluation(LABELS), other)


def test_the_front_keeps_what_nothing_beats_in_both():
    costs, gains = [1, 2, 2, 3, 4, 4], [0.5, 0.7, 0.6, 0.65, 0.9, 0.9]
    assert pareto_front(costs, gains) == [True, True, False, False, True, True]
    assert pareto_front([], []) == []
