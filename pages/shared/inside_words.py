"""What layers are, in words for learners. Knows neither widgets nor arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cnn.models.specs import Shape
from cnn.prediction.opened import Layer
from pages.shared.formats import amount, count, plain

MOST_CHARACTERS = 60  # of a layer's name where there is little room


def shape_text(shape: Shape) -> str:
    """Return a shape: "32 × 32 × 3", or "10 values"."""
    if not shape:
        return "several arrays"
    return amount(shape[0], "value") if len(shape) == 1 else " × ".join(map(str, shape))


def number(value: float) -> str:
    """Return a value of a network with four digits and a real minus sign."""
    rounded = f"{value:.4g}" if value == 0 or abs(value) >= 1e-4 else f"{value:.1e}"
    return rounded.replace("-", "−")


def short(name: str) -> str:
    """Return a layer's name that fits beside others."""
    clean = re.sub(r"\s+", " ", name)
    return clean if len(clean) <= MOST_CHARACTERS else f"{clean[:MOST_CHARACTERS - 1]}…"


def what_it_does(layer: Layer) -> str:
    """Return as Markdown, in a sentence or two, what a layer does with its values."""
    words = str((_WORDS.get(layer.kind, _other) if layer.open else _other)(layer))
    return f"{words} {_again(layer)}".strip()


def _again(layer: Layer) -> str:
    if not layer.first:
        return ""
    shared = ", with the same weights" if layer.parameters else ""
    return f"It is the layer **{plain(short(layer.first))}**, used once more{shared}."


def parameters_text(layer: Layer) -> str:
    """Return how the number of parameters comes about, or that it cannot be told."""
    if not layer.parameters:
        return "Nothing in it is learned."
    channels = layer.input_shapes[0][-1] if layer.input_shapes else 0
    if layer.kind == "conv":
        height, width = layer.settings["window"]
        weights = height * width * channels
        bias = layer.parameters > weights * layer.settings["filters"]
        return (f"{layer.settings['filters']} filters × ({height} × {width} × {channels} weights"
                f"{' + 1 bias' if bias else ''}) = {count(layer.parameters)}")
    if layer.kind == "dense":
        units = layer.output_shape[-1]
        bias = layer.parameters > channels * units
        return (f"{units} units × ({count(channels)} weights{' + 1 bias' if bias else ''}) = "
                f"{count(layer.parameters)}")
    if layer.kind == "norm":
        return (f"{layer.parameters // max(channels, 1)} numbers for each of {channels} channels = "
                f"{count(layer.parameters)}; {count(layer.trainable)} are learned by gradients, "
                "the others are running means and variances.")
    return f"{count(layer.trainable)} of {count(layer.parameters)} are learned."


def _conv(layer: Layer) -> str:
    height, width = layer.settings["window"]
    channels = layer.input_shapes[0][-1]
    return (f"Each of {amount(layer.settings['filters'], 'filter')} lies on every place of the "
            f"input in turn. Where it lies, its {height} × {width} × {channels} weights are "
            "multiplied with the values below them; the products and a bias are added up to one "
            "value of the output." + _then(layer.settings))


def _then(settings: Mapping[str, Any]) -> str:
    name = settings.get("activation", "linear")
    return {"linear": "", "relu": " ReLU then turns what is below zero into zero."}.get(
        name, f" Then comes {name}.")


def _pool(layer: Layer) -> str:
    height, width = layer.settings["window"]
    kept = "the largest value" if layer.kind == "max-pool" else "the mean"
    return (f"Of each window of {height} × {width} places, only {kept} is kept, channel by "
            "channel: a smaller map, and it matters less where exactly something is.")


def _global(layer: Layer) -> str:
    kept = "largest value" if layer.kind == "global-max" else "mean"
    return f"Of each channel only the {kept} is kept, wherever in the picture it comes from."


def _other(layer: Layer) -> str:
    return ("This kind of layer is shown with its values, but not worked out here."
            if layer.open else
            "Its values cannot be shown: it gives several arrays, or what goes in comes from no "
            "layer.")


_PLAIN = {
    "input": "The picture as the network gets it: a number from 0 to 255 for each pixel and "
             "colour.",
    "rescaling": "Each value is multiplied by one fixed number, so that all are small.",
    "norm": "From each channel its usual mean is taken off, and it is divided by its usual spread; "
            "then the channel gets a scale and an offset that were learned. So the next layer "
            "sees values of a similar size, whatever the layer before does.",
    "activation": "The same simple function is applied to each value by itself. Without such bends "
                  "between them, all layers together could do no more than one.",
    "dropout": "In training, it sets a random share of the values to zero, so that the network "
               "does not rely on single ones. When it answers, as here, it does nothing.",
    "flatten": "The feature map is written as one long row: no value changes, only where it "
               "stands.",
    "dense": "Each unit multiplies every value of the input with a weight of its own and adds all "
             "products and a bias up.",
    "softmax": "It turns any numbers into probabilities: each becomes a power of e, divided by the "
               "sum of all powers.",
    "add": "The values of the same place are added. A way around some layers makes deep networks "
           "learn better.",
    "concatenate": "The channels of its inputs are put one after the other.",
}
_WORDS: dict[str, Any] = {
    **{kind: lambda layer: _PLAIN[layer.kind] for kind in _PLAIN},
    "conv": _conv, "max-pool": _pool, "average-pool": _pool, "global-max": _global,
    "global-average": _global,
}
