"""Averaging over views: which views, with which weights, and what their mean is."""

from __future__ import annotations

import numpy as np
import pytest

from cnn.prediction.averaging import average_views, view_count

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
