"""From the best weights of a training to a saved model: calibration, the test, the card, the file.

Knows what a run is told and what it found, not how it was trained nor its files.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.config import RunConfig
from cnn.data.dataset import Dataset
from cnn.data.views import views
from cnn.errors import CnnError
from cnn.evaluation.calibration import (
    expected_calibration_error,
    fit_temperature,
    with_temperature,
)
from cnn.evaluation.novelty import Novelty
from cnn.evaluation.results import Evaluation, evaluate_predictions
from cnn.models.build import divide_logits
from cnn.models.defaults import averaged_views, worth_averaging
from cnn.models.inside import Inside
from cnn.models.packing import PackedNetwork
from cnn.models.registry import get_architecture
from cnn.prediction.averaging import average_views
from cnn.prediction.inner_values import novelty_of
from cnn.prediction.predictor import compile_network, predict_in_batches
from cnn.prediction.saved import Card, free_name, save_model
from cnn.runs.folder import Status
from cnn.training.data import TrainingData

VERSIONS_IN_CARD = ("tensorflow", "keras", "numpy")


@dataclass(frozen=True)
class Tested:
    """A calibrated network's results on the test split."""

    evaluation: Evaluation
    facts: dict[str, Any]  # fields of the card on calibration and averaging
    novelty: Novelty  # what pictures look like to it that are like the training images


def calibrate_and_test(
    model: Any, dataset: Dataset, data: TrainingData, config: RunConfig, training_seconds: float
) -> Tested:
    """Divide the logits by the temperature that suits the validation images; test both ways.

    The temperature is fitted on all views that are averaged: of a thousand images few are answered
    wrongly, and with one view of each it was 6 % too low once. Learns also what is usual for the
    network, to tell pictures of other things from.

    Args:
        model: float32 Keras model; its last weights are changed.
        dataset: Its test split is read here, once.
        data: For the validation images, and those it learned from.
        config: For the views that are averaged.
        training_seconds: Views are left out where they would take much more than these.
    """
    network = compile_network(model)

    def predict(images: Any) -> NDArray[np.float32]:
        return predict_in_batches(network, images)

    begin = time.monotonic()
    held_back = predict(data.val_images)
    before, labels = predict(dataset.test_images), dataset.test_labels
    seconds = time.monotonic() - begin
    facts: dict[str, Any] = {}
    mirror = config.augmentation.flip
    count = averaged_views(config.augmentation)
    if count and worth_averaging(count * seconds, training_seconds):
        averaged = average_views(predict, dataset.test_images, mirror)
        facts["averaged_test_accuracy"] = float((averaged.argmax(axis=1) == labels).mean())
        held_back = np.stack([predict(view) for _, view in views(data.val_images, mirror)])
    temperature = fit_temperature(held_back, data.val_labels)
    after = with_temperature(before, temperature)
    facts |= {"temperature": temperature,
              "calibration_error_before": expected_calibration_error(before, labels),
              "calibration_error": expected_calibration_error(after, labels)}
    divide_logits(model, temperature)
    novelty = novelty_of(Inside(model), data.train_images, data.val_images)
    return Tested(evaluate_predictions(after, labels, dataset.class_names), facts, novelty)


def make_card(
    config: RunConfig, status: Status, dataset: Dataset, tested: Tested, **more: Any
) -> Card:
    """Return all that is known of a model.

    Args:
        config: In force at the end of the training.
        status: Of the run.
        dataset: What it was trained on.
        tested: Its results.
        more: Fields that only the caller knows.
    """
    evaluation = tested.evaluation
    architecture = get_architecture(config.architecture)
    return Card(
        name=config.name, architecture=config.architecture, dataset=dataset.name,
        class_names=list(dataset.class_names), input_shape=list(dataset.image_shape),
        resize=dataset.resize, test_accuracy=evaluation.accuracy, test_loss=evaluation.loss,
        test_n=evaluation.count, val_accuracy=status.best_val_accuracy,
        best_epoch=status.best_epoch, epochs=status.epoch, seed=config.seed,
        train_n=status.train_n, validation_n=status.validation_n,
        parameters=status.parameters, multiply_adds=status.multiply_adds,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        dataset_fingerprint=dataset.fingerprint,
        config=config.to_dict(), versions={n: version(n) for n in VERSIONS_IN_CARD},
        machine=f"{platform.machine()}, {os.cpu_count()} cores",
        needs_cnn=architecture.engine != "keras", network=dict(architecture.document or {}),
        dark_background=dataset.dark_background, split=_split(dataset), sittings=status.sittings,
        **tested.facts, **more)


def _split(dataset: Dataset) -> str:
    validation = ("validation as the source keeps it" if dataset.held_back is not None else
                  "validation by group too" if dataset.train_groups is not None else "")
    weights = "" if dataset.class_weights is None else "rare classes weigh more in training"
    return "; ".join(filter(None, (dataset.split, validation, weights)))


def save_under_free_name(
    model: Any, card: Card, history: Sequence[dict[str, Any]], tested: Tested
) -> str:
    """Save under the name asked for; if another run took it meanwhile, neither is lost.

    Returns:
        The name it got.

    Raises:
        DiskFull: If there is no room.
    """
    while True:
        name = free_name(card.name)
        try:
            save_model(PackedNetwork(model), replace(card, name=name), history,
                       tested.evaluation, tested.novelty)
        except CnnError:
            if free_name(name) == name:  # still free: something else is wrong
                raise
        else:
            return name
