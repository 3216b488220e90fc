"""What can be compared: saved models, and runs that have come to no model yet, by the same facts.

Reads cards, configurations and epoch records. Knows neither charts nor how answers are compared;
that is `cnn.evaluation.comparison`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnn.errors import CnnError
from cnn.paths import models_dir, runs_dir
from cnn.prediction.saved import (
    HISTORY_FILE,
    MODEL_FILE,
    SavedModel,
    is_epoch_record,
    list_models,
    read_history,
)
from cnn.runs.folder import RunFolder, epochs_told
from cnn.runs.manager import RunInfo, get_run, list_runs

_NOT_SETTINGS = ("name", "command")  # differ in any two runs, and decide nothing
_OF_ONE_RUN = (*_NOT_SETTINGS, "seed")  # what may differ between repeats


@dataclass(frozen=True)
class Contender:
    """A model or a run. What is not known is None, or 0 for sizes and times."""

    name: str  # of the model; or the id of the run
    is_model: bool  # whether there is a saved model
    dataset: str  # "" for a model that was brought from elsewhere and not measured yet
    fingerprint: str  # of the data
    settings: dict[str, Any]  # flat, by name; parts of the augmentation as augmentation.flip
    best_epoch: int
    epochs: int  # trained
    val_accuracy: float | None  # the best, not the last
    test_accuracy: float | None
    test_n: int
    averaged_test_accuracy: float | None
    train_n: int
    seconds: float
    parameters: int
    multiply_adds: int
    file_bytes: int  # of the saved network

    @property
    def repeats_of(self) -> tuple[str, ...]:
        """The same for runs that differ in nothing but their seed."""
        return (self.fingerprint, *(f"{key}={value}" for key, value in sorted(self.settings.items())
                                    if key not in _OF_ONE_RUN))


def list_contenders() -> list[Contender]:
    """Return all saved models that can be read, and runs with epochs but without such a model.

    Newest first, models before runs.
    """
    models = [contender for model in list_models() if (contender := _of_model(model))]
    names = {model.name for model in models}
    runs = [contender for run in list_runs()
            if run.status.model not in names and (contender := _of_run(run))]
    return [*models, *runs]


def _of_model(model: SavedModel) -> Contender | None:
    card = model.card
    if card is None:
        return None
    return Contender(
        model.name, True, card.dataset, card.dataset_fingerprint, flat(card.config),
        card.best_epoch, card.epochs, card.val_accuracy, card.test_accuracy, card.test_n,
        card.averaged_test_accuracy, card.train_n, card.seconds, card.parameters,
        card.multiply_adds, _bytes(model))


def _bytes(model: SavedModel) -> int:
    try:
        return (model.path / MODEL_FILE).stat().st_size
    except OSError:  # deleted this moment
        return 0


def _of_run(run: RunInfo) -> Contender | None:
    status, config = run.status, run.config
    if run.error or config is None or not status.epoch:
        return None
    return Contender(
        run.run_id, False, config.dataset, status.dataset_fingerprint, flat(config.to_dict()),
        status.best_epoch, status.epoch, status.best_val_accuracy or None, status.test_accuracy,
        status.test_n, None, status.train_n, status.seconds, status.parameters,
        status.multiply_adds, 0)


def flat(config: dict[str, Any]) -> dict[str, Any]:
    """Return settings without nesting: {"a": {"b": 1}} becomes {"a.b": 1}."""
    values: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            values |= {f"{key}.{inner}": one for inner, one in flat(value).items()}
        else:
            values[key] = value
    return values


def epochs_file(contender: Contender) -> Path:
    """Return the file that the epoch records of a contender are in; it may be gone."""
    if contender.is_model:
        return models_dir() / contender.name / HISTORY_FILE
    return RunFolder(runs_dir() / contender.name).metrics_file


def epochs_of(contender: Contender) -> list[dict[str, Any]]:
    """Return the epoch records of a contender, oldest first; none if they cannot be read."""
    try:
        if contender.is_model:
            return read_history(contender.name)
        events, _ = get_run(contender.name).folder.read_events()
    except CnnError:
        return []
    return epochs_told([event for event in events if is_epoch_record(event)], contender.epochs)


def differences(contenders: Sequence[Contender]) -> dict[str, list[Any]]:
    """Return the settings in which contenders differ, a value for each; None where one lacks it."""
    names = dict.fromkeys(name for one in contenders for name in one.settings)
    values = {name: [one.settings.get(name) for one in contenders] for name in names
              if name not in _NOT_SETTINGS}
    return {name: row for name, row in values.items() if any(value != row[0] for value in row)}


@dataclass(frozen=True)
class Repeats:
    """Trainings of one kind."""

    names: tuple[str, ...]
    seeds: tuple[int, ...]
    mean: float  # test accuracy, 0 to 1
    deviation: float  # standard deviation of one training, from these


def repeats(contenders: Sequence[Contender]) -> list[Repeats]:
    """Return each set of two and more tested trainings that differ in their seed alone."""
    groups: dict[tuple[str, ...], dict[int, Contender]] = {}
    for one in contenders:
        if one.test_accuracy is not None:
            groups.setdefault(one.repeats_of, {}).setdefault(one.settings.get("seed", 0), one)
    return [_summed_up(group) for group in groups.values() if len(group) > 1]


def _summed_up(group: dict[int, Contender]) -> Repeats:
    seeds = tuple(sorted(group))
    reached = [group[seed].test_accuracy or 0.0 for seed in seeds]
    return Repeats(tuple(group[seed].name for seed in seeds), seeds, statistics.fmean(reached),
                   statistics.stdev(reached))
