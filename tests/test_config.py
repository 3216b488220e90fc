"""RunConfig: valid or refused, and the same after a trip through JSON and the command line."""

import json

import pytest

from cnn.config import Augmentation, RunConfig, config_from_dict
from cnn.errors import BadInput
from cnn.models.defaults import command_line

GOOD = {"dataset": "digits", "architecture": "base", "name": "first"}


def test_defaults_are_valid_and_survive_json():
    config = RunConfig(**GOOD, augmentation=Augmentation(rotation=5, flip=True))
    assert config_from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_missing_settings_of_an_older_file_take_their_defaults():
    assert config_from_dict(dict(GOOD)) == RunConfig(**GOOD)


@pytest.mark.parametrize(("setting", "value"), [
    ("epochs", 0), ("epochs", -1), ("epochs", 2.5), ("epochs", True), ("epochs", "5"),
    ("epochs", 10**9), ("batch_size", 0), ("batch_size", 100_000), ("optimizer", "adagrad"),
    ("learning_rate", 0), ("learning_rate", float("nan")), ("learning_rate", float("inf")),
    ("learning_rate", -1), ("early_stopping", -1), ("seed", -1), ("seed", 2**40),
    ("validation_fraction", 0), ("validation_fraction", 0.9), ("train_images", -5),
    ("precision", "float16"), ("schedule", "cosine"), ("label_smoothing", -0.1),
    ("label_smoothing", 0.6), ("label_smoothing", float("nan")), ("name", ""),
    ("name", "../up"), ("name", "a/b"), ("name", "CON"),
    ("name", "nul.txt"), ("name", "x" * 65), ("name", 3), ("dataset", ""), ("architecture", None),
])
def test_impossible_values_are_refused_with_the_value_in_the_message(setting, value):
    with pytest.raises(BadInput) as caught:
        RunConfig(**{**GOOD, setting: value})
    assert repr(value)[:20] in caught.value.message


@pytest.mark.parametrize("values", [
    {"rotation": -1}, {"rotation": 181}, {"shift": 0.6}, {"shift": float("nan")}, {"flip": "yes"},
    {"cutout": -0.1}, {"cutout": 0.95}, {"cutout": True},
])
def test_impossible_augmentation_is_refused(values):
    with pytest.raises(BadInput):
        Augmentation(**values)


@pytest.mark.parametrize("data", [
    {**GOOD, "epoch": 5}, {**GOOD, "augmentation": {"zoom": 1}}, {**GOOD, "augmentation": 3},
    {"dataset": "digits"},
])
def test_unknown_or_missing_settings_are_refused_with_a_hint(data):
    with pytest.raises(BadInput) as caught:
        config_from_dict(data)
    assert caught.value.hint or "augmentation" in caught.value.message


def test_a_schedule_and_a_plateau_rule_are_not_joined():
    with pytest.raises(BadInput, match="both decide the learning rate") as caught:
        RunConfig(**GOOD, schedule="linear", reduce_on_plateau=2)
    assert "reduce_on_plateau to 0" in caught.value.hint
    assert RunConfig(**GOOD, schedule="constant", reduce_on_plateau=2).reduce_on_plateau == 2


@pytest.mark.parametrize("changes", [
    {"rotation": 1}, {"shift": 0.1}, {"flip": True}, {"cutout": 0.1}])
def test_any_single_change_makes_augmentation_active(changes):
    assert Augmentation(**changes).active
    assert not Augmentation().active


def test_command_line_names_only_what_differs_from_the_defaults():
    assert command_line(RunConfig(**GOOD, epochs=3)) == (
        "python -m cnn train --dataset digits --architecture base --name first --epochs 3 "
        "--rotation 0.0 --shift 0.0 --no-flip")
