"""What a training does when nobody says otherwise, and the command that says it all."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from cnn.cli import build_parser
from cnn.cli_commands.train import config_from_options
from cnn.config import OPTIMIZERS, Augmentation, RunConfig
from cnn.errors import NotFound
from cnn.models.defaults import command_line, default_config
from cnn.models.registry import architecture_names, get_architecture


def parsed(command: str) -> RunConfig:
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "cnn", "train"]
    return config_from_options(build_parser("train").parse_args(words[3:]))


@pytest.mark.parametrize("architecture", architecture_names())
def test_photographs_get_the_recipe_that_the_architecture_brings(architecture: str) -> None:
    config = default_config(architecture, "cifar10", "first")
    for setting, value in get_architecture(architecture).recipe.items():
        assert getattr(config, setting) == value
    assert (config.dataset, config.architecture, config.name) == ("cifar10", architecture, "first")


@pytest.mark.parametrize("dataset", ["digits", "mnist"])
@pytest.mark.parametrize("architecture", architecture_names())
def test_digits_are_never_mirrored_but_otherwise_changed_alike(
    architecture: str, dataset: str
) -> None:
    photographs = default_config(architecture, "cifar10", "first").augmentation
    assert default_config(architecture, dataset, "first").augmentation == replace(
        photographs, flip=False)


def test_a_network_without_a_recipe_is_trained_as_run_config_says() -> None:
    assert default_config("base", "cifar10", "first") == RunConfig("cifar10", "base", "first")
    assert default_config("base", "digits", "first") == RunConfig(
        "digits", "base", "first", epochs=30)


def test_the_speedrun_is_trained_by_muon_with_a_rate_that_falls() -> None:
    assert default_config("speedrun", "cifar10", "first") == RunConfig(
        "cifar10", "speedrun", "first", batch_size=500, optimizer="muon", learning_rate=0.12,
        schedule="linear", label_smoothing=0.2, augmentation=Augmentation(0, 0.0625, True))


@pytest.mark.parametrize(("architecture", "optimizer", "rate", "schedule"), [
    ("base", "sgd", 0.01, "constant"), ("base", "muon", 0.24, "linear"),
    ("speedrun", "adam", 0.001, "constant"), ("speedrun", "muon", 0.12, "linear"),
])
def test_rate_and_schedule_follow_an_optimizer_that_is_chosen(
    architecture: str, optimizer: str, rate: float, schedule: str
) -> None:
    config = default_config(architecture, "cifar10", "first", optimizer)
    assert (config.optimizer, config.learning_rate, config.schedule) == (optimizer, rate, schedule)
    own = default_config(architecture, "cifar10", "first")
    assert (config.batch_size, config.augmentation) == (own.batch_size, own.augmentation)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(NotFound):
        default_config("nope", "digits", "first")


# The command of a run


@pytest.mark.parametrize("optimizer", ["", *OPTIMIZERS])
@pytest.mark.parametrize("architecture", architecture_names())
@pytest.mark.parametrize("dataset", ["digits", "cifar10"])
def test_the_command_of_a_default_run_gives_the_very_same_run(
    dataset: str, architecture: str, optimizer: str
) -> None:
    config = default_config(architecture, dataset, "first", optimizer)
    assert parsed(command_line(config)) == config


@pytest.mark.parametrize("settings", [
    {"batch_size": 64, "label_smoothing": 0.0}, {"epochs": 10, "seed": 3, "train_images": 500},
    {"schedule": "constant"}, {"schedule": "constant", "reduce_on_plateau": 3},
    {"schedule": "linear"}, {"optimizer": "adam", "learning_rate": 0.24},
    {"optimizer": "muon", "learning_rate": 0.001}, {"label_smoothing": 1 / 3},
    {"augmentation": Augmentation()}, {"augmentation": Augmentation(7.5, 1 / 3, True, 0.25)},
    {"augmentation": Augmentation(cutout=0.4)}, {"precision": "bfloat16", "early_stopping": 4},
], ids=str)
@pytest.mark.parametrize("architecture", ["base", "augmented", "speedrun", "speedrun-deep"])
def test_the_command_of_a_run_with_other_settings_gives_the_very_same_run(
    architecture: str, settings: dict[str, Any]
) -> None:
    config = replace(default_config(architecture, "cifar10", "first"), **settings)
    assert parsed(command_line(config)) == config
