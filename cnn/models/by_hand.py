"""The network that `tf_nn` executes with operations of `tf.nn` instead of Keras layers."""

from __future__ import annotations

from cnn.models.registry import register
from cnn.models.specs import Dropout, Flatten, LayerSpec, MaxPool, Shape
from cnn.models.weighted import Conv, Dense


@register("tf-nn", "Three convolution stages written by hand with tf.nn, to see what layers do.",
          engine="tf.nn")
def tf_nn(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return three stages of convolution and pooling, dropout and a dense layer."""
    stages = [layer for filters in (32, 64, 128)
              for layer in (Conv(filters, 3, "relu"), MaxPool())]
    return (*stages, Flatten(), Dropout(0.5), Dense(256, "relu"))
