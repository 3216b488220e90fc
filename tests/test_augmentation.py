"""Augmentation: the geometry against SciPy, the settings against their limits."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cnn.config import Augmentation
from cnn.data.augmentation import (
    apply_transforms,
    cut_out,
    move_whole_pixels,
    random_transforms,
)

NOT = np.zeros(2000, bool)  # none of the images is mirrored


def pictures(count=6, side=9, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (count, side, side, 3)).astype(np.float32)


def by_scipy(images, transforms):
    """Move pixels as the transforms say, with another library."""
    height, width, channels = images.shape[1:]
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    moved = np.empty_like(images)
    for image, (a0, a1, a2, b0, b1, b2, _, _), out in zip(images, transforms, moved, strict=True):
        where = [b0 * x + b1 * y + b2, a0 * x + a1 * y + a2]
        for channel in range(channels):
            out[..., channel] = map_coordinates(image[..., channel], where, order=1, mode="nearest")
    return moved


@pytest.mark.parametrize("settings", [
    Augmentation(flip=True), Augmentation(shift=0.3), Augmentation(rotation=40),
    Augmentation(rotation=15, shift=0.1, flip=True),
])
def test_pixels_move_as_an_independent_library_moves_them(settings):
    images = pictures()
    mirrored = (np.arange(len(images)) % 2 == 0) & settings.flip
    transforms = random_transforms(settings, mirrored, 9, 9, np.random.default_rng(1))
    result = apply_transforms(images, transforms).numpy()
    np.testing.assert_allclose(result, by_scipy(images, transforms), atol=0.05)
    assert not np.allclose(result, images)


def test_exactly_those_images_are_mirrored_that_should_be():
    images = pictures(20, 4)
    mirrored = np.arange(20) % 3 == 0
    transforms = random_transforms(Augmentation(), mirrored, 4, 4, np.random.default_rng(0))
    result = apply_transforms(images, transforms).numpy()
    wanted = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    np.testing.assert_allclose(result, wanted, atol=1e-3)


def test_no_augmentation_changes_nothing():
    images = pictures()
    transforms = random_transforms(
        Augmentation(), NOT[:len(images)], 9, 9, np.random.default_rng(0))
    np.testing.assert_allclose(apply_transforms(images, transforms).numpy(), images, atol=1e-3)


def test_the_centre_stays_where_it_is_under_rotation():
    transforms = random_transforms(
        Augmentation(rotation=180), NOT[:50], 7, 11, np.random.default_rng(3)).astype(np.float64)
    x = transforms[:, 0] * 5 + transforms[:, 1] * 3 + transforms[:, 2]
    y = transforms[:, 3] * 5 + transforms[:, 4] * 3 + transforms[:, 5]
    np.testing.assert_allclose(x, 5, atol=1e-5)
    np.testing.assert_allclose(y, 3, atol=1e-5)


def test_shifts_and_angles_stay_within_their_limits_and_reach_for_them():
    rng = np.random.default_rng(0)
    shifted = random_transforms(Augmentation(shift=0.25), NOT, 40, 20, rng)
    assert 4.5 < np.abs(shifted[:, 2]).max() <= 5
    assert 9 < np.abs(shifted[:, 5]).max() <= 10
    turned = random_transforms(Augmentation(rotation=30), NOT, 9, 9, rng)
    assert 28 < np.rad2deg(np.abs(np.arcsin(turned[:, 3]))).max() <= 30.01


def test_the_same_seed_gives_the_same_changes():
    settings = Augmentation(rotation=10, shift=0.1, flip=True)
    one, two = (random_transforms(settings, NOT[:5], 8, 8, np.random.default_rng([7, 1]))
                for _ in "ab")
    np.testing.assert_array_equal(one, two)


# Whole pixels


def levels(count=40, height=9, width=7, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, height, width, channels), np.uint8)


def crops_of(image, most_y, most_x):
    """All shifts of one image, by another way: pad and cut out."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((most_y, most_y), (most_x, most_x), (0, 0)), mode="reflect")
    return {(y, x): padded[y:y + height, x:x + width]
            for y in range(2 * most_y + 1) for x in range(2 * most_x + 1)}


