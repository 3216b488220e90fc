"""The strongest of the standard networks: pairs of small convolutions in the manner of VGG.

After Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition"
(arXiv 1409.1556), made smaller and with batch normalisation and dropout.
"""

from __future__ import annotations

from cnn.config import Augmentation
from cnn.models.registry import register
from cnn.models.specs import Activation, Dropout, Flatten, LayerSpec, MaxPool, Shape
from cnn.models.weighted import BatchNorm, Conv, Dense

_DECAY = 1e-4
_STAGES = ((64, 0.2), (128, 0.3), (256, 0.4))  # filters and dropout


@register("vgg-bn", "Pairs of 3×3 convolutions with batch normalisation: slow and most accurate.",
          recipe={"augmentation": Augmentation(rotation=15, shift=0.1, flip=True)},
          source="After Simonyan and Zisserman, arXiv 1409.1556")
def vgg_bn(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return three stages of two convolutions each, and a dense layer."""
    stages = [layer for filters, rate in _STAGES for layer in
              (*_convolution(filters), *_convolution(filters), MaxPool(), Dropout(rate))]
    dense = (Dense(256, l2=_DECAY), BatchNorm(), Activation("relu"), Dropout(0.5))
    return (*stages, Flatten(), *dense)


def _convolution(filters: int) -> tuple[LayerSpec, ...]:
    return Conv(filters, 3, l2=_DECAY), BatchNorm(), Activation("relu")
