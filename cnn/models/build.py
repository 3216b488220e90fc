"""From an architecture's description to a Keras model, and the variants that saving needs.

Imports TensorFlow: for trainer and engine only. Knows nothing of data, optimizers or losses.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import keras

from cnn.models.layers import FusedBatchNormalization, derived_seed
from cnn.models.registry import get_architecture
from cnn.models.specs import (
    Activation,
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    LayerSpec,
    MaxPool,
    Rescaling,
)
from cnn.models.summary import summarise
from cnn.models.tf_nn import NamedLayers, TfNetwork, layers_to_config

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
        for index, (name, layer) in enumerate(body):
            # Keras's own layer serves dense layers: the fused operation is for feature maps.
            fused = training and isinstance(layer, BatchNorm) and len(values.shape) == 4
            make = _fused_norm if fused else make_layer
            values = make(layer, name, _POLICIES[precision], derived_seed(seed, index))(values)
        # The head stays float32: it costs nothing, and bfloat16 logits have only 3 digits.
        values = make_layer(logits, head, "float32", derived_seed(seed, len(body)))(values)
    outputs = make_layer(softmax, last, "float32", seed)(values)
    return keras.Model(image, outputs, name=architecture.replace("-", "_"))


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
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        kernel_regularizer=_decay(layer.l2), name=name, dtype=policy)


@make_layer.register
def _dense(layer: Dense, name: str, policy: str, seed: int) -> Any:
    return keras.layers.Dense(
        layer.units, activation=layer.activation,
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        kernel_regularizer=_decay(layer.l2), name=name, dtype=policy)


@make_layer.register
def _max_pool(layer: MaxPool, name: str, policy: str, seed: int) -> Any:
    return keras.layers.MaxPooling2D(layer.size, name=name, dtype=policy)


@make_layer.register
def _average_pool(layer: AveragePool, name: str, policy: str, seed: int) -> Any:
    return keras.layers.AveragePooling2D(layer.size, name=name, dtype=policy)


@make_layer.register
def _norm(layer: BatchNorm, name: str, policy: str, seed: int) -> Any:
    return keras.layers.BatchNormalization(name=name, dtype=policy)


def _fused_norm(layer: LayerSpec, name: str, policy: str, seed: int) -> Any:
    return FusedBatchNormalization(name=name, dtype=policy)


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
