"""Nearest training images: the right ones, looked at bit by bit, kept on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model_folders import make_card, write_model

from cnn.data.catalogue import load
from cnn.data.store import STORE
from cnn.errors import BadInput, NotFound
from cnn.prediction import neighbours
from cnn.prediction.learned_from import split_of, training_data
from cnn.prediction.neighbours import Gallery, open_gallery

IMAGES = np.random.default_rng(0).integers(0, 256, (130, 4, 4, 1), dtype=np.uint8)
CONFIG = {"dataset": "digits", "architecture": "base", "name": "first", "seed": 3,
          "validation_fraction": 0.2}


def flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32)


def digits_card(**changes):
    dataset = load("digits")
    return make_card(dataset="digits", class_names=list(dataset.class_names), input_shape=[8, 8, 1],
                     dataset_fingerprint=dataset.fingerprint, config=CONFIG, **changes)


def test_the_nearest_are_those_with_the_smallest_angle() -> None:
    gallery = Gallery(flat, IMAGES, np.arange(100))
    assert gallery.grow(60)
    found = gallery.nearest(IMAGES[7] // 2, 5)
    rows = flat(IMAGES[:100])
    asked = flat(IMAGES[7:8] // 2)[0]
    cosines = rows @ asked / np.linalg.norm(rows, axis=1) / np.linalg.norm(asked)
    assert [item.row for item in found] == np.argsort(-cosines)[:5].tolist()
    assert found[0].row == 7
    assert [item.likeness for item in found] == pytest.approx(np.sort(cosines)[::-1][:5], abs=2e-3)


def test_rows_are_those_of_the_training_split() -> None:
    gallery = Gallery(flat, IMAGES, np.array([3, 50, 120]))
    gallery.grow(60)
    assert gallery.nearest(IMAGES[120], 1)[0].row == 120


def test_it_grows_a_little_at_a_time() -> None:
    gallery = Gallery(flat, IMAGES, np.arange(130))
    steps = 0
    while not gallery.grow(0):
        steps += 1
        assert gallery.done == 50 * steps
    assert gallery.done == 130 and steps == 2


def test_what_was_computed_is_read_from_the_disk(tmp_path: Path) -> None:
    Gallery(flat, IMAGES, np.arange(60), tmp_path / "neighbours-a.npy").grow(60)
    again = Gallery(flat, IMAGES, np.arange(60), tmp_path / "neighbours-a.npy")
    assert again.done == 60
    assert again.nearest(IMAGES[9], 1)[0].row == 9


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY torn", b"nonsense"])
def test_a_damaged_file_is_computed_again(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "neighbours-a.npy"
    path.write_bytes(data)
    gallery = Gallery(flat, IMAGES, np.arange(20), path)
    assert gallery.done == 0 and gallery.grow(60)
    assert Gallery(flat, IMAGES, np.arange(20), path).done == 20


def test_only_some_files_are_kept(tmp_path: Path) -> None:
    for number in range(neighbours.FILES_KEPT + 3):
        Gallery(flat, IMAGES, np.arange(5), tmp_path / f"neighbours-{number}.npy").grow(60)
    assert len(list(tmp_path.glob("neighbours-*"))) == neighbours.FILES_KEPT
    assert (tmp_path / f"neighbours-{neighbours.FILES_KEPT + 2}.npy").exists()


def test_wide_features_mean_fewer_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_VALUES", 16 * 40)
    assert len(Gallery(flat, IMAGES, np.arange(130)).rows) == 40


def test_only_images_that_the_model_learned_from_are_compared(folders: Path) -> None:
    write_model("first")
    card = digits_card()
    gallery, dataset = open_gallery(card, flat)
    split = split_of(card, dataset)
    assert np.array_equal(gallery.rows, split.train)
    assert not set(gallery.rows) & set(split.validation)
    gallery.grow(60)
    assert list((folders / "data" / STORE).glob("neighbours-*.npy"))
    assert open_gallery(card, flat)[0].done == len(split.train)


def test_of_many_images_some_are_taken(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model("first")
    monkeypatch.setattr(neighbours, "MOST_IMAGES", 30)
    rows = open_gallery(digits_card(), flat)[0].rows
    assert len(rows) == 30 and (np.diff(rows) > 0).all()


def test_another_data_set_of_that_name_is_refused(folders: Path) -> None:
    with pytest.raises(BadInput, match="not the one that first was trained on"):
        training_data(make_card(dataset="digits"))
    with pytest.raises(NotFound):
        training_data(make_card(dataset="gone"))
