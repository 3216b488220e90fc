"""Accuracy on parts of the test images."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cnn.evaluation.results import wilson_interval
from cnn.evaluation.slices import by_group, by_value


def test_quarters_hold_all_images_in_the_order_of_their_values() -> None:
    random = np.random.default_rng(0)
    values, right = random.random(1001), random.random(1001) < 0.7
    found = by_value(values, right)
    assert sorted(len(one.rows) for one in found) == [250, 250, 250, 251]
    assert np.array_equal(np.sort(np.concatenate([one.rows for one in found])), np.arange(1001))
    assert all(after.low > before.high for before, after in pairwise(found))
    for one in found:
        assert one.accuracy == pytest.approx(right[one.rows].mean())
        assert one.interval == wilson_interval(one.right, len(one.rows))


def test_equal_values_stay_together() -> None:
    found = by_value(np.array([1, 1, 1, 1, 1, 2, 3, 3]), np.ones(8, bool))
    assert [(one.low, one.high, len(one.rows)) for one in found] == [
        (1, 1, 5), (2, 2, 1), (3, 3, 2)]
    assert len(by_value(np.full(9, 5), np.ones(9, bool))) == 1


def test_groups_come_surely_weakest_first_not_just_lowest() -> None:
    groups = np.array([7] * 100 + [4] * 2 + [9] * 100)
    right = np.array([True] * 60 + [False] * 40 + [False] * 2 + [True] * 100)
    found = by_group(groups, right)
    assert [int(one.low) for one in found] == [4, 7, 9]
    one_of_two = by_group(groups, np.where(groups == 4, np.arange(202) % 2 == 0, right))
    assert [int(one.low) for one in one_of_two] == [7, 4, 9]  # of two images anything can be chance


def test_a_part_stands_out_when_its_interval_leaves_out_the_whole() -> None:
    (weak,) = by_group(np.zeros(100, np.int64), np.arange(100) < 60)
    assert weak.stands_out(0.9) and not weak.stands_out(0.65)
