"""The augmentation that a training gets when nobody says otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cnn.config import Augmentation
from cnn.errors import NotFound
from cnn.models.defaults import default_augmentation
from cnn.models.registry import architecture_names, get_architecture


@pytest.mark.parametrize("architecture", architecture_names())
def test_photographs_get_what_the_architecture_brings(architecture: str) -> None:
    assert default_augmentation(architecture, "cifar10") == get_architecture(
        architecture).augmentation


@pytest.mark.parametrize("dataset", ["digits", "mnist"])
@pytest.mark.parametrize("architecture", architecture_names())
def test_digits_are_never_mirrored_but_otherwise_treated_alike(
    architecture: str, dataset: str
) -> None:
    assert default_augmentation(architecture, dataset) == replace(
        default_augmentation(architecture, "cifar10"), flip=False)


def test_the_augmented_network_mirrors_photographs() -> None:
    assert default_augmentation("augmented", "cifar10") == Augmentation(5, 0.1, True)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(NotFound):
        default_augmentation("nope", "digits")
