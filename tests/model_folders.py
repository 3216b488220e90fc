"""Saved models for tests: a whole folder whose network file needs no Keras."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cnn.evaluation.results import Evaluation, evaluate_predictions
from cnn.prediction.saved import Card, save_model

CLASSES = ("ant", "bee", "cat")


class FakeNetwork:
    """What `save_model` needs of a Keras model."""

    def save(self, path: Path) -> None:
        path.write_bytes(b"not a real network")


def make_card(name: str = "first", **changes: Any) -> Card:
    card = Card(
        name=name, architecture="base", dataset="shapes", class_names=list(CLASSES),
        input_shape=[8, 6, 1], resize="fit", test_accuracy=0.75, test_loss=0.6, test_n=12,
        val_accuracy=0.8, best_epoch=2, epochs=3, seed=4, train_n=90, validation_n=10,
        seconds=12.5, parameters=1234, multiply_adds=5678, command="python -m cnn train --seed 4",
        created="2026-01-02T03:04:05+00:00", dataset_fingerprint="f" * 64,
        config={"epochs": 3, "seed": 4}, versions={"keras": "3.0"})
    return replace(card, **changes)


def make_evaluation(classes: tuple[str, ...] = CLASSES) -> Evaluation:
    """12 test images, 9 right; the wrong ones are 2, 5 and 8, of which 5 is the most confident."""
    count = len(classes)
    labels = np.arange(12) % count
    answers = labels.copy()
    answers[[2, 5, 8]] = (labels[[2, 5, 8]] + 1) % count
    confidence = np.full(12, 0.9)
    confidence[[2, 5, 8]] = 0.7, 0.95, 0.6
    probabilities = np.repeat(((1 - confidence) / (count - 1))[:, None], count, axis=1)
    probabilities[np.arange(12), answers] = confidence
    return evaluate_predictions(probabilities.astype(np.float32), labels, classes)


def make_history(epochs: int = 3, best: int = 2) -> list[dict[str, Any]]:
    return [
        {"epoch": epoch, "loss": 1 / epoch, "accuracy": 1 - 0.5 / epoch, "val_loss": 1.2 / epoch,
         "val_accuracy": 1 - 0.6 / epoch, "learning_rate": 0.001, "images_per_second": 100.0,
         "seconds": 2.0 * epoch, "best": epoch <= best}
        for epoch in range(1, epochs + 1)]


def write_model(name: str = "first", **changes: Any) -> Path:
    """Write a saved model into the models folder of this test and return its folder."""
    card = make_card(name, **changes)
    return save_model(FakeNetwork(), card, make_history(),
                      make_evaluation(tuple(card.class_names)))
