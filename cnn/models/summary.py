"""What an architecture costs at an input size: the layer table, at once and without TensorFlow.

It also decides whether an architecture fits an image size at all, before anything is built.
"""

from __future__ import annotations

from dataclasses import dataclass

from cnn.errors import BadInput
from cnn.models.registry import Architecture, architecture_names, get_architecture
from cnn.models.specs import Shape

_LARGEST_SIDE = 512  # where the search for a size that fits ends


@dataclass(frozen=True)
class Row:
    """One layer of a table."""

    name: str  # as in the Keras model
    label: str
    output_shape: Shape
    parameters: int
    multiply_adds: int  # for one image


@dataclass(frozen=True)
class Summary:
    """The layer table of an architecture at one input size, with its totals."""

    rows: tuple[Row, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int  # for one image
    input_shape: tuple[int, int, int]
    classes: int


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
        return _table(chosen, input_shape, classes)
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


def _table(architecture: Architecture, input_shape: tuple[int, int, int], classes: int) -> Summary:
    rows = []
    trainable = 0
    shape: Shape = input_shape
    for name, layer in architecture.layers(input_shape, classes):
        try:
            output = layer.output_shape(shape)
        except BadInput as error:
            raise BadInput(f"layer {name} {error.message}") from error
        rows.append(Row(name, layer.label, output, layer.parameters(shape),
                        layer.multiply_adds(shape)))
        trainable += layer.trainable_parameters(shape)
        shape = output
    return Summary(tuple(rows), sum(row.parameters for row in rows), trainable,
                   sum(row.multiply_adds for row in rows), input_shape, classes)


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
        _check_numbers(input_shape, classes)
        _table(chosen, input_shape, classes)
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
