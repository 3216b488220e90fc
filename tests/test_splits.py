"""The split: stratified, seeded, and the validation part independent of how many are trained on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit

from cnn.data.splits import split_training
from cnn.errors import BadInput

UNEVEN = np.repeat(np.arange(6), [700, 401, 97, 23, 11, 5]).astype(np.int64)


def shuffled(labels: np.ndarray) -> np.ndarray:
    return np.random.default_rng(7).permutation(labels)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("labels", [shuffled(UNEVEN), np.arange(500) % 10, np.arange(101) % 3])
def test_class_counts_are_within_one_of_scikit_learn(labels: np.ndarray, fraction: float) -> None:
    ours = split_training(labels, fraction, 0, seed=3)
    reference = StratifiedShuffleSplit(1, test_size=round(len(labels) * fraction), random_state=3)
    train, validation = next(reference.split(labels, labels))
    for mine, theirs in ((ours.train, train), (ours.validation, validation)):
        counts, expected = (np.bincount(labels[rows], minlength=6) for rows in (mine, theirs))
        assert np.abs(counts - expected).max() <= 1


@pytest.mark.parametrize("train_images", [0, 6, 100, 1000])
def test_parts_are_disjoint_and_together_everything_or_the_number_asked_for(
    train_images: int,
) -> None:
    labels = shuffled(UNEVEN)
    split = split_training(labels, 0.1, train_images, seed=0)
    both = np.concatenate([split.train, split.validation])
    assert len(np.unique(both)) == len(both)
    assert len(split.train) == (train_images or len(labels) - len(split.validation))
    assert len(split.validation) == round(0.1 * len(labels))
    assert set(labels[split.train]) == set(labels[split.validation]) == set(range(6))


def test_validation_part_does_not_depend_on_the_number_of_training_images() -> None:
    labels = shuffled(UNEVEN)
    whole, part = (split_training(labels, 0.2, n, seed=5) for n in (0, 50))
    assert np.array_equal(whole.validation, part.validation)
    assert set(part.train) < set(whole.train)


def test_a_smaller_training_part_of_even_classes_lies_within_a_larger() -> None:
    labels = np.arange(1000) % 10
    small, large = (split_training(labels, 0.1, n, seed=1) for n in (100, 300))
    assert set(small.train) < set(large.train)


def test_the_seed_decides_and_nothing_else_does() -> None:
    labels = shuffled(UNEVEN)
    first, again, other = (split_training(labels, 0.1, 0, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.validation, again.validation)
    assert not np.array_equal(first.validation, other.validation)


def test_it_stays_the_same_on_every_machine_and_version() -> None:
    split = split_training(np.arange(12) % 2, 0.25, 4, seed=0)
    assert split.validation.tolist() == [2, 4, 9]
    assert split.train.tolist() == [0, 5, 6, 7]


def test_every_class_of_two_has_one_image_in_each_part() -> None:
    labels = np.repeat(np.arange(30), 2)
    split = split_training(labels, 0.01, 0, seed=0)
    assert sorted(labels[split.train]) == sorted(labels[split.validation]) == list(range(30))


def test_a_class_of_one_image_stays_in_the_training_part() -> None:
    labels = np.array([0, 0, 0, 0, 1])
    assert 4 in split_training(labels, 0.5, 0, seed=0).train


def test_a_class_number_without_images_is_no_class() -> None:
    labels = np.array([0, 3] * 20)
    split = split_training(labels, 0.1, 2, seed=0)
    assert np.bincount(labels[split.train]).tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize("labels", [[], [0], [0, 1, 2]])
def test_too_few_images_to_hold_any_back_are_refused(labels: list[int]) -> None:
    with pytest.raises(BadInput, match="too few"):
        split_training(np.array(labels, np.int64), 0.1, 0, seed=0)


@pytest.mark.parametrize("train_images", [1, 91, 10_000])
def test_an_impossible_number_of_training_images_names_the_possible_ones(train_images: int) -> None:
    labels = np.arange(100) % 2
    with pytest.raises(BadInput, match=r"from 2 \(one per class\) to 90 .* Received: \d+"):
        split_training(labels, 0.1, train_images, seed=0)
