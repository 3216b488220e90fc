"""An architecture as a Python file for plain Keras: the network itself, nothing of this package.

Written from the same steps and forms that `build` makes its models of. Imports no Keras.
"""

from __future__ import annotations

import textwrap
from typing import Any

from cnn.models.blocks import START, Block, Step, unfold
from cnn.models.forms import Form, keras_form
from cnn.models.registry import Architecture
from cnn.models.specs import LayerSpec
from cnn.models.weighted import Conv, Whitening

_WIDTH = 88  # of lines, as many formatters make them


def keras_code(
    architecture: Architecture, input_shape: tuple[int, int, int], classes: int
) -> str:
    """Return Python code that defines `model`, with the layers that `build_model` gives.

    Pixel values 0 to 255 go in, probabilities come out. Initial weights are Keras's own.

    Args:
        architecture: One that fits.
        input_shape: Height, width and channels of the images.
        classes: How many classes there are.

    Raises:
        BadInput: If the images are too small for it.
    """
    layers = architecture.layers(input_shape, classes)
    walked = list(unfold(layers, input_shape))
    kept = _kept_steps([step for _, _, steps in walked for step in steps])
    lines = [*_head(architecture, input_shape), "import keras",
             f"from keras import {', '.join(_rooms(walked))}", "",
             f"{START} = keras.Input({input_shape!r}, name={START!r})".replace("'", '"')]
    for _, layer, steps in walked:
        if isinstance(layer, Block):
            lines += ["", f"# {layer.label}"]
        lines += [line for step in steps for line in _lines(step, kept)]
        if isinstance(layer, Block):
            lines.append("")
    name = architecture.name.replace("-", "_")
    lines += [f'model = keras.Model({START}, x, name="{name}")', "",
              'if __name__ == "__main__":', "    model.summary()", ""]
    return "\n".join(line for at, line in enumerate(lines)
                     if line or (at and lines[at - 1]))  # never two empty lines


def _head(architecture: Architecture, input_shape: tuple[int, int, int]) -> list[str]:
    size = "×".join(map(str, input_shape))
    said = [f"{architecture.name}: {architecture.description}", "",
            f"For images of {size}, pixel values 0 to 255."]
    if architecture.source:
        said += ["", f"Source: {architecture.source}."]
    kinds = [layer for _, layer in architecture.layers(input_shape, 2)]
    if any(isinstance(layer, Whitening) for layer in kinds):
        said += ["", "The first convolution is not trained: CNN Studio gives it kernels that "
                     "whiten patches of the training images."]
    if any(isinstance(layer, Conv) and layer.identity for layer in kinds):
        said += ["", "CNN Studio starts the convolutions so that their first filters pass the "
                     "input on; here they start at random."]
    wrapped = [line for text in said for line in (textwrap.wrap(text, _WIDTH) or [""])]
    return ["# " + line if line else "#" for line in wrapped] + [""]


def _kept_steps(steps: list[Step]) -> set[str]:
    """Return the steps that are needed later than by the next one: they keep their name."""
    kept: set[str] = set()
    before = START
    for step in steps:
        kept |= {source for source in step.inputs if len(step.inputs) > 1 or source != before}
        before = step.name
    return kept


def _lines(step: Step, kept: set[str]) -> list[str]:
    named = {*kept, START}
    given = [source if source in named else "x" for source in step.inputs]
    target = step.name if step.name in kept else "x"
    form = keras_form(step.layer)
    parts = [*_arguments(form), f'name="{step.name}"']
    listed = given[0] if len(given) == 1 else f"[{', '.join(given)}]"
    line = f"{target} = {form.name}({', '.join(parts)})({listed})"
    if len(line) <= _WIDTH:
        return [line]
    if len(given) > 1:
        return [f"{target} = {form.name}({', '.join(parts)})([",
                *(f"    {name}," for name in given), "])"]
    inner = textwrap.wrap(", ".join(parts), _WIDTH - 4, break_long_words=False)
    return [f"{target} = {form.name}(", *(f"    {text}" for text in inner), f")({listed})"]


def _arguments(form: Form) -> list[str]:
    return [*map(_value, form.args),
            *(f"{key}={_value(value)}" for key, value in form.settings.items())]


def _value(value: Any) -> str:
    if isinstance(value, Form):
        return f"{value.name}({', '.join(_arguments(value))})"
    if value == 1 / 255:
        return "1 / 255"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _rooms(walked: list[tuple[str, LayerSpec, tuple[Step, ...]]]) -> list[str]:
    """Return the modules of Keras that the code names."""
    forms = [keras_form(step.layer) for _, _, steps in walked for step in steps]
    inner = [value for form in forms for value in form.settings.values()]
    return sorted({form.name.partition(".")[0] for form in (*forms, *inner)
                   if isinstance(form, Form)})
