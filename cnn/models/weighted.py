"""Descriptions of the layers that have weights. What a description is, is said in `specs`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from cnn.models.specs import (
    ActivationName,
    FirstWeights,
    LayerSpec,
    Padding,
    Shape,
    check_fits,
    feature_map,
    joined,
    places,
    readable,
    row_length,
)
from cnn.models.winograd import pays, work


@dataclass(frozen=True)
class Conv(LayerSpec):
    """Square convolution."""

    filters: int
    kernel: int
    activation: ActivationName | None = None
    padding: Padding = "same"
    l2: float = 0.0  # weight of the squared kernel in the loss
    bias: bool = True
    identity: bool = False  # starts by passing its input on, as far as there are filters
    stride: int = 1
    init: FirstWeights = "glorot"

    prefix = "conv"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        size = f"Conv {self.kernel}×{self.kernel}"
        stride = f"stride {self.stride}" if self.stride > 1 else ""
        padding = "no padding" if self.padding == "valid" else ""
        return joined(size, str(self.filters), stride, readable(self.activation), padding,
                      _decay(self.l2))

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; without padding the kernel must fit into the input."""
        height, width, _ = feature_map(self.label, shape)
        if self.padding == "valid":
            check_fits(self.label, self.kernel, shape)
        return (places(height, self.kernel, self.stride, self.padding),
                places(width, self.kernel, self.stride, self.padding), self.filters)

    def parameters(self, shape: Shape) -> int:
        """Return the number of kernel weights and biases."""
        return self.filters * (self._inputs(shape) + self.bias)

    def multiply_adds(self, shape: Shape) -> int:
        """Return the multiply-adds for one image."""
        return prod(self.output_shape(shape)) * self._inputs(shape)

    def quick(self, shape: Shape, precision: str) -> bool:
        """Return whether training has a quicker way to compute it: see `winograd`."""
        return (self.kernel, self.stride) == (3, 1) and pays(
            shape, self.filters, self.padding, precision)

    def training_work(self, shape: Shape, precision: str) -> int:
        """Return the multiply-adds that would take as long, in training with this precision."""
        return work(shape, self.filters, self.padding, precision) if (
            self.quick(shape, precision)) else self.multiply_adds(shape)

    def _inputs(self, shape: Shape) -> int:
        return self.kernel * self.kernel * shape[-1]


@dataclass(frozen=True)
class Whitening(LayerSpec):
    """Convolution whose kernels turn patches of training images into unrelated values.

    Two kernels for each direction in which patches vary, one the negative of the other, and a bias
    that takes off the mean colour. Nothing in it is trained.
    """

    kernel: int
    filters: int = 0  # for images of some number of channels: see `fitted`

    prefix = "whitening"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Whitening {self.kernel}×{self.kernel}, {self.filters}, not trained"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; the kernel must fit into the input."""
        feature_map(self.label, shape)
        check_fits(self.label, self.kernel, shape)
        return self._convolution.output_shape(shape)

    def parameters(self, shape: Shape) -> int:
        """Return the number of kernel weights and biases."""
        return self._convolution.parameters(shape)

    def trainable_parameters(self, shape: Shape) -> int:
        """Return 0."""
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        """Return the multiply-adds for one image."""
        return self._convolution.multiply_adds(shape)

    def fitted(self, channels: int) -> Whitening:
        """Return the layer for images of so many channels."""
        return Whitening(self.kernel, 2 * self.kernel * self.kernel * channels)

    @property
    def _convolution(self) -> Conv:
        return Conv(self.filters, self.kernel, padding="valid")


@dataclass(frozen=True)
class BatchNorm(LayerSpec):
    """Batch normalisation with offset and moving statistics, and usually scale, per channel."""

    scale: bool = True
    momentum: float = 0.99  # of the moving statistics

    prefix = "norm"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return "Batch normalisation"

    def parameters(self, shape: Shape) -> int:
        """Return the number of weights: scale, offset, moving mean and moving variance."""
        return (3 + self.scale) * shape[-1]

    def trainable_parameters(self, shape: Shape) -> int:
        """Return the number of scales and offsets; the moving statistics are not trained."""
        return (1 + self.scale) * shape[-1]


@dataclass(frozen=True)
class Dense(LayerSpec):
    """Fully connected layer, for an input of one row of values."""

    units: int
    activation: ActivationName | None = None
    l2: float = 0.0  # weight of the squared kernel in the loss
    bias: bool = True
    unit: bool = False  # starts with weights of standard deviation 1, whatever `init` says
    init: FirstWeights = "glorot"

    prefix = "dense"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return joined("Dense", str(self.units), readable(self.activation), _decay(self.l2))

    def output_shape(self, shape: Shape) -> Shape:
        """Return the number of units as a shape."""
        row_length(self.label, shape)
        return (self.units,)

    def parameters(self, shape: Shape) -> int:
        """Return the number of kernel weights and biases."""
        return self.units * (shape[0] + self.bias)

    def multiply_adds(self, shape: Shape) -> int:
        """Return the multiply-adds for one image."""
        return self.units * shape[0]


def _decay(l2: float) -> str:
    return f"L2 {l2:g}" if l2 else ""
