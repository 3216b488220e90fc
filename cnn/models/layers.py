"""What models here have beyond plain Keras: a quicker batch normalisation, and seeds per layer.

Imports TensorFlow: for trainer and engine only. Knows nothing of architectures.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf


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
