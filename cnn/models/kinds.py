"""The kinds of layers a person may put into an architecture, and what may be set in each.

The one list for files, command line and the lab: names, titles, bounds and a first value of every
setting. Turns plain data into descriptions and back, strictly. Knows no files and no pages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from cnn.errors import BadInput
from cnn.models.blocks import Inception, Residual
from cnn.models.specs import (
    Activation,
    ActivationName,
    AveragePool,
    Dropout,
    FirstWeights,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    LayerSpec,
    MaxPool,
    Padding,
    Scale,
    Skip,
    readable,
)
from cnn.models.weighted import BatchNorm, Conv, Dense, Whitening

ACTIVATIONS: tuple[str, ...] = get_args(ActivationName)
_LONGEST_WORD = 60  # characters of a foreign value that a message repeats


@dataclass(frozen=True)
class Field:
    """One setting of a layer."""

    name: str  # of the description's attribute
    title: str
    kind: Literal["whole", "number", "choice", "switch"]
    first: Any  # in a new layer
    low: float = 0
    high: float = 0
    choices: tuple[str | None, ...] = ()
    empty: bool = False  # whether None is allowed in place of a number
    help: str = ""
    seldom: bool = False  # for those who know what it is

    @property
    def allowed(self) -> str:
        """What may be set, in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(choice or "null" for choice in self.choices)
        if self.kind == "switch":
            return "true or false"
        kind = "a whole number" if self.kind == "whole" else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}" + (" or null" if self.empty else "")

    def accepts(self, value: Any) -> bool:
        """Return whether a value may be set."""
        if self.kind == "choice":
            return value is None or isinstance(value, str) if value in self.choices else False
        if self.kind == "switch":
            return isinstance(value, bool)
        if value is None:
            return self.empty
        if isinstance(value, bool) or not isinstance(
                value, int if self.kind == "whole" else (int, float)):
            return False
        return self.low <= value <= self.high and math.isfinite(value)


@dataclass(frozen=True)
class Kind:
    """A kind of layer."""

    key: str  # in files
    title: str
    spec: type[LayerSpec]
    help: str  # one sentence for a learner
    fields: tuple[Field, ...] = ()

    def new(self) -> LayerSpec:
        """Return a layer of this kind with the first values."""
        return self.spec(**{field.name: field.first for field in self.fields})


def _filters(name: str = "filters", title: str = "Filters", first: int = 32) -> Field:
    return Field(name, title, "whole", first, 1, 2048,
                 help="How many kernels, each of which makes one feature map.")


def _stride(first: int | None, empty: bool = False) -> Field:
    return Field("stride", "Stride", "whole", first, 1, 16, empty=empty,
                 help="Pixels from one place to the next: 2 halves height and width."
                      + (" Empty: as large as the window." if empty else ""))


def _padding(first: Padding) -> Field:
    return Field("padding", "Padding", "choice", first, choices=get_args(Padding),
                 help="same: a border is added, so that stride 1 keeps height and width. "
                      "valid: no border, the map shrinks.")


_KERNEL = Field("kernel", "Kernel", "whole", 3, 1, 31, help="Height and width, in pixels.")
_SIZE = Field("size", "Window", "whole", 2, 1, 31, help="Height and width, in pixels.")
_FUNCTION = Field("activation", "Activation", "choice", "relu", choices=(None, *ACTIVATIONS),
                  help="Applied to each value. None where a normalisation follows.")
_L2 = Field("l2", "L2", "number", 0.0, 0, 1, seldom=True,
            help="Weight of the squared kernel in the loss: keeps weights small.")
_INIT = Field("init", "First weights", "choice", "glorot", choices=get_args(FirstWeights),
              seldom=True, help="he: for many layers with ReLU and no normalisation.")
_BIAS = Field("bias", "Bias", "switch", True, seldom=True,
              help="A number added to each output. Needless before batch normalisation.")

