"""Overfitting is named when it is there, and noise is not taken for it."""

import json
from pathlib import Path

import numpy as np
import pytest

from cnn.config import Augmentation, RunConfig
from cnn.training.diagnosis import find_overfitting, in_words, remedies

ROOT = Path(__file__).resolve().parent.parent


def records(val_losses, losses):
    return [{"epoch": number, "val_loss": float(val_loss), "loss": float(loss)}
            for number, (val_loss, loss) in enumerate(zip(val_losses, losses, strict=True), 1)]


def overfitting(noise=0.0, epochs=20, turn=6, seed=0):
    """A small network on many images: validation loss falls until `turn`, then rises by 5 %."""
    e = np.arange(1, epochs + 1)
    wobble = np.exp(noise * np.random.default_rng(seed).normal(size=epochs))
    val_losses = (1 + 0.9 * np.exp(-e / 2) + 0.05 * np.maximum(e - turn, 0)) * wobble
    return records(val_losses, 1.6 * np.exp(-e / 8))


def looks(epochs):
    """What somebody who looks after each epoch would see."""
    return [find_overfitting(epochs[:count]) for count in range(1, len(epochs) + 1)]


@pytest.mark.parametrize("noise", [0.0, 0.005, 0.02])
def test_a_rise_is_named_within_seven_epochs_of_its_begin_and_from_then_on(noise):
    found = looks(overfitting(noise))
    assert found[:8] == [None] * 8
    assert all(found[12:])
    assert abs(found[-1].since - 6) <= 2


def test_the_numbers_are_those_of_the_curves():
    found = find_overfitting(overfitting())
    assert (found.since, found.until) == (6, 20)
    assert found.last_val_loss == pytest.approx(1.65, abs=0.01)
    assert found.val_loss == pytest.approx(1.06, abs=0.02)
    assert found.last_loss < found.loss
    assert "since epoch 6" in in_words(found)
    assert "1.650" in in_words(found)


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.1, 0.2])
def test_a_validation_loss_that_only_wobbles_is_hardly_ever_taken_for_a_rise(noise):
    e, alarms = np.arange(1, 41), 0
    for seed in range(40):
        wobble = np.exp(noise * np.random.default_rng(seed).normal(size=40))
        curve = records((0.6 + 1.4 * np.exp(-e / 4)) * wobble, 0.3 + 1.6 * np.exp(-e / 8))
        alarms += sum(found is not None for found in looks(curve))
    assert alarms <= 0.005 * 40 * 40  # one look in two hundred


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_label_smoothing_and_a_rate_that_falls_evenly_give_no_alarm(noise):
    """Training loss stays above validation loss, which wobbles less and less and then falls."""
    e, alarms = np.arange(1, 17), 0
    for seed in range(40):
        left = 1 - e / 16
        wobble = np.exp(noise * (left + 0.05) * np.random.default_rng(seed).normal(size=16))
        curve = records((0.42 + 0.5 * left**0.7) * wobble, 0.95 + 0.55 * left)
        assert find_overfitting(curve) is None
        alarms += sum(found is not None for found in looks(curve))
    assert alarms <= 0.01 * 40 * 16


@pytest.mark.parametrize("name", ["cifar10-speedrun", "digits-base"])
def test_the_shipped_trainings_are_not_called_overfitted(name):
    file = ROOT / "saved_models" / name / "history.jsonl"
    assert not any(looks([json.loads(line) for line in file.read_text().splitlines()]))


def test_a_rise_of_both_losses_is_something_else():
    rising = [0.5, 0.4, 0.3, *np.linspace(0.4, 2.0, 12)]
    assert find_overfitting(records(rising, rising)) is None


@pytest.mark.parametrize("epochs", [0, 1, 5])
def test_few_epochs_say_nothing(epochs):
    assert find_overfitting(records(np.linspace(1, 2, epochs), np.linspace(1, 0, epochs))) is None


def test_a_loss_that_is_no_number_is_no_diagnosis():
    epochs = overfitting()
    epochs[9]["val_loss"] = float("nan")
    assert find_overfitting(epochs) is None


def config(**settings):
    return RunConfig(**{"dataset": "cifar10", "architecture": "base", "name": "x", **settings})


@pytest.mark.parametrize(("settings", "said", "unsaid"), [
    ({}, ["architecture dropout.", "mirror", "early stopping", "about 6"], ["more images"]),
    ({"architecture": "deeper"}, ["deeper-dropout"], []),
    ({"architecture": "deeper-dropout"}, [], ["dropout"]),
    ({"architecture": "speedrun"}, [], ["dropout"]),  # normalised
    ({"architecture": "of-another-version"}, ["shift"], ["dropout"]),
    ({"dataset": "digits"}, ["shift"], ["mirror"]),
    ({"augmentation": Augmentation(shift=0.1)}, [], ["shift"]),
    ({"early_stopping": 4}, [], ["early stopping"]),
    ({"train_images": 2000}, ["2,000"], []),
])
def test_what_to_try_suits_the_settings(settings, said, unsaid):
    words = " ".join(remedies(config(**settings), find_overfitting(overfitting())))
    for part in said:
        assert part in words
    for part in unsaid:
        assert part not in words
