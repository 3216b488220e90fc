"""`train --preset`: what is started, what is said before, and options that win over it."""

import argparse
import json

import pytest
from run_folders import write_run
from speeds import made_up

from cnn.cli import build_parser, main
from cnn.cli_commands import preset_options, train
from cnn.models.defaults import command_line
from cnn.runs.manager import get_run


@pytest.fixture
def measured(folders, monkeypatch):
    """A computer that has been measured; returns how often it is measured again."""
    again = []

    def known(shape, classes, architecture):
        return made_up(shape, classes, names=(architecture,) if architecture else ())

    def measure(*subject):
        again.append(subject)
        return known(*subject)

    monkeypatch.setattr(preset_options, "known_speeds", known)
    monkeypatch.setattr(preset_options, "measure_speeds", measure)
    return again


@pytest.fixture
def started(measured, monkeypatch):
    """Keep trainers from starting; returns the configurations."""
    configs = []

    def start_run(config, pins=()):
        configs.append(config)
        return write_run(f"20260102-03040{len(configs)}-{config.name}", 0, config.name).run_id

    monkeypatch.setattr(train, "start_run", start_run)
    return configs


def run(*words):
    return main(["train", "--dataset", "digits", "--detach", *words])


@pytest.mark.parametrize("time", ["5m", "5 minutes"])
def test_a_preset_chooses_and_says_how_long_it_takes_before_it_starts(started, capsys, time):
    assert run("--preset", time) == 0
    config, = started
    assert (config.architecture, config.name, config.epochs) == (
        "batchnorm", "digits-batchnorm", 100)
    said = capsys.readouterr().err
    assert "batchnorm on all images of digits, 100 epochs, batches of 64, float32." in said
    assert "Expected: " in said
    assert "Measuring" not in said
    assert "--preset" not in command_line(config)  # the same run on every machine


def test_options_that_are_given_win(started):
    assert run("--preset", "1m", "--epochs", "3", "--batch-size", "10", "--shift", "0.1",
               "--name", "mine", "--seed", "7") == 0
    config, = started
    assert (config.epochs, config.batch_size, config.augmentation.shift, config.name,
            config.seed) == (3, 10, 0.1, "mine", 7)


def test_another_optimizer_brings_its_own_rate(started):
    assert run("--preset", "1m", "--optimizer", "muon") == 0
    assert (started[0].learning_rate, started[0].schedule) == (0.24, "linear")


def test_an_architecture_that_is_given_is_kept(started):
    assert run("--preset", "5m", "--architecture", "deeper") == 0
    assert started[0].architecture == "deeper"


def test_it_is_measured_on_demand(started, measured, capsys):
    assert run("--preset", "1m", "--measure") == 0
    assert measured == [((8, 8, 1), 10, "")]
    assert "Measuring this computer" in capsys.readouterr().err


def test_a_busy_computer_is_said_to_be_busy(started, monkeypatch, capsys):
    monkeypatch.setattr(preset_options, "known_speeds",
                        lambda *subject: made_up(*subject[:2], busy=0.75))
    assert run("--preset", "1m") == 0
    assert "4.0 times as long" in capsys.readouterr().err


def test_json_has_the_expected_time_beside_the_run(started, capsys):
    assert run("--preset", "1m", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    low, high = record["expected_seconds"]
    assert 0 < low < high
    assert record["run"] == get_run(record["run"]).run_id


@pytest.mark.parametrize(("words", "said"), [
    (["--preset", "1m", "--architecture", "speedrun"], "9×9"),
    (["--preset", "1m", "--architecture", "speedy"], "no architecture"),
])
def test_what_cannot_be_done_is_said(started, capsys, words, said):
    assert run(*words) == 1
    assert said in capsys.readouterr().err
    assert started == []


def test_a_preset_that_there_is_not_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as end:
        main(["train", "--dataset", "digits", "--preset", "2 hours"])
    assert end.value.code == 2
    assert "1m, 5m, 20m, best" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main(["train", "--dataset", "digits"])
    assert end.value.code == 2
    assert "--preset, --architecture" in capsys.readouterr().err


def test_help_names_the_presets():
    actions = build_parser("train")._actions
    commands, = (a for a in actions if isinstance(a, argparse._SubParsersAction))
    assert "1m, 5m, 20m, best" in " ".join(commands.choices["train"].format_help().split())
