"""How far the accuracy of a recipe depends on which images are held back: cross-validation.

    python -m benchmarks.cross_validation DATASET ARCHITECTURE [--epochs 6] [--folds 4] [--write]

The training images of a data set are divided into folds, whole groups (slides, patients) where it
has groups; each fold is held back once while the architecture's own recipe trains on the others.
Every figure is of the last epoch, so that nothing is chosen by what is measured, and one view of
each image. The test split is not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import arguments, publish, table
from cnn.config import RunConfig
from cnn.data.catalogue import load
from cnn.data.dataset import Dataset
from cnn.evaluation.results import wilson_interval
from cnn.hardware import has_bfloat16, start_tensorflow
from cnn.models.defaults import default_config


def folds(dataset: Dataset, count: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which training images each fold holds back, bool (N,)."""
    from sklearn.model_selection import StratifiedGroupKFold

    labels = dataset.train_labels
    groups = np.arange(len(labels)) if dataset.train_groups is None else dataset.train_groups
    divider = StratifiedGroupKFold(count, shuffle=True, random_state=0)
    for _, rows in divider.split(labels, labels, groups):
        held = np.zeros(len(labels), bool)
        held[rows] = True
        yield held


def accuracy(dataset: Dataset, config: RunConfig) -> float:
    """Train on what a data set does not hold back; return the accuracy on the rest."""
    from cnn.models.build import build_model
    from cnn.models.whitening import fit_whitening
    from cnn.training.data import training_data
    from cnn.training.events import EpochEvent
    from cnn.training.loop import Trainer

    data = training_data(dataset, config)
    model = build_model(config.architecture, dataset.image_shape, len(dataset.class_names),
                        precision=config.precision, training=True)
    fit_whitening(model, data.train_images)
    told: list[float] = []

    def on_event(event: Any) -> None:
        if isinstance(event, EpochEvent):
            told.append(event.val_accuracy)

    Trainer(model, config, data, on_event).run()
    return told[-1]


def main() -> None:
    """Train once for each fold and publish."""
    parser = arguments(__doc__)
    parser.add_argument("dataset")
    parser.add_argument("architecture")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--folds", type=int, default=4)
    options = parser.parse_args()
    start_tensorflow()
    config = replace(default_config(options.architecture, options.dataset, "fold"),
                     epochs=options.epochs, precision="bfloat16" if has_bfloat16() else "float32")
    dataset, rows, found = load(options.dataset), [], []
    for number, held in enumerate(folds(dataset, options.folds), 1):
        begin, count = time.monotonic(), int(held.sum())
        found.append(accuracy(replace(dataset, held_back=held), config))
        low, high = wilson_interval(round(found[-1] * count), count)
        rows.append([number, f"{count:,}", f"{found[-1]:.2%}", f"{low:.1%} to {high:.1%}",
                     f"{time.monotonic() - begin:.0f} s"])
        print(*rows[-1], sep="  ", flush=True)
    spread = np.std(found, ddof=1)
    body = table(["fold", "images held back", "accuracy", "95 % interval of the images", "time"],
                 rows)
    publish("cross-validation",
            f"python -m benchmarks.cross_validation {options.dataset} {options.architecture} "
            f"--epochs {options.epochs} --folds {options.folds}",
            f"{body}\n\nMean {np.mean(found):.2%}; standard deviation of the folds {spread:.2%}.",
            options.write)


if __name__ == "__main__":
    main()
