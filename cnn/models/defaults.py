"""What a training changes at random in its images unless it is told otherwise.

The one rule for CLI and Train page. Knows the names of data sets, not their images.
"""

from __future__ import annotations

from dataclasses import replace

from cnn.config import Augmentation
from cnn.models.registry import get_architecture

# A mirrored digit is another sign or none: flips would teach what is wrong.
NEVER_MIRRORED = frozenset({"digits", "mnist"})


def default_augmentation(architecture: str, dataset: str) -> Augmentation:
    """Return the random changes that training `architecture` on `dataset` uses by default.

    Raises:
        NotFound: If there is no such architecture.
    """
    augmentation = get_architecture(architecture).augmentation
    return replace(augmentation, flip=False) if dataset in NEVER_MIRRORED else augmentation
