"""From an architecture's description to a Keras model, and the variants that saving needs.

Imports TensorFlow: for trainer and engine only. Knows nothing of data, optimizers or losses.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from cnn.models.blocks import START, Step, unfold
from cnn.models.forms import Form, keras_form
from cnn.models.layers import FusedBatchNormalization, QuickSilu, WinogradConv2D, derived_seed
from cnn.models.registry import get_architecture
from cnn.models.specs import Activation, Dropout, LayerSpec, Shape
from cnn.models.summary import summarise
from cnn.models.tf_nn import NamedLayers, TfNetwork, layers_to_config
from cnn.models.weighted import BatchNorm, Conv, Dense, Whitening

_FINEST = 2.0**-24  # the smallest step of half precision
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # precision: Keras dtype policy


def build_model(
    architecture: str,
    input_shape: tuple[int, int, int],
    classes: int,
    seed: int = 0,
    precision: str = "float32",
    training: bool = False,
) -> keras.Model:
    """Return a new functional model, from pixel values 0 to 255 to probabilities.

    Input: (N, height, width, channels), any number type, 0 to 255. Output: (N, classes), float32.
    Layers are called as the rows of `summary.summarise`. The same seed gives the same weights.

    Args:
        architecture: Its name in the registry.
        input_shape: Height, width and channels of the images.
        classes: How many classes there are.
        seed: Of initial weights and dropout.
        precision: float32, or bfloat16 for mixed bfloat16; weights and output stay float32.
        training: Use the quicker layers of this package. Pass such a model through `float32_copy`
            before saving it for others: it does not load where this package is missing.

    Raises:
        NotFound: If there is no such architecture.
        BadInput: If the images are too small for it.
    """
    summarise(architecture, input_shape, classes)  # refuses what does not fit, in words
    chosen = get_architecture(architecture)
    (first, scaling), *body, (head, logits), (last, softmax) = chosen.layers(input_shape, classes)
    image = keras.Input(input_shape, name="image", dtype="float32")
    values = make_layer(scaling, first, "float32", seed)(image)
    if chosen.engine == "tf.nn":
        network: NamedLayers = (*body, (head, logits))
        values = TfNetwork(layers_to_config(network), seed, name=head,
                           dtype=_POLICIES[precision])(values)
    else:
        steps = _steps(((first, scaling), *body), input_shape)[1:]
        values = _chain({first: values, START: image}, steps, precision, seed, training)
        # The head stays float32: it costs nothing, and bfloat16 logits have only 3 digits.
        values = make_layer(logits, head, "float32", derived_seed(seed, len(steps)))(values)
    outputs = make_layer(softmax, last, "float32", seed)(values)
    model = keras.Model(image, outputs, name=architecture.replace("-", "_"))
    for name, layer in body:
        if isinstance(layer, Conv) and layer.identity:
            _pass_input_on(model.get_layer(name))
    return model


def _steps(layers: NamedLayers, input_shape: Shape) -> list[Step]:
    return [step for _, _, steps in unfold(layers, input_shape) for step in steps]


def _chain(
    values: dict[str, Any], steps: list[Step], precision: str, seed: int, training: bool
) -> Any:
    """Return what comes out of the last of some steps, called one after the other.

    Args:
        values: What has come out so far, by the name of the step.
        steps: Each needs only what came out before it.
        precision: float32 or bfloat16.
        seed: Of initial weights and dropout.
        training: Use the quicker layers of this package.
    """
    for index, step in enumerate(steps):
        inputs = [values[name] for name in step.inputs]
        quicker = _quicker(step, precision) if training else None
        made = make_layer(step.layer, step.name, _POLICIES[precision], derived_seed(seed, index),
                          quicker)
        values[step.name] = made(inputs if len(inputs) > 1 else inputs[0])
    return values[steps[-1].name]


def _quicker(step: Step, precision: str) -> type | None:
    """Return a class that computes what a step does in less time than Keras's; None without one."""
    layer, shape = step.layer, step.input_shape
    if isinstance(layer, BatchNorm) and len(shape) == 3:  # the fused operation is for feature maps
        return FusedBatchNormalization
    if isinstance(layer, Conv) and layer.quick(shape, precision):
        return WinogradConv2D
    if layer == Activation("silu") and precision == "bfloat16":
        return QuickSilu
    return None


