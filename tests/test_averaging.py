"""Averaging over views: which views, with which weights, and what their mean is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from cnn.data.views import view_count
from cnn.prediction.averaging import average_views, geometric_mean

PICTURE = np.arange(20, dtype=np.uint8).reshape(1, 4, 5, 1)


def views_of(picture: np.ndarray, mirror: bool) -> list[np.ndarray]:
    looks: list[np.ndarray] = []

    def predict(images: np.ndarray) -> np.ndarray:
        looks.append(images.copy())
        return np.full((len(images), 2), 0.5, np.float32)

    average_views(predict, picture, mirror)
    return looks


@pytest.mark.parametrize(("mirror", "count"), [(False, 3), (True, 6)])
def test_the_views_are_the_picture_its_diagonal_neighbours_and_their_mirror_images(
    mirror: bool, count: int
) -> None:
    looks = views_of(PICTURE, mirror)
    assert len(looks) == view_count(mirror) == count
    assert {look.shape for look in looks} == {(1, 4, 5, 1)}
    straight = looks[::2] if mirror else looks
    assert np.array_equal(straight[0], PICTURE)
    assert np.array_equal(straight[1][:, 1:, 1:], PICTURE[:, :-1, :-1])
    assert np.array_equal(straight[2][:, :-1, :-1], PICTURE[:, 1:, 1:])
    if mirror:
        assert all(np.array_equal(one[:, :, ::-1], other)
                   for one, other in zip(looks[::2], looks[1::2], strict=True))


def test_half_of_the_weight_is_on_the_picture_as_it_is() -> None:
    answers = iter([[0.8, 0.2], [0.5, 0.5], [0.5, 0.5]])
    (found,) = average_views(lambda _: np.array([next(answers)], np.float32), PICTURE, False)
    ratio = np.sqrt(0.8 / 0.2)  # half of its logit, and nothing from the others
    assert found == pytest.approx([ratio / (1 + ratio), 1 / (1 + ratio)], abs=1e-6)


def test_a_certain_view_gives_finite_probabilities() -> None:
    (found,) = average_views(lambda _: np.array([[1, 0]], np.float32), PICTURE, True)
    assert found.tolist() == pytest.approx([1, 0])


def pictures(count=5, height=6, width=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def by_position(images):
    """A fixed network: each class looks at the pixels in its own way."""
    weights = np.random.default_rng(7).normal(size=(images[0].size, 3))
    logits = images.reshape(len(images), -1) / 255 @ weights
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype("float32")


@pytest.mark.parametrize("mirror", [True, False])
def test_it_equals_the_weighted_mean_over_a_loop_of_all_views(mirror):
    images = pictures()
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    total = np.zeros((5, 3))
    for (y, x), weight in {(1, 1): 0.5, (0, 0): 0.25, (2, 2): 0.25}.items():
        view = padded[:, y:y + 6, x:x + 4]
        sides = [view, view[:, :, ::-1]] if mirror else [view]
        for side in sides:
            total += weight / len(sides) * np.log(by_position(side))
    wanted = np.exp(total) / np.exp(total).sum(axis=1, keepdims=True)
    result = average_views(by_position, images, mirror)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, wanted, rtol=1e-4)


def test_images_of_one_pixel_can_be_averaged():
    assert average_views(lambda images: np.ones((len(images), 2), "float32") / 2,
                         np.zeros((3, 1, 1, 1), np.uint8), True).shape == (3, 2)


def test_the_mean_of_two_answers_is_that_of_their_logits() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 5, 4))
    first, second = softmax(logits, axis=2).astype(np.float32)
    assert np.allclose(geometric_mean(first, second), softmax(logits.mean(0), axis=1), atol=1e-6)


def test_a_class_that_one_answer_rules_out_stays_out_of_the_mean() -> None:
    (found,) = geometric_mean(np.array([[1, 0]], np.float32), np.array([[0.5, 0.5]], np.float32))
    assert found.sum() == 1 and found[1] < 1e-9
