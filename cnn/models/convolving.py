"""Convolution, pooling and what follows them, worked out with NumPy at one place of a feature map.

For people who want to see where a number comes from; the networks themselves use TensorFlow. Values
are float32 (H, W, C), computed with in float64. Knows neither networks nor pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cnn.errors import BadInput

Values = NDArray[np.float32]
Pair = tuple[int, int]  # of the height and of the width
SAME, VALID = "same", "valid"
Padding = str | int  # same, valid, or so many rows and columns of zeros on every side


@dataclass(frozen=True)
class Way:
    """How a window goes over a feature map."""

    window: Pair  # height and width, in places
    stride: Pair = (1, 1)
    padding: Padding = VALID
    dilation: Pair = (1, 1)  # step between the places of a window

    @property
    def span(self) -> Pair:
        """How many rows and columns a window reaches over."""
        return ((self.window[0] - 1) * self.dilation[0] + 1,
                (self.window[1] - 1) * self.dilation[1] + 1)

    def padded(self, axis: int, size: int) -> Pair:
        """Return how many places are added before and after, as TensorFlow does.

        Args:
            axis: 0 for rows, 1 for columns.
            size: How many there are.
        """
        if isinstance(self.padding, int):
            return self.padding, self.padding
        if self.padding == VALID:
            return 0, 0
        needed = (-(-size // self.stride[axis]) - 1) * self.stride[axis] + self.span[axis] - size
        needed = max(needed, 0)
        return needed // 2, needed - needed // 2

    def count(self, axis: int, size: int) -> int:
        """Return how many windows fit along an axis; 0 or fewer if none does."""
        before, after = self.padded(axis, size)
        return (size + before + after - self.span[axis]) // self.stride[axis] + 1

    def output_size(self, size: Pair) -> Pair:
        """Return height and width of what comes out.

        Raises:
            BadInput: If no window fits.
        """
        height, width = (self.count(axis, size[axis]) for axis in (0, 1))
        if min(height, width) < 1:
            raise BadInput(
                f"A window of {self.span[0]}×{self.span[1]} does not fit into a map of "
                f"{size[0]}×{size[1]} with padding {self.padding}.",
                "Use more padding.")
        return height, width

    def corner(self, place: Pair, size: Pair) -> Pair:
        """Return row and column of the window's upper left place; negative in the padding."""
        row, column = (place[axis] * self.stride[axis] - self.padded(axis, size[axis])[0]
                       for axis in (0, 1))
        return row, column

    def windows(self, values: Values, fill: float = 0.0) -> NDArray[np.float64]:
        """Return all windows, (h, w, window height, window width, C), without copying them.

        Raises:
            BadInput: If none fits.
        """
        height, width = self.output_size((values.shape[0], values.shape[1]))
        padding = [self.padded(axis, values.shape[axis]) for axis in (0, 1)]
        padded = np.pad(values.astype(np.float64), (*padding, (0, 0)), constant_values=fill)
        views = sliding_window_view(padded, self.span, axis=(0, 1))
        views = views[::self.stride[0], ::self.stride[1], :, ::self.dilation[0],
                      ::self.dilation[1]][:height, :width]
        return np.moveaxis(views, 2, -1)


@dataclass(frozen=True)
class Worked:
    """One value of a convolution, worked out. All arrays are (kernel height, width, C)."""

    patch: NDArray[np.float64]  # what the kernel lies on, zeros where it reaches into the padding
    kernel: NDArray[np.float64]
    bias: float

    @property
    def products(self) -> NDArray[np.float64]:
        """Each value of the patch times its weight."""
        return self.patch * self.kernel

    @property
    def sum(self) -> float:
        """The sum of all products."""
        return float(self.products.sum())

    @property
    def value(self) -> float:
        """The sum and the bias."""
        return self.sum + self.bias


def work_out(values: Values, kernel: Values, bias: float, way: Way, place: Pair) -> Worked:
    """Return how one value of a convolution comes about.

    Args:
        values: What goes in, (H, W, C).
        kernel: Of one filter, (h, w, C).
        bias: Of this filter.
        way: How the kernel goes over the values.
        place: Row and column of the value that comes out.

    Raises:
        BadInput: If there is no such place.
    """
    windows = way.windows(values)
    height, width = windows.shape[:2]
    if not (0 <= place[0] < height and 0 <= place[1] < width):
        raise BadInput(f"There is no place {place[0]}, {place[1]} in a map of {height}×{width}.",
                       f"Rows go from 0 to {height - 1}, columns from 0 to {width - 1}.")
    return Worked(np.array(windows[place]), kernel.astype(np.float64), float(bias))


def convolve(values: Values, kernel: Values, bias: float, way: Way) -> NDArray[np.float64]:
    """Return the whole map of one filter before its activation, (h, w); see `work_out`."""
    return np.einsum("yxhwc,hwc->yx", way.windows(values), kernel.astype(np.float64),
                     optimize=True) + bias


def share_of_channel(
    values: Values, kernel: Values, way: Way, channel: int
) -> NDArray[np.float64]:
    """Return what one channel of the input adds to each value of a filter's map, (h, w)."""
    one = slice(channel, channel + 1)
    return convolve(values[..., one], kernel[..., one], 0.0, way)


def pool(values: Values, way: Way, kind: str) -> NDArray[np.float64]:
    """Return max or average pooling of a feature map, (h, w, C).

    Places of the padding count neither as values nor for the mean, as in TensorFlow.

    Args:
        values: (H, W, C).
        way: How the window goes over them.
        kind: max or average.
    """
    if kind == "max":
        return np.asarray(way.windows(values, fill=-np.inf).max(axis=(2, 3)))
    counts = way.windows(np.ones((*values.shape[:2], 1), np.float32)).sum(axis=(2, 3))
    return np.asarray(way.windows(values).sum(axis=(2, 3)) / counts)


def normalised(
    value: Any, mean: float, variance: float, epsilon: float, scale: float, offset: float
) -> Any:
    """Return what batch normalisation makes of a value, or of an array of them."""
    return (value - mean) / np.sqrt(variance + epsilon) * scale + offset


def activated(value: Any, name: str) -> Any:
    """Return what an activation makes of a value, or of an array of them.

    Args:
        value: Before it.
        name: One of `ACTIVATIONS`.
    """
    return ACTIVATIONS[name](np.asarray(value, np.float64))


def softmax(logits: Any) -> NDArray[np.float64]:
    """Return the probabilities of logits (K,)."""
    powers = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    return np.asarray(powers / powers.sum())


def _sigmoid(value: NDArray[np.float64]) -> Any:
    return 1 / (1 + np.exp(-value))


# Those that can be worked out for one value alone.
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda value: value,
    "relu": lambda value: np.maximum(value, 0.0),
    "relu6": lambda value: np.clip(value, 0.0, 6.0),
    "silu": lambda value: value * _sigmoid(value),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "elu": lambda value: np.where(value > 0, value, np.expm1(np.minimum(value, 0.0))),
}
