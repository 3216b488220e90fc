"""Which layers of Keras a network from elsewhere may have, and which settings each of them.

A list of what is allowed, never of what is forbidden. Settings that matter only for training
(initial values, regularisation, ...) are left out; one that is not known here is refused, because
what it changes is not known either. Knows nothing of how layers are connected.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cnn.errors import Refused

Check = Callable[[Any], bool]

MOST_CHANNELS = 65_536
MOST_PIXELS = 512  # of a kernel, a step, an edge
ACTIVATIONS = frozenset({
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish",
    "sigmoid", "hard_sigmoid", "hard_silu", "hard_swish", "tanh", "softmax", "softplus",
    "softsign", "exponential"})
_LARGEST = 1e6  # of any number that is not counted


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) \
        and math.isfinite(value) and abs(value) <= _LARGEST


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _channels(value: Any) -> bool:
    return _whole(value, 1, MOST_CHANNELS)


def _pixels(value: Any) -> bool:
    """Whether it is a number of pixels, or such numbers for the sides, also by pairs."""
    if isinstance(value, list):
        return 1 <= len(value) <= 2 and all(map(_pixels, value))
    return _whole(value, 0, MOST_PIXELS)


def _axis(value: Any) -> bool:
    if isinstance(value, list):
        return 1 <= len(value) <= 3 and all(_whole(one, -4, 3) for one in value)
    return _whole(value, -4, 3)


def _numbers(value: Any) -> bool:
    """Whether it is a number or, as for channels, a few of them, however nested."""
    if isinstance(value, list):
        return len(value) <= 4 and all(map(_numbers, value))
    return _number(value)


def _sides(value: Any) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= 4 \
        and all(_whole(one, -1, 2**22) for one in value)


def _one_of(*choices: Any) -> Check:
    return lambda value: value in choices


def _activation(value: Any) -> bool:
    return isinstance(value, str) and value in ACTIVATIONS


_EDGE = _one_of("valid", "same")
_WINDOW = {"kernel_size": _pixels, "strides": _pixels, "padding": _EDGE,
           "dilation_rate": _pixels, "activation": _activation, "use_bias": _flag}
_KERNEL = {"filters": _channels, "groups": _channels, **_WINDOW}
_POOL: dict[str, Check] = {"pool_size": _pixels, "strides": _pixels, "padding": _EDGE}
_GLOBAL: dict[str, Check] = {"keepdims": _flag}
_NORMAL: dict[str, Check] = {"axis": _axis, "epsilon": _number, "center": _flag, "scale": _flag}
_RESIZED: dict[str, Check] = {"height": _channels, "width": _channels}
_AXIS: dict[str, Check] = {"axis": _axis}

WITH_WEIGHTS: dict[str, dict[str, Check]] = {
    "Conv2D": _KERNEL,
    "DepthwiseConv2D": {**_WINDOW, "depth_multiplier": _channels},
    "SeparableConv2D": {**_KERNEL, "groups": _one_of(1), "depth_multiplier": _channels},
    "Conv2DTranspose": {**_KERNEL, "groups": _one_of(1), "output_padding": _pixels},
    "Dense": {"units": _channels, "activation": _activation, "use_bias": _flag},
    "BatchNormalization": {**_NORMAL, "renorm": _one_of(False)},
    "LayerNormalization": {**_NORMAL, "rms_scaling": _flag},
    "GroupNormalization": {**_NORMAL, "groups": lambda value: value == -1 or _channels(value)},
    "PReLU": {"shared_axes": _axis},
    "Normalization": {**_AXIS, "mean": _numbers, "variance": _numbers, "invert": _flag},
}
WITHOUT_WEIGHTS: dict[str, dict[str, Check]] = {
    "Activation": {"activation": _activation},
    "ReLU": {"max_value": _number, "negative_slope": _number, "threshold": _number},
    "LeakyReLU": {"negative_slope": _number},
    "ELU": {"alpha": _number},
    "Softmax": _AXIS,
    "MaxPooling2D": _POOL,
    "AveragePooling2D": _POOL,
    "GlobalMaxPooling2D": _GLOBAL,
    "GlobalAveragePooling2D": _GLOBAL,
    "Flatten": {},
    "Reshape": {"target_shape": _sides},
    "ZeroPadding2D": {"padding": _pixels},
    "Cropping2D": {"cropping": _pixels},
    "UpSampling2D": {"size": _pixels, "interpolation": _one_of("nearest", "bilinear")},
    "Rescaling": {"scale": _numbers, "offset": _numbers},
    "Resizing": {**_RESIZED, "interpolation": _one_of("nearest", "bilinear", "bicubic", "area"),
                 "crop_to_aspect_ratio": _flag, "pad_to_aspect_ratio": _flag,
                 "antialias": _flag, "fill_mode": _one_of("constant"), "fill_value": _number},
    "CenterCrop": _RESIZED,
    "Add": {}, "Subtract": {}, "Multiply": {}, "Average": {}, "Maximum": {}, "Minimum": {},
    "Concatenate": _AXIS,
}
LAYERS = {**WITH_WEIGHTS, **WITHOUT_WEIGHTS}
MERGING = frozenset({"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
                     "Concatenate"})
# They change images or values while training only, so the network is built without them.
INACTIVE = frozenset({
    "Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomTranslation", "RandomContrast", "RandomBrightness", "RandomShear", "RandomHue",
    "RandomSaturation", "RandomSharpness", "RandomGrayscale", "RandomColorJitter",
    "RandomGaussianBlur", "RandomErasing", "RandomPosterization", "RandomColorDegeneration"})
_LEFT_OUT = frozenset({"name", "trainable", "dtype", "seed", "momentum", "synchronized",
                       "renorm_clipping", "renorm_momentum"})
_FOR_TRAINING = ("_initializer", "_regularizer", "_constraint")


def settings_of(kind: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a layer that decide what it computes; None stands for the default.

    Args:
        kind: Its class, one of `LAYERS`.
        name: Of the layer, for messages.
        config: As its `get_config` returned it.

    Raises:
        Refused: If a setting is not known, or its value not allowed.
    """
    allowed, found = LAYERS[kind], {}
    for key, value in config.items():
        if key in _LEFT_OUT or key.endswith(_FOR_TRAINING) or value is None:
            continue
        if key == "data_format" and value == "channels_last":
            continue
        if key not in allowed or not allowed[key](value):
            raise Refused(f"The layer {name} ({kind}) has a setting that is not taken: "
                          f"{key[:40]} = {str(value)[:60]}.",
                          "Only what a network for pictures needs is taken.")
        found[key] = value
    return found


def is_number(value: Any) -> bool:
    """Whether a value is a number that a network may be given as a constant."""
    return _number(value)
