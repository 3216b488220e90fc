"""What an architecture costs at an input size: the layer table, at once and without TensorFlow.

It also decides whether an architecture fits an image size at all, before anything is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from cnn.config import PRECISIONS
from cnn.errors import BadInput
from cnn.models.blocks import unfold
from cnn.models.registry import Architecture, architecture_names, get_architecture
from cnn.models.specs import LayerSpec, Shape

MOST_PARAMETERS = 250_000_000  # 1 GB of weights; training needs four times as much
_LARGEST_SIDE = 512  # where the search for a size that fits ends


@dataclass(frozen=True)
class Row:
    """One layer of a table."""

    name: str  # as in the Keras model
    label: str
    output_shape: Shape
    parameters: int
    multiply_adds: int  # for one image
    values: int  # that come out of it for one image; of a block, out of all its parts
    training_work: Mapping[str, int]  # multiply-adds that would take as long, by precision


@dataclass(frozen=True)
class Summary:
    """The layer table of an architecture at one input size, with its totals."""

    rows: tuple[Row, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int  # for one image
    input_shape: tuple[int, int, int]
    classes: int

    @property
    def values(self) -> int:
        """Values that come out of all layers for one image: a training step keeps them."""
        return sum(row.values for row in self.rows)

    def training_work(self, precision: str) -> int:
        """Return the multiply-adds that would take as long as one image does in training."""
        return sum(row.training_work[precision] for row in self.rows)


@dataclass(frozen=True)
class Outline:
    """As much of a layer table as can be made: up to the layer that does not fit."""

    summary: Summary  # of the rows before it
    broken: str = ""  # name of that layer
    problem: str = ""  # what it says


def summarise(architecture: str, input_shape: tuple[int, int, int], classes: int) -> Summary:
    """Return the layer table of `architecture` for images of `input_shape`.

    Args:
        architecture: Its name in the registry.
        input_shape: Height, width and channels of the images.
        classes: How many classes there are to tell apart.

    Raises:
        NotFound: If there is no such architecture.
        BadInput: If the shape or the number of classes is impossible, or if the images are too
            small for the architecture. The message names the layer, the hint what would work.
    """
    chosen = get_architecture(architecture)
    _check_numbers(input_shape, classes)
    try:
        return check_fit(chosen, input_shape, classes)
    except BadInput as error:
        height, width, _ = input_shape
        raise BadInput(
            f"{architecture} cannot take images of {height}×{width} pixels: {error.message}",
            _what_works(chosen, input_shape, classes)) from error


def _check_numbers(input_shape: tuple[int, int, int], classes: int) -> None:
    if len(input_shape) != 3 or not all(isinstance(n, int) and n > 0 for n in input_shape):
        raise BadInput(f"The image shape must be three whole numbers from 1 on: height, width and "
                       f"channels. Received: {input_shape!r}.", "Check the data set.")
    if not isinstance(classes, int) or classes < 2:
        raise BadInput(f"There must be at least 2 classes. Received: {classes!r}.",
                       "Add images of a second class.")


def outline(
    layers: tuple[tuple[str, LayerSpec], ...], input_shape: tuple[int, int, int], classes: int
) -> Outline:
    """Return the table of any network, complete or up to the layer that breaks it.

    Args:
        layers: From rescaling to probabilities, each with its name.
        input_shape: Height, width and channels of the images.
        classes: How many classes there are to tell apart.

    Raises:
        BadInput: If the shape or the number of classes is impossible.
    """
    _check_numbers(input_shape, classes)
    rows: list[Row] = []
    trainable = 0
    problem = ""
    walk = unfold(layers, input_shape)
    try:
        for name, layer, steps in walk:
            given = steps[0].input_shape
            row = Row(name, layer.label, steps[-1].output_shape, layer.parameters(given),
                      layer.multiply_adds(given), sum(prod(step.output_shape) for step in steps),
                      {one: layer.training_work(given, one) for one in PRECISIONS})
            _check_parameters(row, rows)
            rows.append(row)
            trainable += layer.trainable_parameters(given)
    except BadInput as error:
        problem = error.message
    summary = Summary(tuple(rows), sum(row.parameters for row in rows), trainable,
                      sum(row.multiply_adds for row in rows), input_shape, classes)
    return Outline(summary, layers[len(rows)][0] if problem else "", problem)


def _check_parameters(row: Row, before: list[Row]) -> None:
    total = row.parameters + sum(other.parameters for other in before)
    if total > MOST_PARAMETERS:
        raise BadInput(f"“{row.label}” has {row.parameters:,} parameters, which makes {total:,}: "
                       f"more than {MOST_PARAMETERS:,} are not trained here.")


def check_fit(
    architecture: Architecture, input_shape: tuple[int, int, int], classes: int
) -> Summary:
    """Return the layer table of an architecture that need not be registered.

    Raises:
        BadInput: If it cannot take such images; the message names the layer.
    """
    found = outline(architecture.layers(input_shape, classes), input_shape, classes)
    if found.problem:
        raise BadInput(f"layer {found.broken} {found.problem}")
    return found.summary


def fits(architecture: str, input_shape: tuple[int, int, int], classes: int) -> bool:
    """Return whether an architecture can take such images; quicker than `summarise` if not.

    Args:
        architecture: Its name in the registry.
        input_shape: Height, width and channels of the images.
        classes: How many classes there are.

    Raises:
        NotFound: If there is no such architecture.
    """
    chosen = get_architecture(architecture)
    try:
        check_fit(chosen, input_shape, classes)
    except BadInput:
        return False
    return True


def _what_works(architecture: Architecture, input_shape: tuple[int, int, int],
                classes: int) -> str:
    channels = input_shape[2]
    side = next((side for side in range(1, _LARGEST_SIDE + 1)
                 if fits(architecture.name, (side, side, channels), classes)), None)
    others = [name for name in architecture_names()
              if fits(name, input_shape, classes)]
    larger = f"Use images of at least {side}×{side} pixels" if side else "Use larger images"
    return f"{larger}, or one of these architectures: {', '.join(others)}." if others else larger