KINDS = {kind.key: kind for kind in (
    Kind("conv", "Convolution", Conv, "Looks for the same small patterns everywhere.", (
        _filters(), _KERNEL, _stride(1), _padding("same"), _FUNCTION, _L2, _BIAS, _INIT,
        Field("identity", "Starts as identity", "switch", False, seldom=True,
              help="Its first filters begin by passing their input on."))),
    Kind("max_pool", "Max pooling", MaxPool, "Keeps the largest value of each window.",
         (_SIZE, _stride(None, empty=True), _padding("valid"))),
    Kind("average_pool", "Average pooling", AveragePool, "Keeps the mean of each window.",
         (_SIZE, _stride(None, empty=True), _padding("valid"))),
    Kind("batch_norm", "Batch normalisation", BatchNorm,
         "Brings each channel to mean 0 and deviation 1: deeper networks train.", (
             Field("scale", "Scale", "switch", True, seldom=True,
                   help="Whether it learns a factor for each channel."),
             Field("momentum", "Momentum", "number", 0.99, 0, 0.9999, seldom=True,
                   help="Memory of the statistics that are used after training."))),
    Kind("activation", "Activation", Activation, "Bends each value, so that layers can be stacked.",
         (Field("name", "Function", "choice", "relu", choices=ACTIVATIONS),)),
    Kind("dropout", "Dropout", Dropout,
         "Sets some values to zero while training, against learning by heart.",
         (Field("rate", "Rate", "number", 0.25, 0, 0.95, help="Share of the values."),)),
    Kind("residual", "Residual block", Residual,
         "Two convolutions whose result is added to their input.",
         (_filters(first=64), _stride(1))),
    Kind("inception", "Inception block", Inception,
         "Looks at several scales side by side.", (
             _filters("one", "1×1", 32), _filters("three_in", "Before 3×3", 48),
             _filters("three", "3×3", 64), _filters("five_in", "Before 5×5", 8),
             _filters("five", "5×5", 16), _filters("pooled", "After pooling", 16))),
    Kind("flatten", "Flatten", Flatten, "Writes the feature map as one row, for dense layers."),
    Kind("global_average_pool", "Global average pooling", GlobalAveragePool,
         "One value of each channel, its mean: few parameters follow."),
    Kind("global_max_pool", "Global max pooling", GlobalMaxPool,
         "One value of each channel, its largest."),
    Kind("dense", "Dense", Dense, "Every unit sees every value of the row.", (
        Field("units", "Units", "whole", 128, 1, 8192), _FUNCTION, _L2, _BIAS, _INIT,
        Field("unit", "Starts with unit weights", "switch", False, seldom=True,
              help="Weights begin with standard deviation 1."))),
    Kind("skip", "Skip", Skip, "Adds what came out some rows above.",
         (Field("back", "Rows above", "whole", 2, 1, 100),)),
    Kind("scale", "Scale", Scale, "Multiplies all values by one fixed number.",
         (Field("factor", "Factor", "number", 0.1, 1e-6, 1e6),)),
    Kind("whitening", "Whitening", Whitening,
         "Fixed kernels that make pixels unrelated; only as the first layer.",
         (Field("kernel", "Kernel", "whole", 2, 1, 4, help="Height and width, in pixels."),)),
)}


def kind_of(layer: LayerSpec) -> Kind:
    """Return the kind of a layer; every layer of a network's body has one."""
    return next(kind for kind in KINDS.values() if kind.spec is type(layer))


def layer_to_dict(layer: LayerSpec) -> dict[str, Any]:
    """Return a layer as JSON-ready values: its type and all its settings."""
    kind = kind_of(layer)
    return {"type": kind.key, **{field.name: getattr(layer, field.name) for field in kind.fields}}


def layer_from_dict(data: Any) -> LayerSpec:
    """Rebuild what `layer_to_dict` gave, or what a person wrote; what is missing is as at first.

    Raises:
        BadInput: If the type or a setting is unknown, or a value is not allowed.
    """
    if not isinstance(data, Mapping):
        raise BadInput(f"must be an object with a type. Received: {_shown(data)}.")
    key = data.get("type")
    if not isinstance(key, str) or key not in KINDS:
        raise BadInput(f"has the unknown type {_shown(key)}. Known types: {', '.join(KINDS)}.")
    kind = KINDS[key]
    known = {field.name: field for field in kind.fields}
    for name in data:
        if name != "type" and name not in known:
            raise BadInput(f"has the unknown setting {_shown(name)}. "
                           f"A layer {key!r} has: {', '.join(known) or 'none'}.")
    values = {name: data.get(name, field.first) for name, field in known.items()}
    for name, value in values.items():
        if not known[name].accepts(value):
            raise BadInput(f"has {name} {_shown(value)}; allowed is {known[name].allowed}.")
    return kind.spec(**values)


def spoken(field: Field, value: Any) -> str:
    """Return a choice of a field as people read it."""
    if field.choices == get_args(Padding):
        return {"same": "same: with border", "valid": "valid: none"}[value]
    if field is _INIT:
        return str(value)
    return readable(value) or "None"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}…"
