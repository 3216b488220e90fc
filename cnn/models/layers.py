"""What models here have beyond plain Keras: quicker layers for training, and seeds per layer.

Imports TensorFlow: for trainer and engine only. Knows nothing of architectures; saved models have
Keras's own layers instead.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnn.models.specs import Padding
from cnn.models.winograd import KERNEL, TILE, matrices


def derived_seed(seed: int, index: int) -> int:
    """Return the seed of the layer at `index` in a network: the same for the same arguments."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0] >> 1)


@keras.saving.register_keras_serializable(package="cnn")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation of feature maps (N, H, W, C) in one fused operation.

    Same weights, in the same order, and same results as the Keras layer, which normalises with a
    chain of operations and takes several times as long on a CPU. Takes and returns float32 or
    bfloat16; weights and statistics are always float32.
    """

    def add_weight(self, *args: Any, **kwargs: Any) -> Any:
        """Add a weight that stays float32 in a bfloat16 network, as the fused operation asks."""
        return super().add_weight(*args, **{**kwargs, "autocast": False})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised inputs, and update the moving statistics in training."""
        scale = self.gamma if self.scale else tf.ones_like(self.moving_mean)
        if not (training and self.trainable):
            outputs, _, _ = tf.compat.v1.nn.fused_batch_norm(
                inputs, scale, self.beta, self.moving_mean, self.moving_variance,
                epsilon=self.epsilon, is_training=False)
            return outputs
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, scale, self.beta, epsilon=self.epsilon, is_training=True)
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        biased = variance * ((count - 1) / count)  # the operation divides by count - 1, Keras not
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, biased)
        return outputs

    def _move(self, statistic: Any, value: Any) -> None:
        statistic.assign(statistic * self.momentum + value * (1 - self.momentum))


@keras.saving.register_keras_serializable(package="cnn")
class QuickSilu(keras.layers.Activation):
    """Keras's SiLU with a gradient that takes half as long in bfloat16.

    TensorFlow's computes the logistic function again, five times as slow in bfloat16 as the
    activation itself.
    """

    def call(self, inputs: Any) -> Any:
        """Return `inputs` times their logistic function, of the dtype of `inputs`."""
        return _silu(inputs)


@tf.custom_gradient
def _silu(inputs: Any) -> Any:
    outputs = tf.nn.silu(inputs)

    def gradient(given: Any) -> Any:
        logistic = tf.where(inputs == 0, tf.constant(0.5, inputs.dtype), outputs / inputs)
        return given * (logistic + outputs - outputs * logistic)

    return outputs, gradient


@keras.saving.register_keras_serializable(package="cnn")
class WinogradConv2D(keras.layers.Conv2D):
    """Keras's convolution, computed by `convolve`: for 3×3 kernels and stride 1 alone.

    Same arguments, same weights and, as exactly as `convolve` says, same results.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Return the convolution, without bias and activation."""
        return convolve(inputs, tf.convert_to_tensor(kernel), self.padding)


def convolve(inputs: Any, kernel: Any, padding: Padding) -> Any:
    """Return the convolution with stride 1 of feature maps and 3×3 kernels.

    Args:
        inputs: float32 or bfloat16 (N, height, width, channels), all but N known.
        kernel: float32 or bfloat16 (3, 3, channels, filters).
        padding: As in Keras.

    Returns:
        (N, rows, columns, filters) of the dtype of `inputs`, as `tf.nn.conv2d` in float32: the root
        mean square of the errors is about 1e-6 of that of the values in float32, 1.5 % in bfloat16.
    """
    down, up = matrices(inputs.shape[1], padding)
    right, left = matrices(inputs.shape[2], padding)

    @tf.custom_gradient
    def product(values: Any, kernel: Any) -> Any:
        given_kernel = tf.cast(kernel, values.dtype)

        def gradients(given: Any) -> tuple[Any, Any]:
            wanted = _tiles(_turned(given, up.T, left.T))
            of_tiles = tf.matmul(wanted, given_kernel, transpose_b=True)
            of_values = _turned(_maps(of_tiles, len(right)), down.T, right.T)
            # Made again, once `given` is there: kept, it would take hundreds of MB in all layers.
            with tf.control_dependencies([given]):
                again = _tiles(_turned(tf.identity(values), down, right))
            of_kernel = tf.cast(tf.matmul(again, wanted, transpose_a=True), kernel.dtype)
            return of_values, tf.reduce_sum(of_kernel, 1, keepdims=True)

        products = tf.matmul(_tiles(_turned(values, down, right)), given_kernel)
        return _turned(_maps(products, len(right)), up, left), gradients

    # Places first and images behind them: then each change of basis is one product of a small
    # matrix with a large one, without gathering tiles, which took most of the time.
    outputs = product(tf.transpose(inputs, [1, 2, 0, 3]), _changed(kernel))
    return tf.transpose(outputs, [2, 0, 1, 3])


def _turned(values: Any, one: Any, other: Any) -> Any:
    """Return (rows, columns, N, channels) with rows and columns multiplied by a matrix each."""
    _, columns, _, channels = values.shape
    count, dtype = tf.shape(values)[2], values.dtype
    values = tf.matmul(tf.constant(one, dtype),
                       tf.reshape(values, [-1, columns * count * channels]))
    values = tf.matmul(tf.constant(other, dtype),
                       tf.reshape(values, [len(one), columns, count * channels]))
    return tf.reshape(values, [len(one), len(other), count, channels])


def _tiles(values: Any) -> Any:
    """Return (6 * tiles, 6 * tiles, N, channels) as (6, tiles, 6, tiles * N, channels)."""
    tall, _, _, channels = values.shape
    return tf.reshape(values, [TILE, tall // TILE, TILE, -1, channels])


def _maps(tiles: Any, columns: int) -> Any:
    """Undo `_tiles`, for so many columns."""
    _, down, _, _, channels = tiles.shape
    return tf.reshape(tiles, [TILE * down, columns, -1, channels])


def _changed(kernel: Any) -> Any:
    """Return a kernel in the other basis: float32 (6, 1, 6, channels, filters), for all tiles."""
    both = np.kron(KERNEL, KERNEL).astype(np.float32)  # for rows and columns at once
    values = tf.matmul(both, tf.reshape(tf.cast(kernel, tf.float32), [9, -1]))
    return tf.reshape(values, [TILE, 1, TILE, *kernel.shape[2:]])
