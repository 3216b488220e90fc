"""Presets by time: what is chosen, for which computer and data, and how long it is said to take."""

import math
from dataclasses import replace
from math import prod

import pytest
from speeds import made_up

from cnn.config import RunConfig
from cnn.errors import BadInput, Damaged, NotFound
from cnn.models.defaults import averaged_views, worth_averaging
from cnn.models.presets import PRESETS, candidates, find_preset, plan, to_measure
from cnn.models.speeds import SECONDS_PER_EPOCH, expected_time, speeds_from_dict
from cnn.models.summary import summarise

STRENGTH = {name: rank for rank, name in enumerate(
    ("dense", "base", "batchnorm", "speedrun-small", "speedrun", "speedrun-deep"))}
# input shape, classes, training images, test images
CIFAR10 = ((32, 32, 3), 10, 50_000, 10_000)
DATA = [
    CIFAR10, ((28, 28, 1), 10, 60_000, 10_000), ((50, 50, 3), 5, 3000, 600),
    ((64, 64, 3), 200, 100_000, 10_000), ((64, 64, 3), 3, 300, 60), ((8, 8, 1), 10, 1438, 359),
    ((3, 3, 1), 2, 500, 100), ((32, 32, 3), 2, 40, 10), ((9, 200, 1), 2, 800, 200),
]
SLOWNESS = [0.02, 0.3, 1.0, 4.0, 30.0]


def planned(preset, data, slowness=1.0, **more):
    shape, classes, train, test = data
    return plan(PRESETS[preset], made_up(shape, classes, slowness), "pictures", train, test, "m",
                **more)


@pytest.mark.parametrize(("text", "name"), [
    ("1m", "1m"), ("1 minute", "1m"), ("5 minutes", "5m"), ("5minutes", "5m"), ("20 min", "20m"),
    (" 20M ", "20m"), ("Best", "best"),
])
def test_a_preset_is_found_with_and_without_a_blank(text, name):
    assert find_preset(text).name == name


@pytest.mark.parametrize("text", ["", "2m", "1 hour", "minute", "bests", "-1m"])
def test_another_time_is_refused_with_the_list(text):
    with pytest.raises(BadInput, match="1m, 5m, 20m, best"):
        find_preset(text)


@pytest.mark.parametrize("slowness", SLOWNESS)
@pytest.mark.parametrize("data", DATA, ids=str)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_plan_can_be_run(preset, data, slowness):
    shape, classes, train, _ = data
    chosen = planned(preset, data, slowness)
    config, expected = chosen.config, chosen.expected
    summary = summarise(config.architecture, shape, classes)
    assert chosen.train_n == (config.train_images or chosen.train_n)
    assert classes <= chosen.train_n <= train * 0.9
    assert config.batch_size <= max(chosen.train_n / 4, 1)
    assert 4 * config.batch_size * sum(prod(r.output_shape) for r in summary.rows) < 1.8 * 2**30
    assert 0 < expected.low < expected.typical < expected.high < math.inf
    assert 1 <= config.epochs <= 100
    assert bool(chosen.remark) == (config.train_images > 0 or
                                   expected.typical > PRESETS[preset].seconds)


@pytest.mark.parametrize("slowness", SLOWNESS)
@pytest.mark.parametrize("data", DATA, ids=str)
def test_a_longer_preset_is_never_weaker_and_what_fits_fits(data, slowness):
    before = (-1, 0)
    for preset in PRESETS.values():
        chosen = planned(preset.name, data, slowness)
        strength = STRENGTH[chosen.config.architecture], chosen.config.epochs * chosen.train_n
        assert strength >= before
        before = strength
        if "no training" not in chosen.remark:
            assert chosen.expected.typical <= preset.seconds


def test_the_choices_on_a_laptop_for_cifar10():
    minute, five, twenty, best = (planned(name, CIFAR10).config for name in PRESETS)
    assert (minute.architecture, minute.epochs, minute.batch_size) == ("speedrun-small", 2, 250)
    assert 15_000 < minute.train_images < 45_000
    assert (five.architecture, five.train_images) == ("speedrun-small", 0)
    assert five.epochs >= 4
    assert (twenty.architecture, twenty.batch_size) == ("speedrun", 500)
    assert twenty.epochs >= 4
    assert (best.architecture, best.epochs, best.batch_size) == ("speedrun-deep", 40, 500)
    assert (minute.learning_rate, five.learning_rate) == (0.24, 0.24)
    assert {c.optimizer for c in (minute, five, twenty, best)} == {"muon"}


def test_the_time_is_used_where_more_epochs_help():
    for preset in ("5m", "20m"):
        assert planned(preset, CIFAR10).expected.typical > 0.7 * PRESETS[preset].seconds


