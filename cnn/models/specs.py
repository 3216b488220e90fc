"""Small frozen descriptions of layers: the one source of both layer tables and Keras models.

A description knows its shapes, parameters and multiply-adds. It knows neither TensorFlow nor where
in a network it stands. Shapes leave out the batch: (height, width, channels) or (units,).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from cnn.errors import BadInput

Shape = tuple[int, ...]
_READABLE = {"relu": "ReLU", "silu": "SiLU", "softmax": "Softmax"}


@dataclass(frozen=True)
class LayerSpec:
    """One layer. The defaults fit a layer that keeps the shape and has no parameters."""

    prefix: ClassVar[str]  # of the layer's name in a network: conv gives conv_1, conv_2, ...

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        raise NotImplementedError

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape for an input of `shape`.

        Raises:
            BadInput: If nothing would be left of the feature map.
        """
        return shape

    def parameters(self, shape: Shape) -> int:
        """Return how many weights there are, counted as Keras's `count_params` does."""
        return 0

    def trainable_parameters(self, shape: Shape) -> int:
        """Return how many of the weights training changes by gradients."""
        return self.parameters(shape)

    def multiply_adds(self, shape: Shape) -> int:
        """Return the multiply-adds for one image, of convolutions and dense layers.

        Zero padding counts as input. Cheap work on single values (pooling, activation, batch
        normalisation, biases) is left out, as is usual in publications.
        """
        return 0


@dataclass(frozen=True)
class Rescaling(LayerSpec):
    """Pixel values 0 to 255 become 0 to 1."""

    prefix = "rescaling"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return "Rescale 0–255 to 0–1"


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
        return _joined(size, str(self.filters), _named(self.activation), padding, _decay(self.l2))

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; without padding the kernel must fit into the input."""
        height, width, _ = shape
        if self.padding == "same":
            return height, width, self.filters
        _check_fits(self.label, self.kernel, shape)
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
class _Pool(LayerSpec):
    """Square windows side by side; rows and columns that fill no window are left out."""

    size: int = 2

    prefix = "pool"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; one window must fit into the input."""
        _check_fits(self.label, self.size, shape)
        height, width, channels = shape
        return height // self.size, width // self.size, channels


@dataclass(frozen=True)
class MaxPool(_Pool):
    """The largest value of each window."""

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Max pool {self.size}×{self.size}"


@dataclass(frozen=True)
class AveragePool(_Pool):
    """The mean of each window."""

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Average pool {self.size}×{self.size}"


@dataclass(frozen=True)
class GlobalMaxPool(LayerSpec):
    """The largest value of each channel, as one row of values."""

    prefix = "global_pool"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return "Global max pool"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the number of channels as a shape."""
        return (shape[-1],)


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
class Activation(LayerSpec):
    """A function on each value, or softmax over the units."""

    name: Literal["relu", "silu", "softmax"]

    prefix = "activation"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return _named(self.name)


@dataclass(frozen=True)
class Scale(LayerSpec):
    """Multiplies all values by one fixed number."""

    factor: float

    prefix = "scale"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Times {self.factor:.4g}"


@dataclass(frozen=True)
class Skip(LayerSpec):
    """Adds the output of the layer so many places before, which has the same shape."""

    back: int

    prefix = "skip"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Add what came out {self.back} rows above"


@dataclass(frozen=True)
class Dropout(LayerSpec):
    """Sets this share of the values to zero, in training only."""

    rate: float

    prefix = "dropout"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Dropout {self.rate:g}"


@dataclass(frozen=True)
class Flatten(LayerSpec):
    """The feature map as one row of values."""

    prefix = "flatten"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return "Flatten"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the number of values as a shape."""
        return (prod(shape),)


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
        return _joined("Dense", str(self.units), _named(self.activation), _decay(self.l2))

    def output_shape(self, shape: Shape) -> Shape:
        """Return the number of units as a shape."""
        return (self.units,)

    def parameters(self, shape: Shape) -> int:
        """Return the number of kernel weights and biases."""
        return self.units * (shape[0] + self.bias)

    def multiply_adds(self, shape: Shape) -> int:
        """Return the multiply-adds for one image."""
        return self.units * shape[0]


def named_layers(layers: tuple[LayerSpec, ...]) -> tuple[tuple[str, LayerSpec], ...]:
    """Return each layer with its name: the prefix of its kind and a count from 1."""
    counts: dict[str, int] = {}
    named = []
    for layer in layers:
        counts[layer.prefix] = counts.get(layer.prefix, 0) + 1
        named.append((f"{layer.prefix}_{counts[layer.prefix]}", layer))
    return tuple(named)


def _check_fits(label: str, size: int, shape: Shape) -> None:
    height, width, _ = shape
    if min(height, width) < size:
        raise BadInput(f"“{label}” needs a feature map of at least {size}×{size} "
                       f"and receives {height}×{width}.")


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _named(activation: str | None) -> str:
    return _READABLE[activation] if activation else ""


def _decay(l2: float) -> str:
    return f"L2 {l2:g}" if l2 else ""
