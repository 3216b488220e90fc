"""Layers with branches, and the one way every network is laid out as single steps.

A block is one row of a table and several layers of Keras: branches from the same input, joined in
the end. `unfold` takes a list of layers apart into steps, each with its inputs and shapes; layer
tables, Keras models and Keras code are all made from these steps. Knows no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from cnn.errors import BadInput
from cnn.models.specs import Activation, LayerSpec, MaxPool, Shape, Skip, named_layers
from cnn.models.weighted import BatchNorm, Conv, Whitening

START = "image"  # what the first step receives
_LETTERS = "abcdefgh"  # of branches, in the names of their layers
# Of the moving statistics: those of Keras's 0.99 lag behind for hundreds of steps. After 158 steps
# on CIFAR-10, `resnet` knew 36 % of its training images and, with such statistics, 13 % of others.
MOMENTUM = 0.9


@dataclass(frozen=True)
class Join(LayerSpec):
    """Makes one feature map of several: added up, or their channels behind each other."""

    how: Literal["add", "concatenate"]

    prefix = "join"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return "Add" if self.how == "add" else "Channels behind each other"

    def joined_shape(self, shapes: list[Shape]) -> Shape:
        """Return the output's shape.

        Raises:
            BadInput: If feature maps of these shapes cannot be joined.
        """
        first = shapes[0]
        if any(other[:-1] != first[:-1] for other in shapes) or (
                self.how == "add" and len(set(shapes)) > 1):
            said = " and ".join("×".join(map(str, shape)) for shape in shapes)
            raise BadInput(f"needs inputs of the same shape and receives {said}.")
        return first if self.how == "add" else (*first[:-1], sum(shape[-1] for shape in shapes))


@dataclass(frozen=True)
class Step:
    """One layer of Keras in a network: what it receives and what comes out."""

    name: str
    layer: LayerSpec
    inputs: tuple[str, ...]  # names of steps, or `START`
    input_shape: Shape  # of the first input
    output_shape: Shape


class Block(LayerSpec):
    """Branches from the same input, joined. Subclasses say which; the rest follows from steps."""

    how: ClassVar[Literal["add", "concatenate"]]
    finish: ClassVar[tuple[LayerSpec, ...]] = ()  # after the join

    def branches(self, shape: Shape) -> tuple[tuple[LayerSpec, ...], ...]:
        """Return the layers of each branch for an input of `shape`; an empty one passes it on."""
        raise NotImplementedError

    def steps(self, name: str, source: str, shape: Shape) -> Iterator[Step]:
        """Yield the steps of the block called `name`; the last has the block's own name.

        Raises:
            BadInput: If the input does not fit.
        """
        ends = []
        for letter, branch in zip(_LETTERS, self.branches(shape), strict=False):
            end = (source, shape)
            for inner, layer in named_layers(branch):
                step = _step(f"{name}_{letter}_{inner}", layer, *end)
                yield step
                end = (step.name, step.output_shape)
            ends.append(end)
        join = _joining(f"{name}_join" if self.finish else name, Join(self.how), ends)
        yield join
        for place, (inner, layer) in enumerate(named_layers(self.finish), start=1):
            own = name if place == len(self.finish) else f"{name}_{inner}"
            join = _step(own, layer, join.name, join.output_shape)
            yield join

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of what comes out of the last step."""
        return self._all(shape)[-1].output_shape

    def parameters(self, shape: Shape) -> int:
        """Return the number of weights in all branches."""
        return sum(step.layer.parameters(step.input_shape) for step in self._all(shape))

    def trainable_parameters(self, shape: Shape) -> int:
        """Return how many of them training changes by gradients."""
        return sum(step.layer.trainable_parameters(step.input_shape) for step in self._all(shape))

    def multiply_adds(self, shape: Shape) -> int:
        """Return the multiply-adds of all branches for one image."""
        return sum(step.layer.multiply_adds(step.input_shape) for step in self._all(shape))

    def training_work(self, shape: Shape, precision: str) -> int:
        """Return the multiply-adds that would take as long, in training with this precision."""
        return sum(step.layer.training_work(step.input_shape, precision)
                   for step in self._all(shape))

    def _all(self, shape: Shape) -> list[Step]:
        if len(shape) != 3:
            raise BadInput(f"“{self.label}” needs a feature map and receives one row of "
                           f"{prod(shape):,} values.")
        return list(self.steps("", START, shape))


