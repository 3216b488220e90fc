"""What a layer is, in words and numbers, whoever made the network: Keras layers and descriptions.

The kinds are those that the page Look inside can explain. Imports TensorFlow through Keras: for the
engine only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from cnn.models.convolving import ACTIVATIONS
from cnn.models.specs import (
    Activation,
    Dropout,
    Flatten,
    LayerSpec,
    MaxPool,
    readable,
)
from cnn.models.weighted import Conv, Dense

Described = tuple[str, str, dict[str, Any]]  # kind, label, settings

_LAYERS = keras.layers
KINDS: dict[type, str] = {
    _LAYERS.InputLayer: "input", _LAYERS.Rescaling: "rescaling", _LAYERS.Conv2D: "conv",
    _LAYERS.MaxPooling2D: "max-pool", _LAYERS.AveragePooling2D: "average-pool",
    _LAYERS.GlobalMaxPooling2D: "global-max", _LAYERS.GlobalAveragePooling2D: "global-average",
    _LAYERS.BatchNormalization: "norm", _LAYERS.Activation: "activation",
    _LAYERS.ReLU: "activation", _LAYERS.Dropout: "dropout", _LAYERS.Flatten: "flatten",
    _LAYERS.Dense: "dense", _LAYERS.Softmax: "activation", _LAYERS.Add: "add",
    _LAYERS.Concatenate: "concatenate",
}
_LABELS = {"conv": "Conv {window}, {filters}{then}", "dense": "Dense {units}{then}",
           "max-pool": "Max pool {window}", "average-pool": "Average pool {window}",
           "dropout": "Dropout {rate:g}", "input": "Input", "norm": "Batch normalisation",
           "flatten": "Flatten",
           "global-max": "Global max pool", "global-average": "Global average pool",
           "add": "Add", "concatenate": "Put side by side"}


def describe(layer: Any) -> Described:
    """Return kind, label and settings of a Keras layer.

    A layer of a known class whose settings are not followed here is of the kind "other": a
    convolution in groups, batch normalisation along another axis, channels before places.
    """
    kind = KINDS.get(type(layer), "other")
    told = _settings(layer, kind)
    settings = {} if told is None else told
    if told is None:
        kind = "other"
    if kind == "activation" and settings["activation"] not in ACTIVATIONS:
        kind = "softmax" if settings["activation"] == "softmax" else "other"
    return kind, _label(layer, kind, settings), settings


def _settings(layer: Any, kind: str) -> dict[str, Any] | None:
    """Return what the layer is told, JSON-ready; None where it is used in an uncommon way."""
    if getattr(layer, "data_format", None) == "channels_first":
        return None
    return _SETTINGS[kind](layer) if kind in _SETTINGS else {}


def _conv(layer: Any) -> dict[str, Any] | None:
    return None if layer.groups != 1 else {
        "window": list(layer.kernel_size), "stride": list(layer.strides),
        "padding": layer.padding, "dilation": list(layer.dilation_rate),
        "filters": layer.filters, "activation": _activation(layer)}


def _pool(layer: Any) -> dict[str, Any]:
    return {"window": list(layer.pool_size), "stride": list(layer.strides),
            "padding": layer.padding}


def _norm(layer: Any) -> dict[str, Any] | None:
    return {"epsilon": float(layer.epsilon)} if _is_last_axis(layer) else None


def _is_last_axis(layer: Any) -> bool:
    axis = layer.axis[0] if isinstance(layer.axis, (list, tuple)) else layer.axis
    return bool(axis in (-1, len(layer.input.shape) - 1))


def _scaling(layer: Any) -> dict[str, float] | None:
    try:
        return {"scale": float(layer.scale), "offset": float(layer.offset)}
    except (TypeError, ValueError):  # one for each channel
        return None


def _activation(layer: Any) -> str:
    """Return the name of a layer's activation; "other" for one with settings of its own."""
    if isinstance(layer, keras.layers.ReLU):
        plain = not layer.negative_slope and not layer.threshold
        return "relu" if plain and layer.max_value is None else "other"
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    return str(getattr(layer.activation, "__name__", "other"))


_SETTINGS: dict[str, Callable[[Any], dict[str, Any] | None]] = {
    "conv": _conv, "max-pool": _pool, "average-pool": _pool, "norm": _norm,
    "rescaling": _scaling,
    "dropout": lambda layer: {"rate": float(layer.rate)},
    "activation": lambda layer: {"activation": _activation(layer)},
    "dense": lambda layer: {"activation": _activation(layer)},
}


def _label(layer: Any, kind: str, settings: dict[str, Any]) -> str:
    then = settings.get("activation", "linear")
    after = f", {readable(then)}" if then not in ("linear", "other") else ""
    if kind in ("rescaling", "activation", "softmax"):
        return _scaling_label(settings) if kind == "rescaling" else readable(then)
    if isinstance(layer, keras.Model):
        return f"A network of {len(layer.layers)} layers"
    numbers = {**settings, "window": "×".join(map(str, settings.get("window", ()))),
               "units": getattr(layer, "units", ""), "then": after}
    form = _LABELS.get(kind)
    return form.format(**numbers) if form else type(layer).__name__


def _scaling_label(settings: dict[str, Any]) -> str:
    scale = settings["scale"]
    usual = abs(scale * 255 - 1) < 1e-6 and not settings["offset"]
    return "Rescale 0–255 to 0–1" if usual else f"Times {scale:.4g}"


def described_by_hand(layer: LayerSpec) -> Described:
    """Return kind, label and settings of a layer that `tf_nn` executes."""
    if isinstance(layer, Conv):
        return "conv", layer.label, {
            "window": [layer.kernel, layer.kernel], "stride": [1, 1], "padding": layer.padding,
            "dilation": [1, 1], "filters": layer.filters,
            "activation": layer.activation or "linear"}
    if isinstance(layer, MaxPool):
        return "max-pool", layer.label, {
            "window": [layer.size] * 2, "stride": [layer.size] * 2, "padding": "valid"}
    if isinstance(layer, Dense):
        return "dense", layer.label, {"activation": layer.activation or "linear"}
    if isinstance(layer, Dropout):
        return "dropout", layer.label, {"rate": layer.rate}
    if isinstance(layer, Activation):
        return "activation", layer.label, {"activation": layer.name}
    return ("flatten" if isinstance(layer, Flatten) else "other"), layer.label, {}
