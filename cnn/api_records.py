"""What programs are told of models, runs and architectures: JSON-ready, for CLI and API alike.

Names that both share: `name` is a saved model, `run` a run's id. A number that is not known, or
that is infinite or not a number, is null. Knows nothing of HTTP, terminals or pages.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import Any

from cnn.config import Augmentation
from cnn.data.catalogue import all_names, describe
from cnn.models.registry import architecture_names, get_architecture
from cnn.models.summary import Summary
from cnn.prediction.client import Prediction
from cnn.prediction.saved import Card, SavedModel, list_models
from cnn.runs.folder import epochs_told
from cnn.runs.labels import read_label
from cnn.runs.manager import RunInfo, list_runs
from cnn.training.diagnosis import find_overfitting, in_words, remedies

Record = dict[str, Any]


def finite(value: Any) -> Any:
    """Return a value that JSON can hold: null in place of infinity and not-a-number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def model_record(model: SavedModel) -> Record:
    """Return what a list of models says of one; a damaged one has `error` and no figures."""
    if model.card is None:
        return {"name": model.name, "error": str(model.error)}
    card = model.card
    return {
        "name": model.name, "dataset": card.dataset, "architecture": card.architecture,
        "classes": len(card.class_names), "input_shape": card.input_shape,
        "test_accuracy": finite(card.test_accuracy), "test_loss": finite(card.test_loss),
        "test_n": card.test_n, "averaged_test_accuracy": card.averaged_test_accuracy,
        "calibration_error": card.calibration_error, "val_accuracy": finite(card.val_accuracy),
        "parameters": card.parameters, "multiply_adds": card.multiply_adds,
        "seconds": card.seconds, "created": card.created, "uploaded": card.uploaded,
        "error": None}


def models_record() -> Record:
    """Return all saved models, newest first."""
    return {"models": [model_record(model) for model in list_models()]}


def card_record(name: str, card: Card) -> Record:
    """Return everything that is known of the model in the folder `name`."""
    return {**{key: finite(value) for key, value in asdict(card).items()}, "name": name}


def run_record(run: RunInfo) -> Record:
    """Return settings, state and results of a run; `error` says what a damaged one suffers from."""
    status, config = run.status, run.config
    label = read_label(run.folder)
    elapsed = status.seconds  # of the sittings before, and of this one up to its last epoch
    if run.active and status.started:
        elapsed = max(elapsed, time.time() - status.started)
    return {
        "run": run.run_id, "title": label.title, "note": label.note,
        "state": status.state, "stage": status.stage,
        "name": status.model or (config.name if config else None),
        "dataset": config.dataset if config else None,
        "architecture": config.architecture if config else None,
        "epochs": status.epoch, "epochs_asked": config.epochs if config else None,
        "best_epoch": status.best_epoch or None,
        "val_accuracy": finite(status.best_val_accuracy) if status.best_epoch else None,
        "test_accuracy": finite(status.test_accuracy), "test_loss": finite(status.test_loss),
        "test_n": status.test_n, "seconds": round(elapsed, 1), "parameters": status.parameters,
        "saved": bool(status.model), "message": status.message, "hint": status.hint,
        "command": run.command, "error": str(run.error) if run.error else None}


def answer_record(source: str, prediction: Prediction, top: int) -> Record:
    """Return what a model says of one picture: its most probable classes, best first.

    Args:
        source: Where the picture comes from: a file or a link.
        prediction: One without an error.
        top: How many classes.
    """
    best = [{"class": name, "probability": share} for name, share in prediction.top[:top]]
    return {"source": source, "top": best, "unlike": prediction.unlike,
            "novelty": prediction.novelty}


def runs_record() -> Record:
    """Return all runs, newest first."""
    return {"runs": [run_record(run) for run in list_runs()]}


def run_detail(run: RunInfo) -> Record:
    """Return a run with all its settings and its last finished epoch, null before the first.

    Where it overfits, `overfitting` says so and `remedies` what to try.
    """
    events, _ = run.folder.read_events()
    epochs = epochs_told(events, run.status.epoch)
    last = {key: finite(value) for key, value in epochs[-1].items()} if epochs else None
    settings = run.config.to_dict() if run.config else None
    return {**run_record(run), "config": settings, "last_epoch": last, **_diagnosis(run, epochs)}


def _diagnosis(run: RunInfo, epochs: list[Record]) -> Record:
    found = find_overfitting(epochs)
    return {"overfitting": in_words(found) if found else None,
            "remedies": remedies(run.config, found) if found and run.config else []}


def datasets_record() -> Record:
    """Return what is known of each data set."""
    return {"datasets": [asdict(describe(name)) for name in all_names()]}


def architecture_record(name: str) -> Record:
    """Return what an architecture is, whatever the images."""
    known = get_architecture(name)
    recipe = {key: asdict(value) if isinstance(value, Augmentation) else value
              for key, value in known.recipe.items()}
    return {"name": known.name, "description": known.description, "family": known.family,
            "engine": known.engine, "source": known.source, "recipe": recipe}


def architectures_record() -> Record:
    """Return all architectures, the simplest first."""
    return {"architectures": [architecture_record(name) for name in architecture_names()]}


def layers_record(name: str, summary: Summary) -> Record:
    """Return an architecture with its layer table at one input size."""
    facts = asdict(summary)
    layers = facts.pop("rows")
    return {**architecture_record(name), **facts, "layers": layers}
