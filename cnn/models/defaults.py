"""What a training does unless it is told otherwise, where that depends on data or network.

The one rule for CLI, Train page and presets. Knows the names of data sets, not their images.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

from cnn.config import OPTIMIZERS, Augmentation, RunConfig
from cnn.data.views import view_count
from cnn.errors import Damaged, NotFound
from cnn.models.registry import get_architecture

# A mirrored digit is another sign or none: flips would teach what is wrong.
NEVER_MIRRORED = frozenset({"digits", "mnist"})
SMALL_SHIFT = 0.1
# An epoch of digits has 21 batches, one of CIFAR-10 has 704: ten are too few to learn from.
EPOCHS = {"digits": 30}
# Muon's steps keep their size however small the gradient is: only a rate that falls ends its noise.
SCHEDULES_OF = {"muon": "linear"}
# Averaging over views of the test images is a second figure on the card: it may take this share of
# the training time. Of a training of one minute it would take half.
AVERAGING_SHARE = 0.2
AVERAGING_SECONDS = 2.0  # nobody minds, however short the training was


def default_config(architecture: str, dataset: str, name: str, optimizer: str = "") -> RunConfig:
    """Return the configuration that training `architecture` on `dataset` has by default.

    Args:
        architecture: Its name in the registry.
        dataset: Name of the data set.
        name: Of the model to save.
        optimizer: Chosen instead of the architecture's own; learning rate and schedule then follow.

    Raises:
        NotFound: If there is no such architecture.
    """
    recipe = dict(get_architecture(architecture).recipe)
    own = recipe.setdefault("optimizer", RunConfig.optimizer)
    if optimizer and optimizer != own:
        recipe["optimizer"] = optimizer
        recipe.pop("learning_rate", None)
    config = RunConfig(dataset=dataset, architecture=architecture, name=name, **{
        "epochs": EPOCHS.get(dataset, RunConfig.epochs),
        **_following(recipe["optimizer"]), **recipe})
    if dataset in NEVER_MIRRORED:
        config = replace(config, augmentation=replace(config.augmentation, flip=False))
    return config


def _following(optimizer: str) -> dict[str, Any]:
    """Return the settings that depend on the optimizer."""
    return {"learning_rate": OPTIMIZERS.get(optimizer, RunConfig.learning_rate),
            "schedule": SCHEDULES_OF.get(optimizer, RunConfig.schedule)}


def switched_augmentation(config: RunConfig, on: bool) -> Augmentation:
    """Return what switching augmentation on or off means for a run.

    On is what the run has or its architecture is meant to have, else small moves.
    """
    if not on:
        return Augmentation()
    kinds = [config.augmentation]
    with suppress(NotFound, Damaged):  # of a run whose architecture was made here and deleted
        kinds.append(default_config(config.architecture, config.dataset, config.name).augmentation)
    small = Augmentation(shift=SMALL_SHIFT, flip=config.dataset not in NEVER_MIRRORED)
    return next(kind for kind in (*kinds, small) if kind.active)


def averaged_views(augmentation: Augmentation) -> int:
    """Return how many views of a test image belong together after training with these changes."""
    return view_count(augmentation.flip) if augmentation.flip or augmentation.shift else 0


def worth_averaging(seconds: float, training_seconds: float) -> bool:
    """Return whether averaging over views that takes this long suits a training of this length."""
    return seconds <= max(AVERAGING_SECONDS, AVERAGING_SHARE * training_seconds)


def command_line(config: RunConfig) -> str:
    """Return the `python -m cnn train` command that starts this very run.

    Settings whose default depends on data set or architecture are always said, so that the command
    means the same when those defaults have changed.

    Raises:
        NotFound: If there is no such architecture.
    """
    words = ["python -m cnn train"]
    varying = {"epochs", *get_architecture(config.architecture).recipe}
    usual = {f.name: f.default for f in fields(RunConfig)} | _following(config.optimizer)
    values = {f.name: getattr(config, f.name) for f in fields(RunConfig)}
    augmentation = values.pop("augmentation")
    for name, value in values.items():
        if name in varying or value != usual[name]:
            words.append(f"--{name.replace('_', '-')} {value}")
    words += [f"--rotation {augmentation.rotation!r}", f"--shift {augmentation.shift!r}",
              "--flip" if augmentation.flip else "--no-flip"]
    if augmentation.cutout or "augmentation" in varying:
        words.append(f"--cutout {augmentation.cutout!r}")
    return " ".join(words)
