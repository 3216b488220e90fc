"""Equal and nearly equal images are found, others are not, and a crowd of equals ends in time."""

from __future__ import annotations

import io

import numpy as np
import pytest
from picture_files import scenery
from PIL import Image

from cnn.data import duplicates
from cnn.data.duplicates import equal_sets, linked_sets, near_pairs, take_prints
from cnn.data.progress import silent

COUNT = 40


def pairs_of(images: np.ndarray) -> set[tuple[int, int]]:
    pairs, complete = near_pairs(take_prints(images, silent), np.arange(len(images)), silent)
    assert complete
    return {(int(one), int(other)) for one, other in pairs}


def sceneries(first: int = 0, size: int = 32) -> np.ndarray:
    return np.stack([scenery(first + number, size) for number in range(COUNT)])


def jpeg(image: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


CHANGES = {
    "saved again": jpeg,
    "brighter": lambda image: np.clip(image.astype(int) + 8, 0, 255).astype(np.uint8),
    "resized": lambda image: np.asarray(Image.fromarray(image).resize((20, 20)).resize((32, 32))),
    "noise": lambda image: np.clip(
        image + np.random.default_rng(0).normal(0, 3, image.shape), 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found_and_nothing_else(change: str) -> None:
    images = sceneries()
    copies = np.stack([CHANGES[change](image) for image in images])
    found = pairs_of(np.concatenate([images, copies]))
    right = {(row, row + COUNT) for row in range(COUNT)}
    assert len(found & right) >= 0.9 * COUNT
    assert not found - right


def test_different_pictures_are_not_alike() -> None:
    assert pairs_of(sceneries()) == set()


def test_the_same_shape_in_another_colour_is_another_picture() -> None:
    image = scenery(0)
    assert pairs_of(np.stack([image, np.roll(image, 1, axis=2)])) == set()


def test_equal_images_are_found_exactly() -> None:
    images = sceneries()
    images[7], images[30], images[12] = images[3], images[3], images[5]
    images[20, 0, 0, 0] ^= 1
    images = np.concatenate([images, images[20:21] ^ np.uint8(0)])
    images[-1, 31, 31, 2] ^= 1
    sets = equal_sets(take_prints(images, silent))
    assert [rows.tolist() for rows in sets] == [[3, 7, 30], [5, 12]]


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (8, 20, 3), (5, 5, 3)])
def test_any_size_and_channel_count_can_be_compared(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, *shape), dtype=np.uint8)
    assert pairs_of(np.concatenate([images, images[:3]])) == {(0, 30), (1, 31), (2, 32)}


def test_contrast_is_that_of_the_liveliest_channel() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    images[0] = 255, 0, 7
    images[1, :4, :, 2] = 100
    assert take_prints(images, silent).spread.tolist() == [0, 50]


def test_pieces_and_all_with_all_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    base = random.integers(0, 2**63, 300, dtype=np.uint64)
    flips = np.array([sum(1 << int(bit) for bit in random.choice(64, count, replace=False))
                      for count in random.integers(0, 9, 300)], np.uint64)
    hashes = np.concatenate([base, base ^ flips])
    expected = {(one, other) for one in range(600) for other in range(one + 1, 600)
                if int(hashes[one] ^ hashes[other]).bit_count() <= duplicates._NEAR}
    found = [tuple(sorted(pair)) for part in duplicates._candidates(hashes, silent)
             for pair in part.tolist()]
    assert len(expected) > 100
    assert sorted(found) == sorted(expected)  # each once
    same = np.zeros(50, np.uint64)  # one bucket in every piece: all with all
    assert sum(len(part) for part in duplicates._candidates(same, silent)) == 50 * 49 // 2


def test_a_crowd_of_near_copies_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MAX_PAIRS", 100)
    images = np.repeat(scenery(0)[np.newaxis], 40, axis=0)
    pairs, complete = near_pairs(take_prints(images, silent), np.arange(40), silent)
    assert (len(pairs), complete) == (100, False)


def test_linked_sets_join_what_hangs_together() -> None:
    pairs = np.array([[4, 9], [1, 2], [9, 3], [2, 8], [5, 6]])
    assert linked_sets(pairs) == [[1, 2, 8], [3, 4, 9], [5, 6]]
