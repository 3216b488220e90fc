"""What a training does unless it is told otherwise, where that depends on data or network.

The one rule for CLI and Train page. Knows the names of data sets, not their images.
"""

from __future__ import annotations

from dataclasses import replace

from cnn.config import Augmentation, RunConfig
from cnn.models.registry import get_architecture

# A mirrored digit is another sign or none: flips would teach what is wrong.
NEVER_MIRRORED = frozenset({"digits", "mnist"})
# An epoch of digits has 21 batches, one of CIFAR-10 has 704: ten are too few to learn from.
EPOCHS = {"digits": 30}


def default_epochs(dataset: str) -> int:
    """Return how many epochs a training on `dataset` has by default."""
    return EPOCHS.get(dataset, RunConfig.epochs)


def default_augmentation(architecture: str, dataset: str) -> Augmentation:
    """Return the random changes that training `architecture` on `dataset` uses by default.

    Raises:
        NotFound: If there is no such architecture.
    """
    augmentation = get_architecture(architecture).augmentation
    return replace(augmentation, flip=False) if dataset in NEVER_MIRRORED else augmentation
