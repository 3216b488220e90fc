"""What a saved model learned from: its data set, and how the images of it were divided.

Reads data, no network. The server can use it.
"""

from __future__ import annotations

from cnn.config import config_from_dict
from cnn.data import catalogue
from cnn.data.dataset import Dataset
from cnn.data.progress import Progress, silent
from cnn.data.splits import Split, hold_back
from cnn.errors import BadInput, NotFound, Unavailable
from cnn.prediction.saved import Card


def training_data(card: Card, progress: Progress = silent) -> Dataset:
    """Return the data set that a model learned from.

    Raises:
        NotFound: If there is no data set of that name any more, or the model was brought from
            elsewhere.
        Unavailable: If it would have to be downloaded first.
        BadInput: If the data set of that name is another one.
        Damaged: If its files are damaged.
    """
    if card.uploaded:
        raise NotFound(f"What {card.name} learned from is not known: it was brought from "
                       "elsewhere.", "This needs a model that was trained here.")
    info = catalogue.describe(card.dataset)
    if not info.available:
        raise Unavailable(f"The data set {card.dataset} is not here.", info.note)
    dataset = catalogue.load(card.dataset, progress)
    if dataset.fingerprint != card.dataset_fingerprint:
        raise BadInput(
            f"The data set {card.dataset} here is not the one that {card.name} was trained on: "
            "its images, labels or class names differ.",
            "Bring the original data back under this name; the results stored at training time "
            f"are in: python -m cnn models {card.name}")
    return dataset


def split_of(card: Card, dataset: Dataset) -> Split:
    """Return which images of the training split a model learned from, and which were held back.

    Raises:
        BadInput: If the settings on the card are incomplete.
    """
    config = config_from_dict(card.config)
    return hold_back(dataset, config.validation_fraction, config.train_images, config.seed)
