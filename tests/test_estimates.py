"""Expected costs of networks that were never run, by hand and against measured ones."""

import pytest
from speeds import made_up

from cnn.models.estimates import (
    HIGH,
    LOW,
    WORK_OF_A_VALUE,
    estimated_speed,
    expected_epoch,
    training_bytes,
)
from cnn.models.registry import get_architecture
from cnn.models.speeds import NetworkSpeed, Speeds
from cnn.models.summary import summarise

COLOUR = (32, 32, 3), 10
# Microseconds per image in training, measured by `cnn.training.speed` on two cores.
MEASURED = {
    "dense": 72, "base": 665, "deeper": 548, "batchnorm": 790, "vgg-bn": 4972, "lenet": 96,
    "alexnet": 2189, "zfnet": 3963, "vgg": 4264, "googlenet": 7182, "resnet": 2644,
    "speedrun-deep": 7564}


def speeds(names=("speedrun", "speedrun-small"), images=(3839e-6, 1494e-6)):
    return Speeds(*COLOUR, "float32", 5.0, 0.0, tuple(
        NetworkSpeed(name, 1.0, 0.01, image, image / 3)
        for name, image in zip(names, images, strict=True)))


@pytest.mark.parametrize("name", MEASURED)
def test_the_estimate_is_within_what_is_shown_of_what_was_measured(name):
    estimate = estimated_speed(summarise(name, *COLOUR), speeds()).image * 1e6
    assert LOW < MEASURED[name] / estimate < HIGH


def test_twice_the_work_takes_twice_the_time():
    one, other = summarise("lenet", *COLOUR), summarise("vgg-bn", *COLOUR)
    work = [cost.training_work("float32") + WORK_OF_A_VALUE * cost.values for cost in (one, other)]
    quick, slow = (estimated_speed(cost, speeds()) for cost in (one, other))
    assert slow.image / quick.image == pytest.approx(work[1] / work[0])
    assert slow.look / quick.look == pytest.approx(work[1] / work[0])


def test_an_epoch_by_hand():
    known = speeds(("speedrun",), (0.001,))
    summary = summarise("speedrun", *COLOUR)
    found = expected_epoch(get_architecture("speedrun"), summary, known, 50_000, 500, 0.1)
    by_hand = 0.08 + 90 * 0.01 + 45_000 * 0.001 + 5_000 * 0.001 / 3
    assert found.low == found.typical == found.high == pytest.approx(by_hand)
    guess = expected_epoch(get_architecture("base"), summarise("base", *COLOUR), known, 50_000,
                           64, 0.1)
    assert guess.low == pytest.approx(LOW * guess.typical)
    assert guess.high == pytest.approx(HIGH * guess.typical)


def test_a_faster_computer_is_expected_to_be_faster():
    summary, base = summarise("resnet", *COLOUR), get_architecture("resnet")
    quick, slow = (expected_epoch(base, summary, made_up(*COLOUR, slowness=slowness), 50_000, 64,
                                  0.1).typical for slowness in (1.0, 3.0))
    assert slow == pytest.approx(3 * quick, rel=0.01)


def test_memory_is_what_layers_put_out_and_four_copies_of_the_weights():
    summary = summarise("dense", (8, 8, 1), 10)
    values = 64 + 64 + 256 + 128 + 10 + 10
    weights = 64 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10
    assert training_bytes(summary, 32) == 4 * (32 * values + 4 * weights)