@dataclass(frozen=True)
class Residual(Block):
    """Two 3×3 convolutions whose result is added to their own input, then ReLU.

    Where stride or filters change the shape, the input takes a 1×1 convolution on its way. Both
    ways are normalised. He, Zhang, Ren and Sun, "Deep residual learning for image recognition"
    (arXiv 1512.03385), figure 2.
    """

    filters: int
    stride: int = 1

    prefix = "residual"
    how = "add"
    finish = (Activation("relu"),)

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return f"Residual block, {self.filters}" + (
            f", stride {self.stride}" if self.stride > 1 else "")

    def branches(self, shape: Shape) -> tuple[tuple[LayerSpec, ...], ...]:
        """Return the two convolutions, and the way past them."""
        way = (*_unit(self.filters, 3, self.stride), Conv(self.filters, 3, bias=False),
               BatchNorm(momentum=MOMENTUM))
        if self.stride == 1 and shape[-1] == self.filters:
            return way, ()
        return way, (Conv(self.filters, 1, bias=False, stride=self.stride),
                     BatchNorm(momentum=MOMENTUM))


@dataclass(frozen=True)
class Inception(Block):
    """Four ways of looking at the same feature map, side by side.

    1×1; 1×1 then 3×3; 1×1 then 5×5; 3×3 pooling then 1×1. Each convolution is normalised and has
    ReLU. Szegedy and others, "Going deeper with convolutions" (arXiv 1409.4842), figure 2b; the
    normalisation is that of Ioffe and Szegedy (arXiv 1502.03167).
    """

    one: int  # filters of the 1×1 convolution
    three_in: int  # of the 1×1 convolution before the 3×3 one
    three: int
    five_in: int  # of the 1×1 convolution before the 5×5 one
    five: int
    pooled: int  # of the 1×1 convolution after pooling

    prefix = "inception"
    how = "concatenate"

    @property
    def label(self) -> str:
        """What the layer is, in a few words for a table."""
        return (f"Inception: 1×1 {self.one} | 3×3 {self.three} | 5×5 {self.five} | "
                f"pool {self.pooled}")

    def branches(self, shape: Shape) -> tuple[tuple[LayerSpec, ...], ...]:
        """Return the four ways."""
        return (_unit(self.one, 1), (*_unit(self.three_in, 1), *_unit(self.three, 3)),
                (*_unit(self.five_in, 1), *_unit(self.five, 5)),
                (MaxPool(3, 1, "same"), *_unit(self.pooled, 1)))


def _unit(filters: int, kernel: int, stride: int = 1) -> tuple[LayerSpec, ...]:
    return (Conv(filters, kernel, bias=False, stride=stride), BatchNorm(momentum=MOMENTUM),
            Activation("relu"))


def unfold(
    layers: tuple[tuple[str, LayerSpec], ...], input_shape: Shape
) -> Iterator[tuple[str, LayerSpec, tuple[Step, ...]]]:
    """Yield each layer with its steps, one after the other.

    Raises:
        BadInput: At the first layer that does not fit what it receives.
    """
    ends = [(START, input_shape)]
    for name, layer in layers:
        if isinstance(layer, Block):
            layer.output_shape(ends[-1][1])
            steps = tuple(layer.steps(name, *ends[-1]))
        elif isinstance(layer, Whitening) and len(ends) > 2:
            raise BadInput(f"“{layer.label}” gets its kernels from pixels: it can only be the "
                           "first layer.")
        elif isinstance(layer, Skip):
            steps = (_skip(name, layer, ends),)
        else:
            steps = (_step(name, layer, *ends[-1]),)
        yield name, layer, steps
        ends.append((name, steps[-1].output_shape))


def _step(name: str, layer: LayerSpec, source: str, shape: Shape) -> Step:
    return Step(name, layer, (source,), shape, layer.output_shape(shape))


def _joining(name: str, join: Join, ends: list[tuple[str, Shape]]) -> Step:
    shapes = [shape for _, shape in ends]
    return Step(name, join, tuple(source for source, _ in ends), shapes[0],
                join.joined_shape(shapes))


def _skip(name: str, layer: Skip, ends: list[tuple[str, Shape]]) -> Step:
    if layer.back >= len(ends):
        raise BadInput(f"“{layer.label}” reaches above the first row: there are "
                       f"{len(ends) - 1}.")
    try:
        return _joining(name, Join("add"), [ends[-1], ends[-layer.back]])
    except BadInput as error:
        raise BadInput(f"“{layer.label}” {error.message}") from error
