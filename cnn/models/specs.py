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
class _Pool(LayerSpec):
    """Square windows side by side; rows and columns that fill no window are left out."""

    size: int = 2

    prefix = "pool"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; one window must fit into the input."""
        check_fits(self.label, self.size, shape)
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
class Activation(LayerSpec):
    """A function on each value, or softmax over the units."""

    name: Literal["relu", "silu", "softmax"]

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


def named_layers(layers: tuple[LayerSpec, ...]) -> tuple[tuple[str, LayerSpec], ...]:
    """Return each layer with its name: the prefix of its kind and a count from 1."""
    counts: dict[str, int] = {}
    named = []
    for layer in layers:
        counts[layer.prefix] = counts.get(layer.prefix, 0) + 1
        named.append((f"{layer.prefix}_{counts[layer.prefix]}", layer))
    return tuple(named)


def check_fits(label: str, size: int, shape: Shape) -> None:
    """Refuse a feature map that is smaller than a window or kernel.

    Raises:
        BadInput: Naming the layer, the size it needs and the one it receives.
    """
    height, width, _ = shape
    if min(height, width) < size:
        raise BadInput(f"“{label}” needs a feature map of at least {size}×{size} "
                       f"and receives {height}×{width}.")


def readable(activation: str | None) -> str:
    """Return the name of an activation as people write it; nothing for none."""
    return _READABLE[activation] if activation else ""