def test_few_images_get_more_epochs_and_small_batches():
    config = planned("1m", ((32, 32, 3), 3, 300, 60), 0.5).config
    assert config.epochs >= 20
    assert config.batch_size == 64
    assert config.train_images == 0


def test_large_images_get_smaller_batches():
    batches = [planned("best", ((side, side, 3), 10, 50_000, 10_000)).config.batch_size
               for side in (16, 32, 64, 128)]
    assert batches == sorted(batches, reverse=True)
    assert batches[-1] < batches[1]


def test_digits_fall_back_to_networks_that_take_them():
    assert to_measure(candidates((8, 8, 1), 10)) == ["base", "batchnorm"]
    assert to_measure(candidates((9, 9, 1), 10)) == ["speedrun-small", "speedrun"]
    assert to_measure(candidates((2, 2, 1), 10)) == ["dense"]


def test_mirrored_digits_are_no_digits():
    shape, classes, train, test = DATA[1]
    config = plan(PRESETS["1m"], made_up(shape, classes), "mnist", train, test, "m").config
    assert config.augmentation.flip is False
    assert config.augmentation.shift > 0


def test_the_quicker_precision_is_used():
    speeds = made_up((32, 32, 3), 10, precision="bfloat16")
    assert plan(PRESETS["1m"], speeds, "x", 50_000, 10_000, "m").config.precision == "bfloat16"


def test_a_network_that_a_person_chose_is_kept():
    speeds = made_up((32, 32, 3), 10, names=("vgg-bn",))
    config = plan(PRESETS["5m"], speeds, "x", 50_000, 10_000, "m", "vgg-bn").config
    assert (config.architecture, config.optimizer) == ("vgg-bn", "adam")
    assert planned("1m", CIFAR10, architecture="speedrun-deep").config.architecture == (
        "speedrun-deep")
    with pytest.raises(BadInput, match="not measured"):
        planned("5m", CIFAR10, architecture="vgg-bn")
    with pytest.raises(BadInput, match="8×8"):
        candidates((8, 8, 1), 10, "speedrun")
    with pytest.raises(NotFound):
        candidates((8, 8, 1), 10, "speedrum")


def test_the_speed_of_a_relative_follows_from_its_arithmetic():
    speeds = made_up((32, 32, 3), 10)
    deep, measured = speeds.of("speedrun-deep"), made_up((32, 32, 3), 10, names=("speedrun-deep",))
    assert deep.image == pytest.approx(measured.of("speedrun-deep").image)
    assert deep.step == pytest.approx(measured.of("speedrun-deep").step)
    assert speeds.of("base") is None
    config = RunConfig("x", "base", "m")
    assert expected_time(config, speeds, 1000, 100) is None


def test_what_is_expected_counts_every_part_of_a_run():
    speeds = made_up((32, 32, 3), 10)
    config = planned("5m", CIFAR10).config
    net = speeds.of(config.architecture)
    training = config.epochs * (
        SECONDS_PER_EPOCH + 45_000 * net.image + -(-45_000 // config.batch_size) * net.step
        + 5000 * net.look)
    looks = (5000 + 10_000) * net.look * (1 + 6)  # as they are, and all views
    expected = expected_time(config, speeds, 50_000, 10_000)
    assert expected.typical == pytest.approx(5 + 1.5 + 4 + training + looks)
    twice = expected_time(replace(config, epochs=2 * config.epochs), speeds, 50_000, 10_000)
    assert twice.typical == pytest.approx(expected.typical + training)


def test_averaging_over_views_is_left_out_where_it_would_be_most_of_the_run():
    assert averaged_views(planned("1m", CIFAR10).config.augmentation) == 6
    assert not worth_averaging(20, 40)
    assert worth_averaging(20, 400)
    assert worth_averaging(1, 0.1)


def test_speeds_survive_json_and_nonsense_does_not():
    speeds = made_up((28, 28, 1), 10, busy=0.5)
    assert speeds_from_dict(speeds.to_dict()) == speeds
    assert speeds.slower == 2
    assert made_up((28, 28, 1), 10, busy=0.1).slower == 1
    good = speeds.to_dict()
    for wrong in ({}, {**good, "networks": []}, {**good, "start": -1}, {**good, "more": 1},
                  {**good, "networks": [{**good["networks"][0], "image": 0}]},
                  {**good, "networks": [{**good["networks"][0], "look": float("nan")}]},
                  {**good, "networks": [{**good["networks"][0], "architecture": "gone"}]}):
        with pytest.raises(Damaged, match="again"):
            speeds_from_dict(wrong)
