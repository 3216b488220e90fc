"""Descriptions of the layers that have weights. What a description is, is said in `specs`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

from cnn.models.specs import LayerSpec, Shape, check_fits, readable


@dataclass(frozen=True)
class Conv(LayerSpec):
    """Square convolution with stride 1."""

    filters: int
    kernel: int
    activation: Literal["relu"] | None = None
    padding: Literal["same", "valid"] = "same"
    l2: float = 0.0  # weight of the squared kernel in the loss
    bias: bool = True
    identity: bool = False  # starts by passing its input on, as far as there are filters

    prefix = "conv"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        size = f"Conv {self.kernel}×{self.kernel}"
        padding = "no padding" if self.padding == "valid" else ""
        return _joined(size, str(self.filters), readable(self.activation), padding, _decay(self.l2))

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; without padding the kernel must fit into the input."""
        height, width, _ = shape
        if self.padding == "same":
            return height, width, self.filters
        check_fits(self.label, self.kernel, shape)
        return height - self.kernel + 1, width - self.kernel + 1, self.filters

    def parameters(self, shape: Shape) -> int:
        """Return the number of kernel weights and biases."""
        return self.filters * (self._inputs(shape) + self.bias)

    def multiply_adds(self, shape: Shape) -> int:
        """Return the multiply-adds for one image."""
        return prod(self.output_shape(shape)) * self._inputs(shape)

    def _inputs(self, shape: Shape) -> int:
        return self.kernel * self.kernel * shape[-1]


@dataclass(frozen=True)
class Whitening(LayerSpec):
    """Convolution whose kernels turn patches of training images into unrelated values.

    Two kernels for each direction in which patches vary, one the negative of the other, and a bias
    that takes off the mean colour. Nothing in it is trained.
    """

    filters: int
    kernel: int

    prefix = "whitening"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Whitening {self.kernel}×{self.kernel}, {self.filters}, not trained"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; the kernel must fit into the input."""
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
    activation: Literal["relu"] | None = None
    l2: float = 0.0  # weight of the squared kernel in the loss
    bias: bool = True
    unit: bool = False  # starts with weights of standard deviation 1

    prefix = "dense"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return _joined("Dense", str(self.units), readable(self.activation), _decay(self.l2))

    def output_shape(self, shape: Shape) -> Shape:
        """Return the number of units as a shape."""
        return (self.units,)

    def parameters(self, shape: Shape) -> int:
        """Return the number of kernel weights and biases."""
        return self.units * (shape[0] + self.bias)

    def multiply_adds(self, shape: Shape) -> int:
        """Return the multiply-adds for one image."""
        return self.units * shape[0]


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _decay(l2: float) -> str:
    return f"L2 {l2:g}" if l2 else ""
