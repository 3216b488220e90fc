"""What a training run is told: one frozen object for CLI, page, trainer, run folder and model card.

A `RunConfig` that exists is valid in itself. It does not know which data sets and architectures
there are (their registries do), nor whether a network fits an image size (`cnn.models` does).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from cnn.errors import BadInput
from cnn.files import check_name

OPTIMIZERS = {"adam": 0.001, "sgd": 0.01, "muon": 0.24}  # name: default learning rate
SCHEDULES = {
    "constant": "The learning rate stays, unless a plateau lowers it.",
    "linear": "The learning rate falls evenly, to zero at the last step.",
}
# Settings that a person may change while it trains.
CHANGEABLE = ("learning_rate", "epochs", "augmentation")
PRECISIONS = {
    "float32": "Exact, and right for every machine.",
    "bfloat16": "Mixed bfloat16: faster on CPUs that have it, weights stay float32.",
}


def _number(name: str, value: Any, low: float, high: float, whole: bool = False) -> None:
    kind = "a whole number" if whole else "a number"
    right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or not low <= value <= high:
        raise BadInput(f"{name} must be {kind} from {low:g} to {high:g}. Received: {value!r}.",
                       f"Choose a value from {low:g} to {high:g}.")


def _choice(name: str, value: Any, allowed: dict[str, Any]) -> None:
    if value not in allowed:
        raise BadInput(f"{name} must be one of {', '.join(allowed)}. Received: {value!r}.",
                       "Choose one of these names.")


@dataclass(frozen=True)
class Augmentation:
    """Random changes to training images. All zero and False: none."""

    rotation: float = 0.0  # degrees, up to this much either way
    shift: float = 0.0  # fraction of height and width, up to this much either way
    flip: bool = False  # mirror left and right, every second time that an image is shown
    cutout: float = 0.0  # side of a square of mean colour, as a fraction of height and width

    def __post_init__(self) -> None:
        _number("rotation", self.rotation, 0, 180)
        _number("shift", self.shift, 0, 0.5)
        if not isinstance(self.flip, bool):
            raise BadInput(f"flip must be true or false. Received: {self.flip!r}.")
        _number("cutout", self.cutout, 0, 0.9)

    @property
    def active(self) -> bool:
        """Whether any image is changed at all."""
        return bool(self.rotation or self.shift or self.flip or self.cutout)


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the result of a run, apart from the data itself."""

    dataset: str
    architecture: str
    name: str  # of the model that the run will save
    epochs: int = 10
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float = 0.001
    schedule: str = "constant"
    label_smoothing: float = 0.0  # share of each target that is spread over all classes
    early_stopping: int = 0  # epochs without better validation accuracy before the end; 0: never
    reduce_on_plateau: int = 0  # epochs without lower validation loss before halving; 0: never
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0
    validation_fraction: float = 0.1  # of the training images, stratified
    train_images: int = 0  # how many to train on after the split; 0: all
    precision: str = "float32"

    def __post_init__(self) -> None:
        for label, text in (("dataset", self.dataset), ("architecture", self.architecture)):
            if not isinstance(text, str) or not text:
                raise BadInput(f"{label} must be a name. Received: {text!r}.")
        if not isinstance(self.name, str):
            raise BadInput(f"name must be text. Received: {self.name!r}.")
        check_name(self.name, "model name")
        _number("epochs", self.epochs, 1, 10_000, whole=True)
        _number("batch_size", self.batch_size, 1, 8192, whole=True)
        _choice("optimizer", self.optimizer, OPTIMIZERS)
        _number("learning_rate", self.learning_rate, 1e-8, 10)
        _choice("schedule", self.schedule, SCHEDULES)
        _number("label_smoothing", self.label_smoothing, 0, 0.5)
        _number("early_stopping", self.early_stopping, 0, 1000, whole=True)
        _number("reduce_on_plateau", self.reduce_on_plateau, 0, 1000, whole=True)
        _number("seed", self.seed, 0, 2**31 - 1, whole=True)
        _number("validation_fraction", self.validation_fraction, 0.01, 0.5)
        _number("train_images", self.train_images, 0, 10_000_000, whole=True)
        _choice("precision", self.precision, PRECISIONS)
        if self.schedule != "constant" and self.reduce_on_plateau:
            raise BadInput(f"The schedule {self.schedule!r} cannot be joined with "
                           "reduce_on_plateau: both decide the learning rate.",
                           "Set reduce_on_plateau to 0, or the schedule to constant.")

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-ready values."""
        return asdict(self)

    def with_name(self, name: str) -> RunConfig:
        """Return the same configuration for a model of another name."""
        return replace(self, name=name)


def _known_keys(cls: type, data: dict[str, Any], what: str) -> dict[str, Any]:
    names = [f.name for f in fields(cls)]
    unknown = sorted(set(data) - set(names))
    if unknown:
        raise BadInput(f"Unknown {what} setting: {', '.join(map(repr, unknown))}.",
                       f"Known settings: {', '.join(names)}.")
    return data


def config_from_dict(data: dict[str, Any]) -> RunConfig:
    """Rebuild a configuration from `RunConfig.to_dict` or from JSON that a person wrote.

    Settings that are missing take their defaults, so older files keep loading.

    Raises:
        BadInput: If a setting is unknown, missing without a default, or out of range.
    """
    values = dict(_known_keys(RunConfig, data, "run"))
    augmentation = values.pop("augmentation", {})
    if not isinstance(augmentation, dict):
        raise BadInput(f"augmentation must be an object. Received: {augmentation!r}.")
    values["augmentation"] = Augmentation(**_known_keys(Augmentation, augmentation, "augmentation"))
    try:
        return RunConfig(**values)
    except TypeError as error:
        raise BadInput(f"The configuration is incomplete: {error}.",
                       "Give at least dataset, architecture and name.") from error
