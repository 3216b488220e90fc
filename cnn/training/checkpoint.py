"""The whole state of a training as bytes: what another sitting needs to go on exactly.

Weights, optimizer, random state of dropout, progress, the best weights so far, and the settings
that a person may change while it trains. Order and changes of the images need no state: they follow
from seed, epoch and batch. Knows a `Trainer`, not where the bytes are kept.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np

from cnn.config import CHANGEABLE, config_from_dict
from cnn.errors import BadInput, Damaged
from cnn.training.loop import Trainer
from cnn.training.progress import progress_from_dict

_PROGRESS, _SETTINGS = "progress", "settings"


def checkpoint_bytes(trainer: Trainer) -> bytes:
    """Return the state of a trainer between two batches, as an .npz file."""
    settings = {name: trainer.config.to_dict()[name] for name in CHANGEABLE}
    arrays: dict[str, Any] = {_PROGRESS: np.array(json.dumps(trainer.progress.to_dict())),
                              _SETTINGS: np.array(json.dumps(settings))}
    for group, values in _state(trainer).items():
        arrays |= {f"{group}/{index}": np.asarray(value) for index, value in enumerate(values)}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _state(trainer: Trainer) -> dict[str, list[Any]]:
    return {"model": trainer.model.variables, "optimizer": trainer.steps.optimizer.variables,
            "best": trainer.progress.best_weights}


def restore(trainer: Trainer, data: bytes) -> None:
    """Bring a new trainer of the same run into the state of a checkpoint; or leave it as it is.

    Raises:
        Damaged: If the bytes are no checkpoint or belong to another network.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = dict(file)
        progress = json.loads(str(arrays.pop(_PROGRESS)))
        settings = json.loads(str(arrays.pop(_SETTINGS)))
        groups: dict[str, list[Any]] = {"model": [], "optimizer": [], "best": []}
        for key, value in arrays.items():  # in the order of writing
            groups[key.partition("/")[0]].append(value)
        _check_shapes(groups["model"], trainer.model.variables)
        _check_shapes(groups["optimizer"], trainer.steps.optimizer.variables)
        if groups["best"]:  # none before the first whole epoch
            _check_shapes(groups["best"], trainer.model.get_weights())
        restored = progress_from_dict(progress, groups["best"])
        if bool(restored.best_epoch) != bool(restored.best_weights):
            raise ValueError("best weights without their epoch, or the other way round")
        changed = config_from_dict({**trainer.config.to_dict(), **settings})
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile,
            BadInput) as error:
        raise Damaged(f"The checkpoint cannot be used ({error}).",
                      "Start the run again with the same settings.") from error
    for group in ("model", "optimizer"):
        for variable, value in zip(_state(trainer)[group], groups[group], strict=True):
            variable.assign(value)
    trainer.adopt(changed, restored)


def _check_shapes(found: list[Any], wanted: list[Any]) -> None:
    if [tuple(value.shape) for value in found] != [tuple(value.shape) for value in wanted]:
        raise ValueError("weights of another network")
