"""From an architecture's description to a Keras model, and the variants that saving needs.

Imports TensorFlow: for trainer and engine only. Knows nothing of data, optimizers or losses.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import keras
import numpy as np

from cnn.models.layers import FusedBatchNormalization, derived_seed
from cnn.models.registry import get_architecture
from cnn.models.specs import (
    Activation,
    AveragePool,
    Dropout,
    Flatten,
    GlobalMaxPool,
    LayerSpec,
    MaxPool,
    Rescaling,
    Scale,
    Skip,
)
from cnn.models.summary import summarise
from cnn.models.tf_nn import NamedLayers, TfNetwork, layers_to_config
from cnn.models.weighted import BatchNorm, Conv, Dense, Whitening

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
        training: Use the quicker batch normalisation. Pass such a model through `float32_copy`
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
        values = _chain(values, tuple(body), _POLICIES[precision], seed, training)
        # The head stays float32: it costs nothing, and bfloat16 logits have only 3 digits.
        values = make_layer(logits, head, "float32", derived_seed(seed, len(body)))(values)
    outputs = make_layer(softmax, last, "float32", seed)(values)
    model = keras.Model(image, outputs, name=architecture.replace("-", "_"))
    for name, layer in body:
        if isinstance(layer, Conv) and layer.identity:
            _pass_input_on(model.get_layer(name))
    return model


def _chain(values: Any, body: NamedLayers, policy: str, seed: int, training: bool) -> Any:
    """Return what comes out of the layers of a body, called one after the other."""
    outputs: list[Any] = []
    for index, (name, layer) in enumerate(body):
        if isinstance(layer, Skip):
            values = keras.layers.Add(name=name, dtype=policy)([values, outputs[-layer.back]])
        else:
            # Keras's own layer serves dense layers: the fused operation is for feature maps.
            if training and isinstance(layer, BatchNorm) and len(values.shape) == 4:
                made = _fused_norm(layer, name, policy)
            else:
                made = make_layer(layer, name, policy, derived_seed(seed, index))
            values = made(values)
        outputs.append(values)
    return values


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

    Args:
        model: What `build_model` returned for this architecture, with any precision.
        architecture: Its name in the registry.
    """
    copy = build_model(architecture, model.input_shape[1:], model.output_shape[-1])
    copy.set_weights(model.get_weights())
    return copy


def divide_logits(model: keras.Model, temperature: float) -> None:
    """Make a model's probabilities softer (above 1) or sharper, by its last weights alone.

    Args:
        model: What `float32_copy` returned.
        temperature: What the logits are divided by.
    """
    layer = model.get_layer("logits")
    for weight in layer.last_weights() if isinstance(layer, TfNetwork) else layer.weights:
        weight.assign(weight / temperature)


@singledispatch
def make_layer(layer: LayerSpec, name: str, policy: str, seed: int) -> Any:
    """Return the Keras layer that `layer` describes.

    Args:
        layer: The description.
        name: Of the Keras layer.
        policy: Keras dtype policy.
        seed: Of its initial weights or its dropout.
    """
    raise TypeError(f"No Keras layer is known for {type(layer).__name__}.")


@make_layer.register
def _rescaling(layer: Rescaling, name: str, policy: str, seed: int) -> Any:
    return keras.layers.Rescaling(1 / 255, name=name, dtype=policy)


@make_layer.register
def _conv(layer: Conv, name: str, policy: str, seed: int) -> Any:
    return keras.layers.Conv2D(
        layer.filters, layer.kernel, padding=layer.padding, activation=layer.activation,
        use_bias=layer.bias, kernel_initializer=keras.initializers.GlorotUniform(seed),
        kernel_regularizer=_decay(layer.l2), name=name, dtype=policy)


@make_layer.register
def _whitening(layer: Whitening, name: str, policy: str, seed: int) -> Any:
    # float32 whatever the policy: its kernels reach 45, and bfloat16 inputs then leave 5 % error.
    # `whitening.fit_whitening` gives it its weights.
    return keras.layers.Conv2D(
        layer.filters, layer.kernel, name=name, dtype="float32", trainable=False)


@make_layer.register
def _dense(layer: Dense, name: str, policy: str, seed: int) -> Any:
    initializer = (keras.initializers.RandomNormal(stddev=1.0, seed=seed) if layer.unit
                   else keras.initializers.GlorotUniform(seed))
    return keras.layers.Dense(
        layer.units, activation=layer.activation, use_bias=layer.bias,
        kernel_initializer=initializer,
        kernel_regularizer=_decay(layer.l2), name=name, dtype=policy)


@make_layer.register
def _max_pool(layer: MaxPool, name: str, policy: str, seed: int) -> Any:
    return keras.layers.MaxPooling2D(layer.size, name=name, dtype=policy)


@make_layer.register
def _average_pool(layer: AveragePool, name: str, policy: str, seed: int) -> Any:
    return keras.layers.AveragePooling2D(layer.size, name=name, dtype=policy)


@make_layer.register
def _global_max_pool(layer: GlobalMaxPool, name: str, policy: str, seed: int) -> Any:
    return keras.layers.GlobalMaxPooling2D(name=name, dtype=policy)


@make_layer.register
def _norm(layer: BatchNorm, name: str, policy: str, seed: int) -> Any:
    return keras.layers.BatchNormalization(
        momentum=layer.momentum, scale=layer.scale, name=name, dtype=policy)


def _fused_norm(layer: BatchNorm, name: str, policy: str) -> Any:
    return FusedBatchNormalization(
        momentum=layer.momentum, scale=layer.scale, name=name, dtype=policy)


@make_layer.register
def _scale(layer: Scale, name: str, policy: str, seed: int) -> Any:
    return keras.layers.Rescaling(layer.factor, name=name, dtype=policy)


@make_layer.register
def _activation(layer: Activation, name: str, policy: str, seed: int) -> Any:
    return keras.layers.Activation(layer.name, name=name, dtype=policy)


@make_layer.register
def _dropout(layer: Dropout, name: str, policy: str, seed: int) -> Any:
    return keras.layers.Dropout(layer.rate, seed=seed, name=name, dtype=policy)


@make_layer.register
def _flatten(layer: Flatten, name: str, policy: str, seed: int) -> Any:
    return keras.layers.Flatten(name=name, dtype=policy)


def _decay(l2: float) -> Any:
    return keras.regularizers.L2(l2) if l2 else None
