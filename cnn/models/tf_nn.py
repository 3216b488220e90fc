"""A network executed by hand with `tf.nn`: what Keras layers do, operation by operation.

Imports TensorFlow: for trainer and engine only. Which layers there are is said by the
descriptions it is given; this module only executes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnn.models.layers import derived_seed
from cnn.models.specs import Dropout, Flatten, LayerSpec, MaxPool, Shape
from cnn.models.weighted import Conv, Dense

_KINDS: dict[str, type[LayerSpec]] = {
    kind.__name__: kind for kind in (Conv, MaxPool, Dropout, Flatten, Dense)}
NamedLayers = tuple[tuple[str, LayerSpec], ...]


def layers_to_config(layers: NamedLayers) -> list[dict[str, Any]]:
    """Return named layer descriptions as JSON-ready values, for a saved model."""
    return [{"name": name, "kind": type(layer).__name__, "settings": asdict(layer)}
            for name, layer in layers]


def layers_from_config(config: list[dict[str, Any]]) -> NamedLayers:
    """Rebuild what `layers_to_config` wrote.

    Raises:
        ValueError: If a layer is of a kind that this network cannot execute.
    """
    unknown = {entry["kind"] for entry in config} - set(_KINDS)
    if unknown:
        raise ValueError(f"tf.nn network: unknown layers {sorted(unknown)}; "
                         f"known: {sorted(_KINDS)}.")
    return tuple((entry["name"], _KINDS[entry["kind"]](**entry["settings"])) for entry in config)


@keras.saving.register_keras_serializable(package="cnn")
class TfNetwork(keras.layers.Layer):
    """All layers from the scaled image (N, H, W, C) to the logits (N, classes), float32.

    Args:
        layers: Named layer descriptions as `layers_to_config` returns them, so that a saved model
            stays as it was when the architecture of that name changes.
        seed: Of initial weights and dropout.
    """

    def __init__(self, layers: list[dict[str, Any]], seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._config = layers
        self._seed = seed
        self._network = layers_from_config(layers)
        self._random = keras.random.SeedGenerator(seed)
        # Plain dictionaries of weights: Keras tracks what add_weight returns by itself.
        self._kernels: dict[str, Any] = {}
        self._biases: dict[str, Any] = {}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make a kernel and a bias for every convolution and dense layer."""
        shape: Shape = tuple(int(size) for size in input_shape[1:] if size is not None)
        for index, (name, layer) in enumerate(self._network):
            if isinstance(layer, Conv):
                size = (layer.kernel, layer.kernel, shape[-1], layer.filters)
                self._add(name, index, size, layer.l2)
            elif isinstance(layer, Dense):
                self._add(name, index, (shape[0], layer.units), layer.l2)
            shape = layer.output_shape(shape)

    def last_weights(self) -> list[Any]:
        """Return the weights of the last layer, which gives the logits."""
        name = self._network[-1][0]
        return [self._kernels[name], self._biases[name]]

    @property
    def kernels(self) -> dict[str, Any]:
        """The kernel of each layer that has one, by its name."""
        return dict(self._kernels)

    @property
    def biases(self) -> dict[str, Any]:
        """The bias of each layer that has a kernel, by its name."""
        return dict(self._biases)

    def _add(self, name: str, index: int, shape: Shape, l2: float) -> None:
        initializer = keras.initializers.GlorotUniform(derived_seed(self._seed, index))
        self._kernels[name] = self.add_weight(
            name=f"{name}_kernel", shape=shape, initializer=initializer,
            regularizer=keras.regularizers.L2(l2) if l2 else None)
        self._biases[name] = self.add_weight(
            name=f"{name}_bias", shape=shape[-1:], initializer="zeros")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the logits (N, classes) of scaled images (N, H, W, C)."""
        *_, (_, logits) = self.steps(inputs, bool(training))
        return tf.cast(logits, tf.float32)

    def steps(self, inputs: Any, training: bool = False) -> Iterator[tuple[str, Any]]:
        """Yield the name and the output of each layer, one after the other."""
        values = inputs
        for name, layer in self._network:
            with tf.name_scope(f"{name}/"):  # the slash: not inside the scope of the model
                values = self._run(name, layer, values, training)
            yield name, values

    def _run(self, name: str, layer: LayerSpec, values: Any, training: bool) -> Any:
        if isinstance(layer, Conv):
            values = tf.nn.conv2d(
                values, self._kernels[name], layer.stride, layer.padding.upper())
            return _activate(tf.nn.bias_add(values, self._biases[name]), layer.activation)
        if isinstance(layer, Dense):
            values = tf.linalg.matmul(values, self._kernels[name])
            return _activate(tf.nn.bias_add(values, self._biases[name]), layer.activation)
        if isinstance(layer, MaxPool):
            return tf.nn.max_pool2d(values, layer.size, layer.step, layer.padding.upper())
        if isinstance(layer, Flatten):
            return tf.reshape(values, [-1, int(np.prod(values.shape[1:]))])
        if isinstance(layer, Dropout) and training:
            seed = tf.cast(self._random.next(), tf.int32)
            return tf.nn.experimental.stateless_dropout(values, layer.rate, seed)
        return values

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild this network."""
        return {**super().get_config(), "layers": self._config, "seed": self._seed}


def _activate(values: Any, activation: str | None) -> Any:
    return getattr(tf.nn, activation)(values) if activation else values
