"""What each description is in Keras: the name of a class and its arguments, as plain data.

The one place that says so. `build` makes layers of it, `code` writes it down. Imports no Keras.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from cnn.models.blocks import Join
from cnn.models.specs import (
    Activation,
    AveragePool,
    Dropout,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    LayerSpec,
    MaxPool,
    Rescaling,
    Scale,
)
from cnn.models.weighted import BatchNorm, Conv, Dense, Whitening


@dataclass(frozen=True)
class Form:
    """A call: `layers.Conv2D(32, 3, padding="same")`. Arguments may be forms themselves."""

    name: str  # dotted, below keras
    args: tuple[Any, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


@singledispatch
def keras_form(layer: LayerSpec) -> Form:
    """Return the Keras layer that `layer` describes; arguments at their default are left out."""
    raise TypeError(f"No Keras layer is known for {type(layer).__name__}.")


@keras_form.register
def _rescaling(layer: Rescaling) -> Form:
    return Form("layers.Rescaling", (1 / 255,))


@keras_form.register
def _conv(layer: Conv) -> Form:
    return Form("layers.Conv2D", (layer.filters, layer.kernel), _kept(
        strides=layer.stride if layer.stride > 1 else None, padding=layer.padding,
        activation=layer.activation, use_bias=None if layer.bias else False,
        kernel_initializer=_first(layer.init), kernel_regularizer=_decay(layer.l2)))


@keras_form.register
def _whitening(layer: Whitening) -> Form:
    return Form("layers.Conv2D", (layer.filters, layer.kernel), {"trainable": False})


@keras_form.register
def _dense(layer: Dense) -> Form:
    unit = Form("initializers.RandomNormal", (), {"stddev": 1.0})
    return Form("layers.Dense", (layer.units,), _kept(
        activation=layer.activation, use_bias=None if layer.bias else False,
        kernel_initializer=unit if layer.unit else _first(layer.init),
        kernel_regularizer=_decay(layer.l2)))


@keras_form.register(MaxPool)
@keras_form.register(AveragePool)
def _pool(layer: MaxPool | AveragePool) -> Form:
    return Form(f"layers.{layer.kind}Pooling2D", (layer.size,), _kept(
        strides=layer.step if layer.step != layer.size else None,
        padding=layer.padding if layer.padding == "same" else None))


@keras_form.register
def _global_max_pool(layer: GlobalMaxPool) -> Form:
    return Form("layers.GlobalMaxPooling2D")


@keras_form.register
def _global_average_pool(layer: GlobalAveragePool) -> Form:
    return Form("layers.GlobalAveragePooling2D")


@keras_form.register
def _norm(layer: BatchNorm) -> Form:
    return Form("layers.BatchNormalization", (), _kept(
        momentum=layer.momentum, scale=None if layer.scale else False))


@keras_form.register
def _scale(layer: Scale) -> Form:
    return Form("layers.Rescaling", (layer.factor,))


@keras_form.register
def _activation(layer: Activation) -> Form:
    return Form("layers.Activation", (layer.name,))


@keras_form.register
def _dropout(layer: Dropout) -> Form:
    return Form("layers.Dropout", (layer.rate,))


@keras_form.register
def _flatten(layer: Flatten) -> Form:
    return Form("layers.Flatten")


@keras_form.register
def _join(layer: Join) -> Form:
    return Form("layers.Add" if layer.how == "add" else "layers.Concatenate")


def _kept(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _first(init: str) -> Form | None:
    return Form("initializers.HeUniform") if init == "he" else None


def _decay(l2: float) -> Form | None:
    return Form("regularizers.L2", (l2,)) if l2 else None
