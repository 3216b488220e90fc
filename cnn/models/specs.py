"""Small frozen descriptions of layers: the one source of both layer tables and Keras models.

What every description is, and the layers that have no weights; those that have are in `weighted`.
A description knows its shapes, parameters and multiply-adds. It knows neither TensorFlow nor where
in a network it stands. Shapes leave out the batch: (height, width, channels) or (units,).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from cnn.errors import BadInput

Shape = tuple[int, ...]
ActivationName = Literal["relu", "silu", "tanh", "sigmoid"]  # what a layer may apply to each value
Padding = Literal["same", "valid"]
# How large the first weights are: "he" keeps the signal's size through ReLU after ReLU, "glorot"
# halves its variance each time, which a normalisation mends.
FirstWeights = Literal["glorot", "he"]
_READABLE = {"relu": "ReLU", "silu": "SiLU", "tanh": "Tanh", "sigmoid": "Sigmoid",
             "softmax": "Softmax"}


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

    def training_work(self, shape: Shape, precision: str) -> int:
        """Return the multiply-adds that would take as long, in training with this precision."""
        return self.multiply_adds(shape)


@dataclass(frozen=True)
class Rescaling(LayerSpec):
    """Pixel values 0 to 255 become 0 to 1."""

    prefix = "rescaling"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return "Rescale 0–255 to 0–1"


@dataclass(frozen=True)
class _Pool(LayerSpec):
    """Square windows; without padding, rows and columns that fill no window are left out."""

    size: int = 2
    stride: int | None = None  # from window to window; None: side by side
    padding: Padding = "valid"

    prefix = "pool"
    kind: ClassVar[str]  # of value that is taken from each window

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        stride = f"stride {self.step}" if self.step != self.size else ""
        padding = "padded" if self.padding == "same" else ""
        return joined(f"{self.kind} pool {self.size}×{self.size}", stride, padding)

    @property
    def step(self) -> int:
        """Pixels from window to window."""
        return self.stride or self.size

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; without padding one window must fit into the input."""
        height, width, channels = feature_map(self.label, shape)
        if self.padding == "valid":
            check_fits(self.label, self.size, shape)
        return (places(height, self.size, self.step, self.padding),
                places(width, self.size, self.step, self.padding), channels)


@dataclass(frozen=True)
class MaxPool(_Pool):
    """The largest value of each window."""

    kind = "Max"


@dataclass(frozen=True)
class AveragePool(_Pool):
    """The mean of each window; what padding adds does not count."""

    kind = "Average"


@dataclass(frozen=True)
class _GlobalPool(LayerSpec):
    """One value of each channel, as one row of values."""

    prefix = "global_pool"
    kind: ClassVar[str]

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Global {self.kind} pool"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the number of channels as a shape."""
        return (feature_map(self.label, shape)[-1],)


@dataclass(frozen=True)
class GlobalMaxPool(_GlobalPool):
    """The largest value of each channel."""

    kind = "max"


@dataclass(frozen=True)
class GlobalAveragePool(_GlobalPool):
    """The mean of each channel."""

    kind = "average"


@dataclass(frozen=True)
class Activation(LayerSpec):
    """A function on each value, or softmax over the units."""

    name: ActivationName | Literal["softmax"]

    prefix = "activation"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return readable(self.name)


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
        rows = f"{self.back} rows" if self.back > 1 else "1 row"
        return f"Add what came out {rows} above"


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


def named_layers(layers: tuple[LayerSpec, ...]) -> tuple[tuple[str, LayerSpec], ...]:
    """Return each layer with its name: the prefix of its kind and a count from 1."""
    counts: dict[str, int] = {}
    named = []
    for layer in layers:
        counts[layer.prefix] = counts.get(layer.prefix, 0) + 1
        named.append((f"{layer.prefix}_{counts[layer.prefix]}", layer))
    return tuple(named)


def feature_map(label: str, shape: Shape) -> tuple[int, int, int]:
    """Return height, width and channels.

    Raises:
        BadInput: If it is one row of values; the message names the layer.
    """
    if len(shape) != 3:
        raise BadInput(f"“{label}” needs a feature map and receives one row of {shape[0]:,} "
                       "values: it must stand before Flatten, global pooling and dense layers.")
    return shape[0], shape[1], shape[2]


def row_length(label: str, shape: Shape) -> int:
    """Return how many values a row has.

    Raises:
        BadInput: If it is a feature map; the message names the layer.
    """
    if len(shape) != 1:
        raise BadInput(f"“{label}” needs one row of values and receives a feature map of "
                       f"{'×'.join(map(str, shape))}: put Flatten or global pooling before it.")
    return shape[0]


def check_fits(label: str, size: int, shape: Shape) -> None:
    """Refuse a feature map that is smaller than a window or kernel.

    Raises:
        BadInput: Naming the layer, the size it needs and the one it receives.
    """
    height, width, _ = shape
    if min(height, width) < size:
        raise BadInput(f"“{label}” needs a feature map of at least {size}×{size} "
                       f"and receives {height}×{width}.")


def places(length: int, size: int, stride: int, padding: Padding) -> int:
    """Return how many places a window of `size` has along `length` pixels."""
    return -(-length // stride) if padding == "same" else (length - size) // stride + 1


def readable(activation: str | None) -> str:
    """Return the name of an activation as people write it; nothing for none."""
    return _READABLE.get(activation, activation) if activation else ""


def joined(*parts: str) -> str:
    """Return the parts of a label that are not empty, with commas."""
    return ", ".join(part for part in parts if part)