@pytest.mark.parametrize(("shift", "most_y", "most_x"), [(0.3, 3, 2), (0.5, 4, 4), (0.1, 1, 1)])
def test_a_whole_pixel_shift_equals_reflecting_and_cropping(shift, most_y, most_x):
    images, chosen = levels(count=3), np.arange(300) % 3
    moved = move_whole_pixels(images, chosen, shift, NOT[:300], np.random.default_rng(1))
    assert moved.dtype == np.uint8
    seen = set()
    for which, result in zip(chosen, moved, strict=True):
        crops = crops_of(images[which], most_y, most_x)
        places = [place for place, crop in crops.items() if np.array_equal(crop, result)]
        assert places, "no reflected crop looks like this"
        seen |= set(places)
    assert {y for y, _ in seen} == set(range(2 * most_y + 1))
    assert {x for _, x in seen} == set(range(2 * most_x + 1))


def test_images_are_picked_mirrored_and_copied_without_a_shift():
    images, chosen = levels(), np.array([5, 2, 5, 39])
    mirrored = np.array([False, True, True, False])
    moved = move_whole_pixels(images, chosen, 0.0, mirrored, np.random.default_rng(0))
    np.testing.assert_array_equal(
        moved, [images[5], images[2][:, ::-1], images[5][:, ::-1], images[39]])
    assert not np.shares_memory(moved, images)


def test_mirrored_images_are_shifted_too():
    image = levels(count=1)
    chosen, all_mirrored = np.zeros(100, int), ~NOT[:100]
    moved = move_whole_pixels(image, chosen, 0.15, all_mirrored, np.random.default_rng(2))
    wanted = crops_of(image[0, :, ::-1], 1, 1).values()
    assert all(any(np.array_equal(crop, result) for crop in wanted) for result in moved)
    assert len({result.tobytes() for result in moved}) == 9


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 8)])
def test_the_smallest_images_survive_the_largest_shift(shape):
    images = levels(4, *shape)
    moved = move_whole_pixels(images, np.arange(4), 0.5, NOT[:4], np.random.default_rng(0))
    assert moved.shape == images.shape
    for image, result in zip(images, moved, strict=True):
        assert set(result.ravel()) <= set(image.ravel())


@pytest.mark.parametrize(("side", "high", "wide"), [(0.5, 10, 6), (0.9, 18, 11), (0.05, 1, 1)])
def test_cutout_fills_one_square_inside_of_exactly_its_size(side, high, wide):
    images, color = levels(200, 20, 12), np.array([3, 2, 1], np.uint8)
    images[images == 3] = 4  # so that the colour occurs nowhere else
    before = images.copy()
    cut_out(images, side, color, np.random.default_rng(0))
    corners = set()
    for image, old in zip(images, before, strict=True):
        cut = (image == color).all(axis=2)
        rows, columns = np.flatnonzero(cut.any(axis=1)), np.flatnonzero(cut.any(axis=0))
        assert cut.sum() == high * wide
        assert (len(rows), len(columns)) == (high, wide)
        assert (np.ptp(rows), np.ptp(columns)) == (high - 1, wide - 1)
        np.testing.assert_array_equal(image[~cut], old[~cut])
        corners |= {(rows[0], columns[0])}
    assert {y for y, _ in corners} == set(range(20 - high + 1))  # every place is reached
    assert {x for _, x in corners} == set(range(12 - wide + 1))


def test_cutout_of_nothing_changes_nothing():
    images = levels()
    before = images.copy()
    cut_out(images, 0.01, np.zeros(3, np.uint8), np.random.default_rng(0))
    np.testing.assert_array_equal(images, before)
