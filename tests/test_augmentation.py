"""Augmentation: the geometry against SciPy, the settings against their limits."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cnn.config import Augmentation
from cnn.data.augmentation import apply_transforms, random_transforms


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
    transforms = random_transforms(settings, len(images), 9, 9, np.random.default_rng(1))
    result = apply_transforms(images, transforms).numpy()
    np.testing.assert_allclose(result, by_scipy(images, transforms), atol=0.05)
    assert not np.allclose(result, images)


def test_flip_mirrors_about_half_of_the_images_exactly():
    images = pictures(200, 4)
    transforms = random_transforms(Augmentation(flip=True), 200, 4, 4, np.random.default_rng(0))
    result = apply_transforms(images, transforms).numpy()
    same = np.isclose(result, images, atol=1e-3).all(axis=(1, 2, 3))
    mirrored = np.isclose(result, images[:, :, ::-1], atol=1e-3).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_no_augmentation_changes_nothing():
    images = pictures()
    transforms = random_transforms(Augmentation(), len(images), 9, 9, np.random.default_rng(0))
    np.testing.assert_allclose(apply_transforms(images, transforms).numpy(), images, atol=1e-3)


def test_the_centre_stays_where_it_is_under_rotation():
    transforms = random_transforms(
        Augmentation(rotation=180), 50, 7, 11, np.random.default_rng(3)).astype(np.float64)
    x = transforms[:, 0] * 5 + transforms[:, 1] * 3 + transforms[:, 2]
    y = transforms[:, 3] * 5 + transforms[:, 4] * 3 + transforms[:, 5]
    np.testing.assert_allclose(x, 5, atol=1e-5)
    np.testing.assert_allclose(y, 3, atol=1e-5)


def test_shifts_and_angles_stay_within_their_limits_and_reach_for_them():
    rng = np.random.default_rng(0)
    shifted = random_transforms(Augmentation(shift=0.25), 2000, 40, 20, rng)
    assert 4.5 < np.abs(shifted[:, 2]).max() <= 5
    assert 9 < np.abs(shifted[:, 5]).max() <= 10
    turned = random_transforms(Augmentation(rotation=30), 2000, 9, 9, rng)
    assert 28 < np.rad2deg(np.abs(np.arcsin(turned[:, 3]))).max() <= 30.01


def test_the_same_seed_gives_the_same_changes():
    settings = Augmentation(rotation=10, shift=0.1, flip=True)
    one, two = (random_transforms(settings, 5, 8, 8, np.random.default_rng([7, 1])) for _ in "ab")
    np.testing.assert_array_equal(one, two)
