"""Saved models: a folder with the Keras file, its card, its history and its test results.

Listing and reading cards needs no TensorFlow, so the server does it; saving and loading the network
happen in trainer, engine and CLI. One damaged folder never hides the others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from cnn.errors import BadInput, CnnError, Damaged, NotFound
from cnn.evaluation.novelty import Novelty, write_novelty
from cnn.evaluation.results import Evaluation, write_evaluation
from cnn.files import (
    atomic_path,
    atomic_write_bytes,
    atomic_write_json,
    check_name,
    free_path,
    read_json,
    read_json_lines,
)
from cnn.paths import models_dir

CARD_VERSION = 1
MODEL_FILE = "model.keras"
CARD_FILE = "card.json"
HISTORY_FILE = "history.jsonl"
UPLOADED = "uploaded"  # the origin of a model that somebody brought
HISTORY_VALUES = ("loss", "accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class Card:
    """What is known of a saved model: how to use it, how good it is, how it was made.

    Fields with defaults were added after the first release or can be unknown; older cards load.
    """

    name: str
    architecture: str
    dataset: str  # it was trained on, or measured on if it was brought; "" for neither
    class_names: list[str]
    input_shape: list[int]  # height, width, channels; uint8 values 0..255 go in as float32
    resize: str  # crop, fit or stretch: how a picture of another size is brought to this one
    test_accuracy: float | None  # None: not measured here
    test_loss: float | None
    test_n: int
    val_accuracy: float | None
    best_epoch: int
    epochs: int  # trained
    seed: int
    train_n: int
    validation_n: int
    seconds: float  # of wall time, from the start of the trainer to the end of the evaluation
    parameters: int
    multiply_adds: int
    command: str
    created: str  # ISO 8601, UTC
    dataset_fingerprint: str = ""
    run: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    machine: str = ""
    needs_cnn: bool = False  # the Keras file loads only where this package is installed
    dark_background: bool = False  # trained on light strokes on black
    stopped: str = ""  # why training ended before the last epoch asked for
    temperature: float = 1.0  # what the logits were divided by, fitted on the validation images
    calibration_error_before: float | None = None  # expected calibration error, test images, 0..1
    calibration_error: float | None = None  # the same for the model as saved
    averaged_test_accuracy: float | None = None  # over the views of `averaging`
    split: str = ""  # how test and validation images were drawn; "": test as its authors made it
    sittings: int = 1  # trainer processes that the training took
    changes: list[str] = field(default_factory=list)  # settings changed while it trained, in words
    origin: str = ""  # UPLOADED, or "" for trained here
    network: dict[str, Any] = field(default_factory=dict)  # the architecture, if a person made it
    card_version: int = CARD_VERSION

    @property
    def uploaded(self) -> bool:
        """Whether somebody brought it, so that what it learned from is not known."""
        return self.origin == UPLOADED

    @property
    def mirrored(self) -> bool:
        """Whether the model learned from mirrored images too; not, where that is not known."""
        changes = self.config.get("augmentation")
        return isinstance(changes, dict) and changes.get("flip") is True


def card_from_dict(data: dict[str, Any]) -> Card:
    """Build a card from JSON; settings of newer versions that are unknown here are passed over.

    Raises:
        Damaged: If a needed fact is missing or of the wrong type.
    """
    kinds = get_type_hints(Card)
    values = {key: value for key, value in data.items() if key in kinds}
    wrong = [key for key, value in values.items() if not _is(value, kinds[key])]
    try:
        if wrong:
            raise ValueError(f"wrong: {', '.join(wrong)}")
        card = Card(**values)
        if len(card.input_shape) != 3 or min(card.input_shape) < 1 or len(card.class_names) < 2:
            raise ValueError("wrong: input_shape or class_names")
    except (TypeError, ValueError) as error:
        raise Damaged(f"The card of the model {data.get('name', '?')!r} is incomplete ({error}).",
                      "Delete the model or restore its card.json.") from error
    return card


def _is(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of the kind that a field of `Card` is annotated with."""
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_is(item, get_args(kind)[0]) for item in value)
    if get_origin(kind) is UnionType:
        return any(_is(value, one) for one in get_args(kind))
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, (int, float)) and math.isfinite(value)
    return isinstance(value, get_origin(kind) or kind)


@dataclass(frozen=True)
class SavedModel:
    """One folder in the models folder: its card, or why it cannot be used."""

    name: str
    path: Path
    card: Card | None
    error: CnnError | None = None


