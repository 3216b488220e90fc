"""Portraits of classes against NumPy over the whole set, and what is kept of them."""

from dataclasses import replace

import numpy as np
import pytest

from cnn.data import looks, portrait
from cnn.data.dataset import Dataset
from cnn.data.portrait import known_portrait, make_portrait
from cnn.data.rows import RowView

COUNT, SHAPE, CLASSES = 97, (5, 4, 3), 4  # class 2 has no images


def dataset(fingerprint="a" * 64):
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (COUNT, *SHAPE), np.uint8)
    labels = rng.choice([0, 1, 3], COUNT)
    test = np.full((3, *SHAPE), 255, np.uint8)
    return Dataset("pets", ("ant", "bee", "cat", "dog"), images, labels, test,
                   np.zeros(3, np.int64), fingerprint)


@pytest.fixture(params=[(2**23, 2**24), (200, 130), (1, 1)], ids=["whole", "parts", "one by one"])
def in_parts(request, monkeypatch, empty_folders):
    monkeypatch.setattr(portrait, "_BLOCK", request.param[0])
    monkeypatch.setattr(portrait, "_SUMS", request.param[1])


def test_means_and_levels_are_those_of_the_training_images(in_parts):
    data, told = dataset(), []
    made = make_portrait(data, lambda what, done, total: told.append((done, total)))
    for label in (0, 1, 3):
        own = data.train_images[data.train_labels == label]
        np.testing.assert_array_equal(made.means[label], np.round(own.mean(axis=0)))
        for channel in range(3):
            np.testing.assert_array_equal(
                made.levels[label, channel], np.bincount(own[..., channel].ravel(), minlength=256))
        mean, deviation = made.mean_and_deviation(label)
        np.testing.assert_allclose(mean, own.mean(axis=(0, 1, 2)))
        np.testing.assert_allclose(deviation, own.std(axis=(0, 1, 2)))
    assert told[-1] == (COUNT, COUNT)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_all_classes_together_are_all_images(empty_folders):
    data = dataset()
    made = make_portrait(data)
    assert made.levels.sum() == data.train_images.size
    np.testing.assert_allclose(made.mean_and_deviation(None)[0],
                               data.train_images.mean(axis=(0, 1, 2)))


def test_a_histogram_adds_up_to_one_and_has_each_level_in_its_range(empty_folders):
    made = make_portrait(dataset())
    shares = made.histogram(0, 32)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares[1, 3], made.levels[0, 1, 24:32].sum() /
                               made.levels[0, 1].sum())


def test_a_class_without_images_has_zeros(empty_folders):
    made = make_portrait(dataset())
    assert not made.means[2].any()
    assert not made.histogram(2, 32).any()
    assert not np.concatenate(made.mean_and_deviation(2)).any()


def test_an_imported_set_has_the_portrait_of_its_rows(empty_folders):
    data, rows = dataset(), np.random.default_rng(0).permutation(COUNT)[:50]
    view = replace(data, train_images=RowView(data.train_images, rows),
                   train_labels=data.train_labels[rows], fingerprint="b" * 64)
    copied = replace(view, train_images=data.train_images[rows], fingerprint="c" * 64)
    one, other = make_portrait(view), make_portrait(copied)
    np.testing.assert_array_equal(one.means, other.means)
    np.testing.assert_array_equal(one.levels, other.levels)


# What is kept


def test_it_is_made_once_for_each_fingerprint(empty_folders):
    data = dataset()
    assert known_portrait(data) is None
    made = make_portrait(data)
    np.testing.assert_array_equal(known_portrait(data).means, made.means)
    np.testing.assert_array_equal(known_portrait(data).levels, made.levels)
    assert known_portrait(replace(data, fingerprint="d" * 64)) is None


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_as_none(empty_folders, damage):
    make_portrait(dataset())
    file, = (empty_folders / "data").rglob("portrait.npz")
    file.write_bytes(damage)
    assert known_portrait(dataset()) is None
    make_portrait(dataset())
    assert known_portrait(dataset()) is not None


def test_a_portrait_of_another_shape_is_not_believed(empty_folders):
    data = dataset()
    made = make_portrait(data)
    looks.keep(data.fingerprint, "portrait", {"means": made.means[:, :3], "levels": made.levels})
    assert known_portrait(data) is None


def test_no_data_set_appears_and_nothing_unfinished_stays(empty_folders):
    from cnn.data.store import stored_names

    make_portrait(dataset())
    assert stored_names() == []
    assert [path.name for path in (empty_folders / "data").rglob("*") if path.is_file()] == [
        "portrait.npz"]
