"""What a run trains on and what it holds back: by group where the data set has groups."""

from dataclasses import replace

import numpy as np
import pytest

from cnn.config import RunConfig
from cnn.data.dataset import Dataset
from cnn.training.data import training_data

CLASSES, GROUPS = 2, 10


def dataset(**more):
    labels = np.arange(200) % CLASSES
    numbers = np.arange(200, dtype=np.uint8)[:, None, None, None]
    return Dataset("cells", ("a", "b"), np.broadcast_to(numbers, (200, 4, 4, 1)), labels,
                   np.zeros((0, 4, 4, 1), np.uint8), labels[:0], "0" * 64, **more)


def config(**settings):
    return RunConfig(dataset="cells", architecture="base", name="n", **settings)


def rows(images):
    return images[:, 0, 0, 0].astype(int)


def test_every_image_is_trained_on_or_held_back_with_its_own_label():
    data = training_data(dataset(), config(validation_fraction=0.2))
    train, held_back = rows(data.train_images), rows(data.val_images)
    assert sorted([*train, *held_back]) == list(range(200))
    assert len(held_back) == 40
    np.testing.assert_array_equal(data.train_labels, train % CLASSES)
    np.testing.assert_array_equal(data.val_labels, held_back % CLASSES)


def test_a_group_is_trained_on_or_held_back_never_both():
    groups = np.arange(200) // (200 // GROUPS)
    data = training_data(dataset(train_groups=groups), config(validation_fraction=0.2))
    held_back = set(groups[rows(data.val_images)])
    assert not held_back & set(groups[rows(data.train_images)])
    assert len(held_back) == 2
    plain = training_data(dataset(), config(validation_fraction=0.2))
    assert set(groups[rows(plain.val_images)]) & set(groups[rows(plain.train_images)])


def test_images_that_the_set_itself_holds_back_stay_held_back_whatever_the_fraction():
    kept = np.arange(200) >= 170
    data = training_data(dataset(held_back=kept, train_groups=np.arange(200) // 20),
                         config(validation_fraction=0.5))
    assert sorted(rows(data.val_images)) == list(range(170, 200))
    assert sorted(rows(data.train_images)) == list(range(170))
    fewer = training_data(dataset(held_back=kept), config(train_images=50))
    assert sorted(rows(fewer.val_images)) == list(range(170, 200))
    assert len(fewer.train_labels) == 50
    assert set(rows(fewer.train_images)) < set(range(170))


def test_fewer_training_images_leave_the_validation_images_as_they_are():
    whole, part = (training_data(dataset(), config(train_images=count)) for count in (0, 50))
    np.testing.assert_array_equal(whole.val_images, part.val_images)
    assert len(part.train_labels) == 50


@pytest.mark.parametrize("weights", [None, (0.5, 2.0)])
def test_the_cost_of_errors_comes_with_the_data(weights):
    assert training_data(replace(dataset(), class_weights=weights), config()).class_weights \
        == weights