def list_models() -> list[SavedModel]:
    """Return all saved models, newest first; damaged ones are listed with their error."""
    folder = models_dir()
    if not folder.is_dir():
        return []
    names = [p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    models = [_entry(name) for name in names]
    return sorted(models, key=lambda m: (m.card.created if m.card else "", m.name), reverse=True)


def _entry(name: str) -> SavedModel:
    path = models_dir() / name
    try:
        return SavedModel(name, path, read_card(name))
    except CnnError as error:
        return SavedModel(name, path, None, error)


def model_folder(name: str) -> Path:
    """Return the folder of a saved model.

    Raises:
        NotFound: If there is no such model; lists those there are.
    """
    path = models_dir() / check_name(name, "model name")
    if not path.is_dir():
        others = ", ".join(m.name for m in list_models() if m.card) or "none yet"
        raise NotFound(f"There is no saved model {name!r}.", f"Saved models: {others}.")
    return path


def read_card(name: str) -> Card:
    """Return the card of a saved model; its name is the folder's, which a person may have changed.

    Raises:
        NotFound: If there is no such model.
        Damaged: If its card or its network file is missing or unreadable.
    """
    path = model_folder(name)
    try:
        card = _card_of(path / CARD_FILE)
    except NotFound as error:
        raise Damaged(f"The saved model {name} has no card.json.",
                      "Delete this folder or restore it from a copy.") from error
    if not (path / MODEL_FILE).is_file():
        raise Damaged(f"The saved model {name} has no {MODEL_FILE}.",
                      "Delete this folder or restore it from a copy.")
    return replace(card, name=name)


def _card_of(path: Path) -> Card:
    try:
        stat = path.stat()
    except OSError:
        return card_from_dict(read_json(path))  # which says what is wrong with it
    return _parsed(path, (stat.st_mtime_ns, stat.st_size, stat.st_ino))


@lru_cache(maxsize=256)
def _parsed(path: Path, version: tuple[int, ...]) -> Card:
    # Each prediction asks for cards, and the choice of the default model for all of them.
    return card_from_dict(read_json(path))


def read_history(name: str) -> list[dict[str, Any]]:
    """Return the epoch records of the run that made the model, oldest first.

    They have at least the values that every page and figure needs; other lines are passed over.
    """
    records = read_json_lines(model_folder(name) / HISTORY_FILE)[0]
    return [record for record in records if is_epoch_record(record)]


def is_epoch_record(record: dict[str, Any]) -> bool:
    """Return whether a line of a history or of metrics says all that pages need of an epoch."""
    return (_is(record.get("epoch"), int) and _is(record.get("best"), bool)
            and all(_is(record.get(key), float) for key in HISTORY_VALUES))


def free_name(name: str) -> str:
    """Return `name`, or `name-2`, `name-3` and so on: the first that no saved model has."""
    return free_path(models_dir(), name).name


def save_model(
    model: Any, card: Card, history: Sequence[dict[str, Any]], evaluation: Evaluation | None,
    novelty: Novelty | None = None,
) -> Path:
    """Write a model folder, whole or not at all, and return it.

    Args:
        model: float32 Keras model; its file is what `keras.models.load_model` reads.
        card: Its name decides the folder, which must not exist.
        history: Epoch records for the curves.
        evaluation: Test results; None for a model that was not measured.
        novelty: What is usual for it. Defaults to unknown.

    Raises:
        BadInput: If a model of that name exists.
        Unavailable: If the disk is full.
    """
    target = models_dir() / check_name(card.name, "model name")
    if target.exists():
        raise BadInput(f"A saved model {card.name!r} exists already.", "Choose another name.")
    lines = "".join(json.dumps(record) + "\n" for record in history)
    with atomic_path(target) as folder:
        folder.mkdir()
        with atomic_path(folder / MODEL_FILE) as file:
            model.save(file)
        atomic_write_bytes(folder / HISTORY_FILE, lines.encode())
        if evaluation:
            write_evaluation(folder, evaluation)
        if novelty:
            write_novelty(folder, novelty)
        atomic_write_json(folder / CARD_FILE, asdict(card))
    return target


def load_network(name: str) -> Any:
    """Return the Keras model of a saved model. Needs TensorFlow; not for the server process.

    Raises:
        NotFound: If there is no such model.
        Damaged: If the network file cannot be read.
    """
    import keras

    card = read_card(name)
    if card.needs_cnn:
        import cnn.models.tf_nn  # noqa: F401  registers its layer with Keras
    try:
        return keras.models.load_model(model_folder(name) / MODEL_FILE, compile=False)
    except Exception as error:  # Keras raises many kinds for a damaged file
        raise Damaged(f"The network of the saved model {name} cannot be read "
                      f"({type(error).__name__}).",
                      "Train it again, restore the folder from a copy, or choose another model."
                      ) from error
