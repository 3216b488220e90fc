"""Measures a model from elsewhere on the test images of a data set with the same classes.

What it learned from is not known, so nothing is said of that. Knows neither TensorFlow nor pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from cnn.data import catalogue
from cnn.data.dataset import Dataset, Images
from cnn.data.images import resize, to_channels
from cnn.data.progress import Progress, silent
from cnn.errors import BadInput
from cnn.evaluation.results import Evaluation, write_evaluation
from cnn.files import atomic_write_json
from cnn.prediction.saved import CARD_FILE, Card, model_folder

Predict = Callable[[Images], NDArray[np.float32]]
_AT_ONCE = 250  # images that are brought to size before the network sees them


def named(card: Card, dataset: str) -> Card:
    """Return the card of a model with the data set that it is to be measured on.

    Args:
        card: Of any model.
        dataset: A name; "" for the one on the card.

    Raises:
        BadInput: If the model was trained here on another, or none is known.
    """
    if not card.uploaded and dataset not in {"", card.dataset}:
        raise BadInput(f"{card.name} was trained on {card.dataset}, not on {dataset}.",
                       "Leave --dataset out. It is for models that were brought from elsewhere.")
    if not card.dataset and not dataset:
        raise BadInput(f"{card.name} was brought from elsewhere, so no test images belong to it.",
                       "Say which to use: --dataset NAME, a data set with the same class names.")
    return replace(card, dataset=dataset or card.dataset)


def open_test(card: Card, progress: Progress = silent) -> Dataset:
    """Return the data set on a card, if its classes are those of the model.

    Raises:
        NotFound, Unavailable, Damaged: If it cannot be opened.
        BadInput: If it has other classes.
    """
    dataset = catalogue.load(card.dataset, progress)
    if set(dataset.class_names) != set(card.class_names):
        others = sorted(set(dataset.class_names) ^ set(card.class_names))
        raise BadInput(f"{card.name} and the data set {dataset.name} do not know the same classes: "
                       f"only one of them has {', '.join(others[:6])}.",
                       "Class names have to be equal, letter by letter.")
    return dataset


def as_in(card: Card, dataset: Dataset, predict: Predict) -> Predict:
    """Return a function that takes images of a data set and answers in the order of its classes.

    Args:
        card: Of the model.
        dataset: Whose images may have another size or number of channels.
        predict: From uint8 (N, H, W, C) of the model's size to float32 (N, K) of its classes.
    """
    order = [card.class_names.index(name) for name in dataset.class_names]
    height, width, channels = card.input_shape

    def prepared(image: Images) -> Images:
        rgb = to_channels(image, 3) if image.shape[-1] == 3 else image.repeat(3, axis=-1)
        return to_channels(resize(rgb, (height, width), card.resize), channels)

    def answers(images: Images) -> NDArray[np.float32]:
        parts = [predict(np.stack([prepared(np.asarray(image))
                                   for image in images[begin : begin + _AT_ONCE]]))
                 for begin in range(0, len(images), _AT_ONCE)]
        return np.concatenate(parts)[:, order]

    return answers


def keep_measured(card: Card, dataset: Dataset, evaluation: Evaluation) -> None:
    """Store test results with a model from elsewhere, in the place of earlier ones.

    Raises:
        Unavailable: If they cannot be written.
    """
    folder = model_folder(card.name)
    write_evaluation(folder, evaluation)
    new = replace(card, dataset=dataset.name, dataset_fingerprint=dataset.fingerprint,
                  test_accuracy=evaluation.accuracy, test_loss=evaluation.loss,
                  test_n=evaluation.count)
    atomic_write_json(folder / CARD_FILE, asdict(new))
