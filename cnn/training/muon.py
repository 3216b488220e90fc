"""Muon: steps of equal size in every direction for convolution kernels, SGD for the rest.

A Keras optimizer for any network. It knows variables by their shape and layer, nothing of data.
After Keller Jordan, "Muon: an optimizer for hidden layers in neural networks"
(kellerjordan.github.io/posts/muon) and its use in github.com/KellerJordan/cifar10-airbench.
`keras.optimizers.Muon` leaves convolution kernels, which have four dimensions, to AdamW.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

KERNEL_MOMENTUM = 0.6
REST_MOMENTUM = 0.85
_USUAL_RATE = 0.24  # to which the rates of the rest belong
_USUAL_BATCH = 2000
_OFFSET_RATE = 0.053  # per image of a batch: of offsets of batch normalisation and biases
_UNIT_HEAD_RATE = 0.67  # likewise: of a dense layer whose weights have deviation 1
_REST_RATE = 0.05  # of everything but convolution kernels in a network without a small head
_DECAY = 2e-6  # share of these weights taken off per step and image of its batch
# Quintic iteration that drives all singular values towards 1, with the steepest slope at zero.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 3


def orthogonalised(matrix: Any) -> Any:
    """Return the matrix with all its singular values near 1 (within about 0.3).

    Args:
        matrix: float32 (M, N).
    """
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix / (tf.norm(matrix) + 1e-7)
    x = tf.transpose(x) if tall else x
    for _ in range(_ITERATIONS):
        square = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * square + c * tf.matmul(square, square), x)
    return tf.transpose(x) if tall else x


@keras.saving.register_keras_serializable(package="cnn")
class Muon(keras.optimizers.Optimizer):
    """Orthogonalised momentum for convolution kernels, Nesterov SGD for all other weights.

    A kernel (H, W, in, out) is taken as the matrix (out, H * W * in). Each step first brings it
    to the norm sqrt(out), so only its direction is learned, and the rate alone decides how far a
    step turns it; let it fall to zero (`schedule` "linear").

    Args:
        learning_rate: Of convolution kernels; the rates of the rest follow it in proportion.
            Defaults to 0.24.
        batch_size: Images per step.
        small_head: Whether the network ends in a head of unit weights whose outputs are scaled
            down. Gradients before it are small, and the rates of the rest large.
    """

    def __init__(
        self, learning_rate: float = _USUAL_RATE, batch_size: int = _USUAL_BATCH,
        small_head: bool = False, name: str = "muon", **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.batch_size, self.small_head = batch_size, small_head
        self._momenta: list[Any] = []

    def build(self, variables: list[Any]) -> None:
        """Make one momentum for each variable."""
        if self.built:
            return
        super().build(variables)
        self._momenta = [self.add_variable_from_reference(v, name="momentum") for v in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change one variable by one step."""
        momentum = self._momenta[self._get_variable_index(variable)]
        if len(variable.shape) == 4:
            _turn(variable, momentum, gradient, learning_rate)
        else:
            self._descend(variable, momentum, gradient, learning_rate)

    def _descend(self, variable: Any, momentum: Any, gradient: Any, learning_rate: Any) -> None:
        share = learning_rate / _USUAL_RATE
        if self.small_head:
            rate = self.batch_size * (_UNIT_HEAD_RATE if len(variable.shape) == 2 else _OFFSET_RATE)
            gradient += variable * (_DECAY * self.batch_size / rate)
        else:
            rate = _REST_RATE
        momentum.assign(REST_MOMENTUM * momentum + gradient)
        variable.assign_sub(share * rate * (gradient + REST_MOMENTUM * momentum))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {**super().get_config(), "batch_size": self.batch_size,
                "small_head": self.small_head}


def _turn(kernel: Any, momentum: Any, gradient: Any, learning_rate: Any) -> None:
    filters = kernel.shape[-1]
    momentum.assign(KERNEL_MOMENTUM * momentum + gradient)
    direction = gradient + KERNEL_MOMENTUM * momentum
    step = orthogonalised(tf.transpose(tf.reshape(direction, [-1, filters])))
    unit = tf.convert_to_tensor(kernel) * (filters**0.5 / (tf.norm(kernel) + 1e-7))
    kernel.assign(unit - learning_rate * tf.reshape(tf.transpose(step), kernel.shape))
