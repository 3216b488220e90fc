"""Groups that must not be divided: none is, and classes come out nearly in proportion."""

import numpy as np
import pytest

from cnn.data.grouping import hold_back_groups
from cnn.data.splits import split_training
from cnn.errors import BadInput


def slides(seed: int = 0, count: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and groups as of cells: slides of 5 to 80 images, each of mixed classes."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), random.integers(5, 80, count))
    share = random.random(count)[groups]
    return (random.random(len(groups)) < share).astype(np.int64), groups * 7 - 3


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_group_is_divided_and_each_class_is_near_its_share(fraction: float, seed: int) -> None:
    labels, groups = slides()
    held = hold_back_groups(labels, groups, fraction, seed)
    assert not set(groups[held]) & set(groups[~held])
    for label in (0, 1):
        assert abs(held[labels == label].mean() - fraction) < 0.02


def test_the_seed_decides_which_groups() -> None:
    labels, groups = slides()
    first, again, other = (hold_back_groups(labels, groups, 0.2, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_a_class_of_two_groups_has_one_in_each_part() -> None:
    labels = np.array([0] * 40 + [1] * 6)
    groups = np.array([*range(40), 90, 90, 90, 91, 91, 91])
    held = hold_back_groups(labels, groups, 0.1, 0)
    assert held[labels == 1].sum() == 3


def test_a_class_of_one_group_stays_in_the_training_part() -> None:
    labels = np.array([0] * 20 + [1] * 5)
    groups = np.array([*range(20), *[50] * 5])
    assert not hold_back_groups(labels, groups, 0.3, 0)[labels == 1].any()


@pytest.mark.parametrize("labels", [[], [0, 0, 1, 1]])
def test_one_group_cannot_be_divided(labels: list[int]) -> None:
    with pytest.raises(BadInput, match="too few to hold back"):
        hold_back_groups(np.array(labels, np.int64), np.zeros(len(labels), np.int64), 0.2, 0)


def test_the_validation_split_of_a_run_keeps_groups_whole() -> None:
    labels, groups = slides()
    whole = split_training(labels, 0.1, 0, 3, groups)
    part = split_training(labels, 0.1, 200, 3, groups)
    assert not set(groups[whole.train]) & set(groups[whole.validation])
    assert (whole.validation == part.validation).all()
    assert len(part.train) == 200
    assert set(part.train) < set(whole.train)
    assert len(whole.train) + len(whole.validation) == len(labels)
    assert (np.diff(whole.train) > 0).all()


def test_many_groups_of_one_take_no_longer_than_they_may() -> None:
    labels = np.arange(50_000) % 10
    held = hold_back_groups(labels, np.arange(50_000), 0.2, 0)
    assert abs(np.bincount(labels[held]) - 1000).max() <= 1
