"""The folds of a cross-validation: each image once, no group in two, classes in proportion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.cross_validation import folds
from cnn.data.dataset import Dataset

LABELS = np.arange(240) % 2
IMAGES = np.zeros((240, 4, 4, 1), np.uint8)
CELLS = Dataset("cells", ("a", "b"), IMAGES, LABELS, IMAGES[:2], LABELS[:2], "f" * 64)


def test_each_image_is_held_back_once_and_each_class_in_proportion() -> None:
    held = np.array(list(folds(CELLS, 4)))
    assert held.sum(axis=0).tolist() == [1] * 240
    assert (held @ LABELS).tolist() == [30] * 4 and held.sum(axis=1).tolist() == [60] * 4


def test_no_group_is_divided() -> None:
    groups = np.repeat(np.arange(24), 10)
    held = np.array(list(folds(replace(CELLS, train_groups=groups), 4)))
    assert held.sum(axis=0).tolist() == [1] * 240
    of_groups = held.reshape(4, 24, 10)
    assert (of_groups.all(axis=2) | ~of_groups.any(axis=2)).all()
