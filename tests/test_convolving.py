"""Convolution and pooling by NumPy: the same values as Keras, and each value explained."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnn.errors import BadInput
from cnn.models.convolving import (
    ACTIVATIONS,
    Way,
    activated,
    convolve,
    normalised,
    pool,
    share_of_channel,
    softmax,
    work_out,
)

RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(size=(9, 7, 3)).astype(np.float32)
WAYS = [Way((3, 3), (1, 1), "same"), Way((3, 3), (1, 1), "valid"), Way((3, 3), (2, 2), "same"),
        Way((2, 2), (2, 1), "valid"), Way((5, 3), (3, 2), "same"), Way((2, 2), (1, 1), "same"),
        Way((3, 2), (1, 1), "same", (2, 3)), Way((3, 3), (1, 1), "valid", (2, 2))]


def kernel_of(way: Way) -> np.ndarray:
    return RANDOM.normal(size=(*way.window, 3, 4)).astype(np.float32)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_value_is_that_of_keras(way: Way) -> None:
    kernel, bias = kernel_of(way), np.array([0.5, -1.0, 0.0, 2.0], np.float32)
    layer = keras.layers.Conv2D(4, way.window, strides=way.stride, padding=way.padding,
                                dilation_rate=way.dilation)
    layer.build((None, *VALUES.shape))
    layer.set_weights([kernel, bias])
    expected = np.asarray(layer(VALUES[None]))[0]
    assert way.output_size((9, 7)) == expected.shape[:2]
    for number in range(4):
        mine = convolve(VALUES, kernel[..., number], bias[number], way)
        assert np.allclose(mine, expected[..., number], atol=1e-4)
    for place in ((0, 0), (expected.shape[0] - 1, expected.shape[1] - 1), (1, 1)):
        worked = work_out(VALUES, kernel[..., 1], bias[1], way, place)
        assert worked.products.shape == worked.patch.shape == (*way.window, 3)
        assert worked.sum == pytest.approx(sum(worked.products.ravel().tolist()))
        assert worked.value == pytest.approx(float(expected[(*place, 1)]), abs=1e-4)


def test_the_patch_is_what_lies_below_the_kernel_with_zeros_outside() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4, 1) + 1
    way = Way((3, 3), (1, 1), "same")
    kernel = np.ones((3, 3, 1), np.float32)
    corner = work_out(values, kernel, 0.0, way, (0, 0))
    assert corner.patch[..., 0].tolist() == [[0, 0, 0], [0, 1, 2], [0, 5, 6]]
    assert (corner.sum, way.corner((0, 0), (3, 4))) == (14, (-1, -1))
    assert work_out(values, kernel, 0.0, way, (1, 2)).patch[..., 0].tolist() == \
        [[2, 3, 4], [6, 7, 8], [10, 11, 12]]


def test_the_channels_add_up_to_the_whole() -> None:
    way = WAYS[0]
    kernel = kernel_of(way)[..., 2]
    parts = [share_of_channel(VALUES, kernel, way, channel) for channel in range(3)]
    assert np.allclose(sum(parts) + 0.25, convolve(VALUES, kernel, 0.25, way))


@pytest.mark.parametrize(("size", "window", "stride", "padding", "expected"), [
    (32, 3, 1, 0, 30), (32, 3, 1, 1, 32), (32, 5, 2, 2, 16), (7, 3, 3, 1, 3), (8, 3, 2, "same", 4),
    (8, 8, 1, "valid", 1)])
def test_the_size_follows_the_formula(size, window, stride, padding, expected) -> None:
    way = Way((window, window), (stride, stride), padding)
    assert way.output_size((size, size)) == (expected, expected)
    if isinstance(padding, int):
        assert expected == (size + 2 * padding - window) // stride + 1


def test_a_window_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(BadInput, match="does not fit"):
        Way((5, 5)).output_size((4, 9))
    with pytest.raises(BadInput, match="no place 7, 0"):
        work_out(VALUES, np.zeros((3, 3, 3), np.float32), 0.0, Way((3, 3)), (7, 0))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pooling_is_that_of_keras(kind: str, padding: str) -> None:
    made = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[kind]
    expected = np.asarray(made((3, 2), (2, 2), padding=padding)(VALUES[None]))[0]
    assert np.allclose(pool(VALUES, Way((3, 2), (2, 2), padding), kind), expected, atol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_keras(name: str) -> None:
    expected = np.asarray(keras.activations.get(name)(VALUES * 5))
    assert np.allclose(activated(VALUES * 5, name), expected, atol=1e-5)


def test_batch_normalisation_is_that_of_keras() -> None:
    layer = keras.layers.BatchNormalization(epsilon=0.01)
    layer.build((None, 3))
    gamma, beta, mean, variance = RANDOM.uniform(0.5, 2, size=(4, 3))
    layer.set_weights([gamma, beta, mean, variance])
    expected = np.asarray(layer(VALUES.reshape(-1, 3), training=False)).reshape(VALUES.shape)
    assert np.allclose(normalised(VALUES[..., 1], mean[1], variance[1], 0.01, gamma[1], beta[1]),
                       expected[..., 1], atol=1e-4)


def test_softmax_gives_shares_also_of_large_logits() -> None:
    assert softmax([1000.0, 1000.0]).tolist() == [0.5, 0.5]
    assert np.allclose(softmax([0, np.log(3)]), [0.25, 0.75])
