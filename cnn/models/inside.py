"""A network opened up: what comes out of its layers, and what its answer is computed from.

For explanations, and for telling how unlike the training images a picture is. Serves networks of
Keras layers, ours or another's, and those that `tf_nn` executes. Imports TensorFlow: for trainer,
engine and CLI only. Knows nothing of pictures or of what is made of the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from cnn.errors import BadInput
from cnn.models.fixed import fixed_kernels
from cnn.models.specs import Shape
from cnn.models.tf_nn import TfNetwork

MOST_SUMMED_UP = 8  # layers whose mean values are computed for every answer


@dataclass(frozen=True)
class Seen:
    """What a network made of a batch of N images; tensors that gradients can be taken of."""

    outputs: list[Any]  # of the layers asked for, (N, ...)
    features: Any  # (N, F), what the last layer weighs
    logits: Any  # (N, K), before the softmax


class Inside:
    """A network whose inner values can be asked for.

    Args:
        network: Keras model from pixel values 0 to 255, (N, H, W, C), to probabilities (N, K). Its
            last layer with weights is dense, and a softmax follows or is part of it.

    Raises:
        BadInput: If the network ends otherwise.
    """

    def __init__(self, network: Any) -> None:
        head: Any = next((layer for layer in reversed(network.layers) if layer.weights), None)
        self._by_hand = head if isinstance(head, TfNetwork) else None
        dense = isinstance(head, keras.layers.Dense) and len(head.input.shape) == 2
        if not self._by_hand and not dense:
            raise BadInput(
                f"The network {network.name} does not end with a dense layer, so what its answer "
                "is computed from cannot be told.", "Use a network that ends with one value per "
                "class from a dense layer.")
        self._head, self._network = head, network
        body = _layers_before(network, head)
        outputs = [*(layer.output for layer in body), head.input]
        self._front = keras.Model(network.inputs[0], outputs)
        shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in body}
        self._with_kernel = {layer.name for layer in body if hasattr(layer, "kernel")}
        if self._by_hand:
            shapes |= _shapes_by_hand(self._by_hand, head.input)
            self._with_kernel = set(self._by_hand.kernels)
        self.functions: dict[str, Any] = {}  # what others compiled of it, to be kept as long
        self.shapes: dict[str, Shape] = shapes  # of the layers before the last, in their order

    def look(self, images: Any, layers: Sequence[str] = ()) -> Seen:
        """Return what comes out of some layers, the features and the logits.

        Args:
            images: float32 (N, H, W, C), 0 to 255.
            layers: Names, of those in `shapes`.
        """
        *values, last = self._front(images, training=False)
        outputs = dict(zip(self.shapes, values, strict=False))
        if self._by_hand:
            *steps, (_, logits) = self._by_hand.steps(last)
            outputs |= dict(steps)
            features = steps[-1][1]
        else:
            features, logits = last, tf.matmul(last, self._head.kernel)
            if self._head.use_bias:
                logits += self._head.bias
        return Seen([outputs[name] for name in layers], features, logits)

    def maps(self) -> dict[str, Shape]:
        """Return the layers with a feature map, from the first that has a kernel on."""
        names = list(self.shapes)
        first = next((place for place, name in enumerate(names)
                      if name in self._with_kernel and len(self.shapes[name]) == 3), len(names))
        return {name: self.shapes[name] for name in names[first:] if len(self.shapes[name]) == 3}

    def convolutions(self) -> list[str]:
        """Return the layers with a kernel and a feature map; of many, some spread over all."""
        names = [name for name in self.maps() if name in self._with_kernel]
        if len(names) <= MOST_SUMMED_UP:
            return names
        step = (len(names) - 1) / (MOST_SUMMED_UP - 1)
        return [names[round(place * step)] for place in range(MOST_SUMMED_UP)]

    def compiled(self, fixed: bool = False) -> Any:
        """Return a TensorFlow function from float32 (N, H, W, C) to three things.

        They are the features (N, F), the logits (N, K), and for each of `convolutions` the mean of
        each channel of its feature map (N, channels).

        Args:
            fixed: Whether the weights stay as they are: it is quicker then.
        """
        layers = self.convolutions()
        signature = [tf.TensorSpec([None, *self._front.input_shape[1:]], tf.float32)]

        def inner_values(images: Any) -> tuple[Any, Any, list[Any]]:
            with fixed_kernels(self._network) if fixed else nullcontext():
                seen = self.look(images, layers)
            means = [tf.reduce_mean(values, axis=(1, 2)) for values in seen.outputs]
            return seen.features, seen.logits, means

        return tf.function(inner_values, input_signature=signature)


def _layers_before(network: Any, head: Any) -> list[Any]:
    """Return the layers before the last with weights that give one tensor, and are called once."""
    layers = network.layers[: network.layers.index(head)]
    return [layer for layer in layers if not isinstance(layer, keras.layers.InputLayer)
            and isinstance(_output(layer), keras.KerasTensor)]


def _output(layer: Any) -> Any:
    with suppress(AttributeError, ValueError):  # called more than once, or never
        return layer.output
    return None


def _shapes_by_hand(layer: TfNetwork, scaled: Any) -> dict[str, Shape]:
    steps = list(layer.steps(tf.zeros([1, *scaled.shape[1:]])))
    return {name: tuple(values.shape[1:]) for name, values in steps[:-1]}
