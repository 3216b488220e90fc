"""The whole state of a training in one file: what another sitting needs to go on exactly.

Weights, optimizer, random state of dropout, progress and the best weights so far. Order and
changes of the images need no state: they follow from seed and epoch. Knows a `Trainer` and a path,
not runs.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from cnn.errors import Damaged
from cnn.files import atomic_path
from cnn.training.loop import Progress, Trainer

_PROGRESS = "progress"
_PLAIN = [field.name for field in fields(Progress) if field.name != "best_weights"]


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write the state after an epoch, whole or not at all.

    Raises:
        Unavailable: If the disk is full.
    """
    progress = {name: getattr(trainer.progress, name) for name in _PLAIN}
    arrays: dict[str, Any] = {_PROGRESS: np.array(json.dumps(progress))}
    for group, values in _state(trainer).items():
        arrays |= {f"{group}/{index}": np.asarray(value) for index, value in enumerate(values)}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def _state(trainer: Trainer) -> dict[str, list[Any]]:
    return {"model": trainer.model.variables, "optimizer": trainer.steps.optimizer.variables,
            "best": trainer.progress.best_weights}


def restore_checkpoint(trainer: Trainer, path: Path) -> None:
    """Bring a new trainer of the same configuration into the state of a checkpoint.

    Raises:
        Damaged: If the file is unreadable or belongs to another network.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        progress = json.loads(str(arrays.pop(_PROGRESS)))
        if set(progress) != set(_PLAIN):
            raise ValueError("other fields of progress")
        groups: dict[str, list[Any]] = {"model": [], "optimizer": [], "best": []}
        for key, value in arrays.items():  # in the order of writing
            groups[key.partition("/")[0]].append(value)
        _check_shapes(groups["model"], trainer.model.variables)
        _check_shapes(groups["optimizer"], trainer.steps.optimizer.variables)
        _check_shapes(groups["best"], trainer.model.get_weights())
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise Damaged(f"The checkpoint {path.name} cannot be used ({error}).",
                      "Start the run again with the same settings.") from error
    for group in ("model", "optimizer"):
        for variable, value in zip(_state(trainer)[group], groups[group], strict=True):
            variable.assign(value)
    trainer.progress = Progress(**progress, best_weights=groups["best"])


def _check_shapes(found: list[Any], wanted: list[Any]) -> None:
    if [tuple(value.shape) for value in found] != [tuple(value.shape) for value in wanted]:
        raise ValueError("weights of another network")
