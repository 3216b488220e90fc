"""Networks that reach high accuracy with little arithmetic, and the recipe that trains them so.

After Keller Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (arXiv 2404.00498) and its
successors with the Muon optimizer (github.com/KellerJordan/cifar10-airbench): a fixed whitening
layer, three groups of convolutions that start as identities, batch normalisation without scale,
and a head with small outputs. SiLU stands for GELU, which takes twice the time on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable

from cnn.config import Augmentation
from cnn.models.registry import register
from cnn.models.specs import Activation, GlobalMaxPool, LayerSpec, MaxPool, Scale, Shape, Skip
from cnn.models.weighted import BatchNorm, Conv, Dense, Whitening

Group = Callable[[int], tuple[LayerSpec, ...]]  # from its width to its layers

_PATCH = 2  # pixels, height and width of what the whitening layer sees
_MOMENTUM = 0.6  # short memory: the last epochs change the statistics quickly
_HEAD = Dense(0, bias=False, unit=True)
_SOURCE = "After Keller Jordan, arXiv 2404.00498, and his airbench with Muon"
# A quarter of the published batch, since a training must fit into 3 GB of memory (2,000 images of
# `speedrun` took 3.2), with half of its rate, so that the noise of an epoch stays the same.
_RECIPE = {
    "batch_size": 500, "optimizer": "muon", "learning_rate": 0.12, "label_smoothing": 0.2,
    "augmentation": Augmentation(shift=0.0625, flip=True),  # 2 of 32 pixels
}


@register("speedrun", "Whitening and three groups of convolutions: the most accuracy per minute.",
          recipe=_RECIPE, head=_HEAD, source=_SOURCE)
def speedrun(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return the network that takes CIFAR-10 to 94 % with 0.3 PFLOP."""
    return _network(input_shape, (64, 256, 256), _pair)


@register("speedrun-small", "A third of speedrun's width: for a first result within a minute.",
          recipe=_RECIPE, head=_HEAD, source=_SOURCE)
def speedrun_small(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return the network for the shortest trainings."""
    return _network(input_shape, (32, 96, 128), _pair)


@register("speedrun-deep", "Speedrun with three convolutions a group and skips: for hours.",
          recipe={**_RECIPE, "augmentation": Augmentation(shift=0.125, flip=True, cutout=0.25)},
          head=_HEAD, source=_SOURCE)
def speedrun_deep(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return the deeper network, with stronger augmentation since it learns images by heart."""
    return _network(input_shape, (96, 256, 288), _triple)


# With batches of 500 a short training took 2.71 GB in bfloat16.
@register("speedrun-wide", "Speedrun-deep at up to twice the width: for many hours.",
          recipe={**_RECIPE, "batch_size": 250, "learning_rate": 0.085,
                  "augmentation": Augmentation(shift=0.125, flip=True, cutout=0.375)},
          head=_HEAD, source=_SOURCE)
def speedrun_wide(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return the network of the published 96 %, with 10 million weights."""
    return _network(input_shape, (128, 384, 512), _triple)


def _network(
    input_shape: Shape, widths: tuple[int, int, int], group: Group
) -> tuple[LayerSpec, ...]:
    groups = [layer for width in widths for layer in group(width)]
    return (Whitening(_PATCH).fitted(input_shape[-1]), Activation("silu"), *groups,
            GlobalMaxPool(), Scale(1 / widths[-1]))


def _pair(width: int) -> tuple[LayerSpec, ...]:
    return (_conv(width), MaxPool(), _norm(), Activation("silu"),
            _conv(width), _norm(), Activation("silu"))


def _triple(width: int) -> tuple[LayerSpec, ...]:
    # From before the skip: the activation six rows above is what the group's first part gave.
    return (*_pair(width), _conv(width), _norm(), Skip(6), Activation("silu"))


def _conv(width: int) -> Conv:
    return Conv(width, 3, bias=False, identity=True)


def _norm() -> BatchNorm:
    return BatchNorm(scale=False, momentum=_MOMENTUM)
