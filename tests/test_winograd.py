"""The quick convolution gives what SciPy gives, its gradients are TensorFlow's, and it is used."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d

from cnn.config import PRECISIONS
from cnn.models import winograd
from cnn.models.build import build_model, float32_copy
from cnn.models.layers import WinogradConv2D, convolve
from cnn.models.specs import Padding
from cnn.models.winograd import KERNEL, LARGEST, matrices

SIZES = [(1, 1), (2, 5), (3, 3), (4, 4), (7, 7), (8, 9), (15, 6), (2, 33)]
CASES = [(height, width, padding) for height, width in SIZES for padding in ("same", "valid")
         if padding == "same" or min(height, width) > 2]


def drawn(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(("height", "width", "padding"), CASES)
def test_every_size_gives_what_scipy_gives(height: int, width: int, padding: Padding) -> None:
    images, kernel = drawn(2, height, width, 3), drawn(3, 3, 3, 5, seed=1)
    wanted = np.stack([
        np.stack([sum(correlate2d(image[..., c], kernel[..., c, f], mode=padding)
                      for c in range(3)) for f in range(5)], axis=-1)
        for image in images.astype(np.float64)])
    given = np.asarray(convolve(tf.constant(images), tf.constant(kernel), padding))
    assert given.shape == wanted.shape
    assert np.abs(given - wanted).max() < 3e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_gradients_are_those_of_the_plain_convolution(padding: Padding) -> None:
    images, kernel = tf.constant(drawn(4, 9, 7, 6)), tf.constant(drawn(3, 3, 6, 8, seed=1))

    @tf.function(input_signature=[tf.TensorSpec([None, 9, 7, 6]), tf.TensorSpec([3, 3, 6, 8])])
    def quick(images: Any, kernel: Any) -> Any:  # how many images there are is not known before
        return convolve(images, kernel, padding)

    def gradients(operation: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            outputs = operation()
            loss = tf.reduce_sum(outputs * drawn(*outputs.shape, seed=2))
        return [np.asarray(part) for part in tape.gradient(loss, [images, kernel])]

    ours = gradients(lambda: quick(images, kernel))
    plain = gradients(lambda: tf.nn.conv2d(images, kernel, 1, padding.upper()))
    for one, other in zip(ours, plain, strict=True):
        assert np.abs(one - other).max() < 3e-5 * np.abs(other).max()


def rounded(*shape: int, seed: int = 0) -> Any:
    return tf.cast(drawn(*shape, seed=seed), tf.bfloat16)


def relative(given: Any, wanted: Any) -> float:
    """Return the root mean square of the errors, by that of the values."""
    wanted = np.asarray(wanted)
    return float(np.linalg.norm(np.asarray(tf.cast(given, tf.float32)) - wanted)
                 / np.linalg.norm(wanted))


def test_bfloat16_and_its_gradients_are_right_to_two_per_cent() -> None:
    images, kernel = rounded(8, 14, 14, 64), rounded(3, 3, 64, 64, seed=1)
    given = rounded(8, 14, 14, 64, seed=2)

    def results(operation: Any, *values: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(values[:2])
            outputs = operation(*values[:2])
        return [outputs, *tape.gradient(outputs, values[:2], values[2])]

    ours = results(lambda *pair: convolve(*pair, "same"), images, kernel, given)
    exact = results(lambda *pair: tf.nn.conv2d(*pair, 1, "SAME"),
                    *(tf.cast(value, tf.float32) for value in (images, kernel, given)))
    assert [part.dtype for part in ours] == [tf.bfloat16] * 3
    assert all(relative(one, other) < 0.02 for one, other in zip(ours, exact, strict=True))


def test_the_change_of_basis_is_exact_in_bfloat16() -> None:
    for matrix in matrices(15, "same"):
        assert np.array_equal(tf.cast(tf.cast(matrix, tf.bfloat16), tf.float32), matrix)


def test_the_points_keep_rounding_errors_smaller_than_those_of_the_paper() -> None:
    # Of 1-D: each product's error has the size of the product; inputs and kernels are random.
    def growth(into: Any, kernel: Any, out: Any) -> float:
        squares = (np.square(part) for part in (into, kernel, out))
        values, weights, outputs = squares
        return float(np.mean(outputs @ (values.sum(1) * weights.sum(1))) / 3)

    down, up = matrices(4 + 2, "valid")  # one tile
    paper = (np.array([[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
                       [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]]),
             np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4],
                       [0, 0, 24]]) / 24,
             np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0],
                       [0, 1, -1, 8, -8, 1]]))
    assert growth(down, KERNEL, up) < growth(*paper) / 2


def test_the_layer_is_keras_with_bias_activation_and_any_number_of_images() -> None:
    settings: dict[str, Any] = {"padding": "same", "activation": "relu", "kernel_regularizer": "l2"}
    plain, quick = keras.layers.Conv2D(70, 3, **settings), WinogradConv2D(70, 3, **settings)
    for layer in (plain, quick):
        layer.build((None, 6, 6, 65))
    quick.set_weights([drawn(*weight.shape) for weight in plain.get_weights()])
    plain.set_weights(quick.get_weights())
    for count in (1, 3):
        images = drawn(count, 6, 6, 65)
        assert np.asarray(quick(images)) == pytest.approx(np.asarray(plain(images)), abs=2e-3)
    assert float(quick.losses[0]) == pytest.approx(float(plain.losses[0]))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_it_pays_with_many_channels_and_not_where_a_change_of_basis_costs_more(
        precision: str) -> None:
    def pays(shape: tuple[int, int, int], filters: int, padding: Padding) -> bool:
        return winograd.pays(shape, filters, padding, precision)

    assert pays((16, 16, 128), 128, "same")
    assert pays((7, 7, 256), 256, "same")
    assert not pays((32, 32, 3), 64, "same")  # three channels share the cost
    assert not pays((32, 32, 32), 32, "same")  # measured: 0.8 times as fast
    assert not pays((1, 1, 64), 64, "same")  # 36 products for one place
    assert not pays((2, 2, 256), 256, "valid")  # no place at all: refused elsewhere, in words
    assert not pays((LARGEST + 1, 8, 256), 256, "same")


def quick_layers(model: Any) -> list[str]:
    return [layer.name for layer in model.layers if isinstance(layer, WinogradConv2D)]


def test_bfloat16_which_computes_faster_uses_it_for_fewer_layers() -> None:
    model = build_model("speedrun", (32, 32, 3), 10, precision="bfloat16", training=True)
    assert quick_layers(model) == ["conv_3", "conv_4", "conv_5", "conv_6"]


def test_training_uses_it_and_saved_models_never() -> None:
    shape = (32, 32, 3)
    training = build_model("speedrun", shape, 10, training=True)
    assert quick_layers(training) == ["conv_2", "conv_3", "conv_4", "conv_5", "conv_6"]
    saved = float32_copy(training, "speedrun")
    assert not quick_layers(saved)
    images = np.random.default_rng(0).integers(0, 256, (8, *shape)).astype(np.float32)
    assert np.asarray(training(images)) == pytest.approx(np.asarray(saved(images)), abs=1e-4)


def test_other_kernels_and_strides_keep_keras_layer() -> None:
    model = build_model("resnet", (32, 32, 3), 10, training=True)
    quick = [model.get_layer(name) for name in quick_layers(model)]
    assert quick
    assert {(layer.kernel_size, layer.strides) for layer in quick} == {((3, 3), (1, 1))}
    others = [layer for layer in model.layers
              if isinstance(layer, keras.layers.Conv2D) and layer not in quick]
    assert any(layer.kernel_size == (1, 1) or layer.strides == (2, 2) for layer in others)