def _pass_input_on(layer: Any) -> None:
    """Turn the first filters of a convolution into the identity, one for each input channel."""
    kernel = np.array(layer.kernel)
    middle, (_, _, inputs, filters) = kernel.shape[0] // 2, kernel.shape
    count = min(inputs, filters)
    kernel[..., :count] = 0
    kernel[middle, middle, range(count), range(count)] = 1
    layer.kernel.assign(kernel)


def logits_model(model: keras.Model) -> keras.Model:
    """Return a model that shares all layers with `model` and ends at the logits (N, classes)."""
    return keras.Model(model.input, model.get_layer("logits").output, name=f"{model.name}_logits")


def float32_copy(model: keras.Model, architecture: str) -> keras.Model:
    """Return `model` with the same weights in float32 and layers of Keras: the one to save.

    Kernels of layers that compute in bfloat16 are rounded as each step of the training rounds them,
    so that the copy answers no worse and `packing` can keep them in half the bytes.

    Args:
        model: What `build_model` returned for this architecture, with any precision.
        architecture: Its name in the registry.
    """
    copy = build_model(architecture, model.input_shape[1:], model.output_shape[-1])
    copy.set_weights(model.get_weights())
    for layer in model.layers:
        if layer.compute_dtype == "bfloat16" and hasattr(layer, "kernel"):
            kernel = copy.get_layer(layer.name).kernel
            kernel.assign(_rounded(kernel))
    return copy


def _rounded(values: Any) -> Any:
    """Return float32 values rounded to bfloat16, and to what half precision can tell from 0."""
    shorter = keras.ops.cast(keras.ops.cast(values, "bfloat16"), "float32")
    return keras.ops.round(shorter / _FINEST) * _FINEST


def divide_logits(model: keras.Model, temperature: float) -> None:
    """Make a model's probabilities softer (above 1) or sharper, by its last weights alone.

    Args:
        model: What `float32_copy` returned.
        temperature: What the logits are divided by.
    """
    layer = model.get_layer("logits")
    for weight in layer.last_weights() if isinstance(layer, TfNetwork) else layer.weights:
        weight.assign(weight / temperature)


def make_layer(
    layer: LayerSpec, name: str, policy: str, seed: int, quicker: type | None = None
) -> Any:
    """Return the Keras layer that `layer` describes.

    Args:
        layer: The description.
        name: Of the Keras layer.
        policy: Keras dtype policy.
        seed: Of its initial weights or its dropout.
        quicker: A class that takes the same arguments as Keras's and computes the same.
    """
    form = keras_form(layer)
    settings = {key: _made(value, seed) for key, value in form.settings.items()}
    if isinstance(layer, (Conv, Dense)):
        settings.setdefault("kernel_initializer", keras.initializers.GlorotUniform(seed))
    if isinstance(layer, Dropout):
        settings["seed"] = seed
    if isinstance(layer, Whitening):
        # Its kernels reach 45, and bfloat16 inputs then leave 5 % error. `whitening.fit_whitening`
        # gives it its weights.
        policy = "float32"
    return (quicker or _keras(form.name))(*form.args, **settings, name=name, dtype=policy)


def _made(value: Any, seed: int) -> Any:
    """Return an argument of a layer: a value, or the initializer or regularizer it describes."""
    if not isinstance(value, Form):
        return value
    seeded = {"seed": seed} if value.name.startswith("initializers.") else {}
    return _keras(value.name)(*value.args, **value.settings, **seeded)


def _keras(name: str) -> Any:
    room, _, cls = name.partition(".")
    return getattr(getattr(keras, room), cls)
