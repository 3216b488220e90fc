"""The fully connected baseline: what an image classifier reaches without any convolution."""

from __future__ import annotations

from cnn.models.registry import register
from cnn.models.specs import Flatten, LayerSpec, Shape
from cnn.models.weighted import Dense


@register("dense", "Fully connected layers only: the baseline that convolutions must beat.")
def dense(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return two hidden layers on the flattened image."""
    return Flatten(), Dense(256, "relu"), Dense(128, "relu")
