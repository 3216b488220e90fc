"""One training step and one evaluation pass, as TensorFlow functions over a Keras model.

Knows nothing of epochs, events or stopping: `loop` calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnn.config import RunConfig
from cnn.data.augmentation import apply_transforms
from cnn.data.dataset import Images, Labels
from cnn.models.build import logits_model
from cnn.models.registry import get_architecture
from cnn.training.muon import Muon

# With 500, validation took more memory than steps: 3.36 GB in speedrun-wide, where now 2.75 do.
EVAL_BATCH = 250
SGD_MOMENTUM = 0.9


def make_optimizer(config: RunConfig) -> Any:
    """Return the Keras optimizer that the configuration names."""
    if config.optimizer == "muon":
        head = get_architecture(config.architecture).head
        return Muon(config.learning_rate, config.batch_size, small_head=head.unit)
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(config.learning_rate, momentum=SGD_MOMENTUM)
    return keras.optimizers.Adam(config.learning_rate)


class Steps:
    """Compiled steps of one model.

    Args:
        model: Functional Keras model with a "logits" layer.
        config: For optimizer, learning rate and augmentation.
        class_weights: What an error in each class costs. Defaults to 1 in all. What is told of
            losses is never weighted: training and validation compare, and runs do.
    """

    def __init__(
        self, model: Any, config: RunConfig, class_weights: Sequence[float] | None = None
    ) -> None:
        self.model = logits_model(model)
        self.label_smoothing = config.label_smoothing
        self.answers: Labels = np.empty(0, np.int64)  # of the last evaluation
        self._class_weights = None if class_weights is None else tf.constant(
            class_weights, tf.float32)
        self.optimizer = make_optimizer(config)
        self.optimizer.build(self.model.trainable_variables)
        images = tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8)
        labels = tf.TensorSpec([None], tf.int64)
        transforms = tf.TensorSpec([None, 8], tf.float32)
        # jit_compile stays off: XLA made these networks 2.7 times slower on the CPU.
        self._train = tf.function(self._train_step, input_signature=[images, labels, transforms])
        self._train_plain = tf.function(
            lambda x, y: self._train_step(x, y, None), input_signature=[images, labels])
        self._evaluate = tf.function(self._evaluate_step, input_signature=[images, labels])

    @property
    def learning_rate(self) -> float:
        """The optimizer's learning rate; settable while training."""
        return float(self.optimizer.learning_rate)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer.learning_rate = value

    def train(self, images: Images, labels: Labels, transforms: Any) -> tuple[float, int]:
        """Take one step; return the mean cross-entropy and the number of right answers before it.

        The cross-entropy is not a number once a weight is none.

        Args:
            images: uint8 (N, H, W, C).
            labels: int64 (N,).
            transforms: float32 (N, 8) for augmentation, or None.
        """
        if transforms is None:
            loss, right = self._train_plain(images, labels)
        else:
            loss, right = self._train(images, labels, transforms)
        return float(loss), int(right)

    def evaluate(self, images: Images, labels: Labels) -> tuple[float, float]:
        """Return mean cross-entropy and accuracy over all images; weights stay as they are.

        Leaves the class that each image was given in `answers`.
        """
        loss, right = 0.0, 0
        answers = []
        for begin in range(0, len(labels), EVAL_BATCH):
            part = slice(begin, begin + EVAL_BATCH)
            batch_loss, batch_answers = self._evaluate(
                np.ascontiguousarray(images[part]), labels[part])
            loss += float(batch_loss)
            answers.append(batch_answers.numpy())
            right += int(np.count_nonzero(answers[-1] == labels[part]))
        self.answers = np.concatenate(answers)
        return loss / len(labels), right / len(labels)

    def _train_step(self, images: Any, labels: Any, transforms: Any) -> tuple[Any, Any]:
        inputs = tf.cast(images, tf.float32)
        if transforms is not None:
            inputs = apply_transforms(inputs, transforms)
            inputs.set_shape(images.shape)  # quicker layers want to know it
        with tf.GradientTape() as tape:
            logits = tf.cast(self.model(inputs, training=True), tf.float32)
            losses = self._losses(labels, logits)
            total = tf.add_n([self._cost(losses, labels), *self.model.losses])  # L2 terms
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(total, variables), variables)
        return tf.reduce_mean(losses) + _nothing(variables), _count_right(logits, labels)

    def _losses(self, labels: Any, logits: Any) -> Any:
        if not self.label_smoothing:
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        classes, smoothing = logits.shape[-1], self.label_smoothing
        targets = tf.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
        return tf.nn.softmax_cross_entropy_with_logits(targets, logits)

    def _cost(self, losses: Any, labels: Any) -> Any:
        if self._class_weights is not None:
            losses *= tf.gather(self._class_weights, labels)
        return tf.reduce_mean(losses)

    def _evaluate_step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        logits = tf.cast(self.model(tf.cast(images, tf.float32), training=False), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        return tf.reduce_sum(losses), tf.argmax(logits, axis=1)


def _nothing(variables: Sequence[Any]) -> Any:
    """Return 0, or NaN if any value is not a number or infinite.

    The loss alone does not always tell: a convolution with ReLU, run as one operation, makes 0 of
    NaN on CPUs with AVX-512.
    """
    total = tf.add_n([tf.reduce_sum(tf.convert_to_tensor(one)) for one in variables])
    return tf.where(tf.math.is_finite(total), 0.0, float("nan"))


def _count_right(logits: Any, labels: Any) -> Any:
    return tf.math.count_nonzero(tf.equal(tf.argmax(logits, axis=1), labels))
