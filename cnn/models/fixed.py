"""Kernels of convolutions as constants of a graph: for networks that only answer.

With a constant, oneDNN keeps its own arrangement of the kernel, and has its quickest convolution
for a single image too; from a variable it would arrange it anew each time, and for a single image
falls back to another that takes twice as long. But TensorFlow holds every constant about ten times,
so only the smallest kernels become one: they are those of the largest feature maps, where most of
the time goes. Imports TensorFlow; knows nothing of pictures.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

MOST_BYTES = 4 * 2**20  # of all such kernels: some 40 MB of memory


def fixed_kernels(network: Any) -> Any:
    """Return a context for the tracing of a graph, in which small kernels are constants.

    Such a graph goes on with the weights of now when the network gets others.

    Args:
        network: Keras model, or a part of it.
    """
    with tf.init_scope():  # the values themselves, not operations of the graph
        values = [(kernel, kernel.numpy()) for kernel in _small_kernels(network)]
    return keras.StatelessScope([(kernel, tf.constant(value)) for kernel, value in values])


def _small_kernels(network: Any) -> list[Any]:
    kernels = sorted((variable for variable in network.weights if len(variable.shape) == 4),
                     key=lambda kernel: kernel.shape.num_elements())
    chosen, size = [], 0
    for kernel in kernels:
        size += 4 * kernel.shape.num_elements()
        if size > MOST_BYTES:
            break
        chosen.append(kernel)
    return chosen
