"""The command line without a training: options, exit statuses, JSON, and what is said in words."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stub_engine
from model_folders import write_model
from run_folders import tell

from cnn.api_records import models_record
from cnn.cli import COMMANDS, build_parser, command_module, main
from cnn.cli_commands import evaluate, following, models, predict, train
from cnn.cli_commands.output import duration, table
from cnn.config import Augmentation, RunConfig
from cnn.data.catalogue import load
from cnn.data.images import encode_png
from cnn.models.defaults import command_line
from cnn.paths import PROJECT, runs_dir
from cnn.prediction.client import EngineClient
from cnn.runs import manager
from cnn.runs.folder import RunFolder, Status
from cnn.training.events import (
    BatchEvent,
    ChangeEvent,
    EpochEvent,
    NoteEvent,
    PinsEvent,
    ResumeEvent,
)

RUN = "20260101-000000-first"
NEEDED = ["--dataset", "digits", "--architecture", "base", "--name", "first"]
CONFIG = RunConfig("digits", "base", "first")
OTHER: dict[str, Any] = {  # another valid value for each setting
    "dataset": "mnist", "architecture": "lenet", "name": "second", "epochs": 3, "batch_size": 16,
    "optimizer": "sgd", "learning_rate": 0.125, "schedule": "linear", "label_smoothing": 0.1,
    "early_stopping": 2, "reduce_on_plateau": 4,
    "seed": 7, "validation_fraction": 0.25, "train_images": 500, "precision": "bfloat16",
    "rotation": 12.5, "shift": 0.25, "cutout": 0.5}
CHANGES = {f.name for f in fields(Augmentation)}  # of images, among those settings


pytestmark = pytest.mark.usefixtures("empty_folders")


def parsed(*words: str) -> RunConfig:
    return train.config_from_options(build_parser("train").parse_args(["train", *words]))


def option(name: str) -> str:
    return "--" + name.replace("_", "-")


# Options of train


def test_every_setting_of_a_run_has_an_option() -> None:
    names = {f.name for f in (*fields(RunConfig), *fields(Augmentation))} - {"augmentation"}
    assert set(OTHER) | {"flip"} == names
    parser = build_parser("train")
    for name, value in OTHER.items():
        options = parser.parse_args(["train", *NEEDED, option(name), str(value)])
        assert getattr(options, name) == value


@pytest.mark.parametrize("name", [name for name in OTHER if name not in CHANGES])
def test_an_option_changes_its_own_setting_only(name: str) -> None:
    changed = replace(CONFIG, **{name: OTHER[name]})
    if name == "optimizer":
        changed = replace(changed, learning_rate=0.01)
    if name not in ("dataset", "epochs"):
        changed = replace(changed, epochs=30)  # the default for digits
    assert parsed(*NEEDED, option(name), str(OTHER[name])) == changed


@pytest.mark.parametrize(("words", "augmentation"), [
    ([], Augmentation()),
    (["--rotation", "12.5"], Augmentation(rotation=12.5)),
    (["--shift", "0.25", "--flip"], Augmentation(shift=0.25, flip=True)),
    (["--cutout", "0.5"], Augmentation(cutout=0.5)),
    (["--architecture", "speedrun-deep"], Augmentation(0, 0.125, False, 0.25)),
    (["--architecture", "augmented"], Augmentation(5, 0.1, False)),
    (["--architecture", "augmented", "--dataset", "cifar10"], Augmentation(5, 0.1, True)),
    (["--architecture", "augmented", "--dataset", "cifar10", "--no-flip", "--rotation", "0"],
     Augmentation(0, 0.1, False)),
])
def test_augmentation_is_the_architectures_own_unless_told_otherwise(
    words: list[str], augmentation: Augmentation
) -> None:
    assert parsed(*NEEDED, *words).augmentation == augmentation


@pytest.mark.parametrize(("words", "rate"), [
    ([], 0.001), (["--optimizer", "adam"], 0.001), (["--optimizer", "sgd"], 0.01),
    (["--optimizer", "sgd", "--learning-rate", "0.5"], 0.5),
])
def test_the_learning_rate_is_the_optimizers_own_unless_told_otherwise(
    words: list[str], rate: float
) -> None:
    assert parsed(*NEEDED, *words).learning_rate == rate


@pytest.mark.parametrize(("dataset", "epochs"), [("digits", 30), ("mnist", 10), ("own", 10)])
def test_the_epochs_are_the_data_sets_own_unless_told_otherwise(dataset: str, epochs: int) -> None:
    assert parsed(*NEEDED, "--dataset", dataset).epochs == epochs
    assert parsed(*NEEDED, "--dataset", dataset, "--epochs", "4").epochs == 4


@pytest.mark.parametrize("config", [
    CONFIG,
    replace(CONFIG, optimizer="sgd", learning_rate=0.01),
    replace(CONFIG, optimizer="sgd", learning_rate=0.001),
    replace(CONFIG, learning_rate=1e-7, validation_fraction=1 / 3),
    replace(CONFIG, augmentation=Augmentation(12.3456789, 1 / 3, True)),
    replace(CONFIG, architecture="augmented", dataset="cifar10", augmentation=Augmentation()),
    RunConfig(**{name: value for name, value in OTHER.items()
                 if name not in {*CHANGES, "reduce_on_plateau"}},
              augmentation=Augmentation(12.5, 0.25, True, 0.5)),
], ids=str)
def test_the_command_of_a_run_gives_the_very_same_run(config: RunConfig) -> None:
    words = shlex.split(command_line(config))
    assert words[:4] == ["python", "-m", "cnn", "train"]
    assert parsed(*words[4:]) == config


def test_the_name_is_made_of_data_and_architecture_and_is_free() -> None:
    words = ["--dataset", "digits", "--architecture", "tf-nn"]
    assert parsed(*words).name == "digits-tf-nn"
    write_model("digits-tf-nn")
    assert parsed(*words).name == "digits-tf-nn-2"


# Exit statuses and words


@pytest.mark.parametrize("words", [
    [], ["nope"], ["train"], ["train", "--dataset", "digits"], ["predict"], ["stop"], ["evaluate"],
    ["train", *NEEDED, "--epochs", "many"], ["train", *NEEDED, "--epoch", "3"],
    ["train", *NEEDED, "--zoom", "2"], ["predict", "a.png", "--how", "squash"],
    ["import", "folder"], ["models", "--colour"], ["architectures", "base", "--size", "big"],
])
def test_wrong_usage_ends_with_2_and_an_empty_standard_output(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage:" in said.err


@pytest.mark.parametrize(("words", "message", "hint"), [
    (["train", *NEEDED, "--epochs", "0"], "epochs", "1"),
    (["train", *NEEDED, "--learning-rate", "nan"], "learning_rate", "10"),
    (["train", *NEEDED, "--optimizer", "adamw"], "'adamw'", "Choose"),
    (["train", *NEEDED, "--dataset", "digist"], "'digist'", "'digits'"),
    (["train", *NEEDED, "--architecture", "bas"], "'bas'", "'base'"),
    (["train", *NEEDED, "--name", "My Model"], "'My Model'", "'my-model'"),
    (["runs", "nope"], "'nope'", "runs"),
    (["stop", "nope"], "'nope'", "runs"),
    (["models", "nope"], "'nope'", "none yet"),
    (["evaluate", "nope"], "'nope'", "none yet"),
    (["predict", "a.png", "--top", "0"], "top", "--top 3"),
    (["predict", "a.png"], "no saved model", "train"),
    (["architectures", "deeper", "--size", "4"], "deeper cannot take", "8×8"),
    (["import", "no-such-folder", "--name", "mine"], "no-such-folder", "class"),
])
@pytest.mark.parametrize("json_too", [[], ["--json"]], ids=["text", "json"])
def test_an_expected_failure_ends_with_1_message_and_hint(
    words: list[str], message: str, hint: str, json_too: list[str],
    capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, *json_too]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    first, second = said.err.strip().splitlines()
    assert message in first
    assert hint in second


def test_a_network_that_does_not_fit_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load("digits")  # the size of its images is known once it has been made
    assert main(["train", *NEEDED, "--architecture", "lenet"]) == 1
    said = capsys.readouterr().err
    assert "lenet cannot take images of 8×8 pixels: layer conv_2" in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_says_what_it_does(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert COMMANDS[command] in said
    assert "--json" in said
    assert command_module(command).__doc__.startswith(f"`{command}`")


def test_the_list_of_commands_is_shown_by_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)


def test_ctrl_c_ends_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "models_record", interrupt)
    assert main(["models", "--json"]) == 130
    assert capsys.readouterr() == ("", "\nInterrupted.\n")


def test_a_missing_package_is_named_with_the_way_to_install_it() -> None:
    code = ("import sys; sys.modules['filelock'] = None\n"
            "from cnn.cli import main; sys.exit(main(['runs']))")
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1
    assert "'filelock'" in done.stderr
    assert "pip install -r requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes close otherwise on Windows")
def test_a_reader_that_closes_early_is_no_failure() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "cnn", "architectures"], cwd=PROJECT, stdout=write,
                          stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


# JSON


@pytest.fixture
def finished(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / RUN)
    folder.path.mkdir(parents=True)
    folder.write_config(CONFIG, "python -m cnn train ...")
    folder.write_status(Status(
        state="finished", created=1.0, started=2.0, epoch=2, best_epoch=1, best_val_accuracy=0.5,
        model="first", test_accuracy=0.9, test_loss=0.3, test_n=1000, seconds=75.0))
    tell(folder, EpochEvent(2, 0.5, 0.8, 0.6, 0.7, 0.001, 99.0, 1.0, False))
    return folder


@pytest.mark.parametrize(("words", "keys"), [
    (["models"], {"models"}),
    (["models", "first"], {"name", "class_names", "test_accuracy", "config"}),
    (["runs"], {"runs"}),
    (["runs", RUN], {"run", "state", "name", "test_accuracy", "last_epoch", "config"}),
    (["datasets"], {"datasets"}),
    (["datasets", "mnist"], {"name", "licence", "citation", "homepage", "note"}),
    (["architectures"], {"architectures"}),
    (["architectures", "base", "--size", "28", "--channels", "1"], {"layers", "parameters"}),
])
def test_json_is_one_object_alone_on_standard_output(
    words: list[str], keys: set[str], finished: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("first")
    assert main([*words, "--json"]) == 0
    said = capsys.readouterr()
    assert keys <= set(json.loads(said.out))
    assert said.out.count("\n") == 1
    assert said.err == ""
    assert main(words) == 0
    text = capsys.readouterr().out
    assert not text.startswith("{")
    assert "None" not in text


def test_what_a_library_prints_does_not_reach_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def chatty() -> dict[str, Any]:
        print("Using backend X")  # noqa: T201  this is what the test is about
        return models_record()

    monkeypatch.setattr(models, "models_record", chatty)
    assert main(["models", "--json"]) == 0
    assert capsys.readouterr() == ('{"models": []}\n', "Using backend X\n")


def test_damaged_models_and_runs_are_listed_with_the_others(
    tmp_path: Path, finished: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("good")
    (write_model("bad") / "model.keras").unlink()
    (tmp_path / "runs" / "20250101-000000-bad").mkdir()
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    assert "75.00 %" in said
    assert "bad cannot be used" in said
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "90.00 %" in lines[1]
    assert "damaged" in lines[2]
    assert main(["runs", "20250101-000000-bad"]) == 0
    assert "config.json" in capsys.readouterr().out


def test_a_failed_run_is_shown_with_its_reason_and_the_end_of_its_log(
    finished: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    finished.write_status(Status(state="failed", message="Out of memory.", hint="Smaller batches."))
    finished.log_file.write_text("first line\nlast line\n")
    assert main(["runs", RUN]) == 0
    said = capsys.readouterr().out
    assert "Out of memory. Smaller batches." in said
    assert "last line" in said


# Import


def test_a_folder_of_class_folders_becomes_a_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(10):
        place = tmp_path / "source" / ("dark" if number % 2 else "light")
        place.mkdir(parents=True, exist_ok=True)
        shade = np.full((12, 12, 3), 20 * number, np.uint8)
        (place / f"{number}.png").write_bytes(encode_png(shade))
    (tmp_path / "source" / "dark" / "notes.png").write_text("no picture")
    words = ["import", str(tmp_path / "source"), "--name", "mine", "--size", "16"]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["kept"] == {"dark": 5, "light": 5}
    assert report["train_count"] + report["test_count"] == 10
    assert len(report["skipped"]) == 1
    assert main([*words[:-1], "8", "--name", "again"]) == 0
    assert "notes.png" in capsys.readouterr().out
    assert main(["datasets"]) == 0
    assert "16×16×3" in capsys.readouterr().out


# Predict and evaluate, with a network that needs no TensorFlow


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An engine that needs no TensorFlow; return its log: a line of JSON for each request."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    log = tmp_path / "asked"
    command = (sys.executable, stub_engine.__file__, str(log))
    monkeypatch.setattr(predict, "EngineClient", lambda: EngineClient(command))
    return log


def picture_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.zeros((9, 9, 3), np.uint8)))
    return path


def test_each_picture_has_its_answer_or_its_error_in_order(
    tmp_path: Path, instant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("first")
    good = picture_file(tmp_path / "good.png")
    text = tmp_path / "text.png"
    text.write_text("hello")
    empty = tmp_path / "empty"
    empty.mkdir()
    sources = [str(good), str(text), "nope.png", "http://127.0.0.1/x.png", str(empty), str(good)]
    assert main(["predict", *sources, "--top", "2", "--json"]) == 0
    said = capsys.readouterr()
    answers = json.loads(said.out)
    assert [answer["source"] for answer in answers] == sources
    told = {"source", "top", "unlike", "novelty"}
    assert [set(answer) for answer in answers] == [told, *[{"source", "error"}] * 4, told]
    assert [item["class"] for item in answers[0]["top"]] == ["ant", "bee"]
    assert answers[0]["top"][0]["probability"] == pytest.approx(0.75)
    errors = ("text file", "nope.png", "127.0.0.1", "no picture in the folder")
    for answer, words in zip(answers[1:5], errors, strict=True):
        assert words in answer["error"]
    assert "Model: first" in said.err
    assert main(["predict", *sources[:2]]) == 0
    assert "ant 75.00 %, bee 12.50 %, cat 12.50 %" in capsys.readouterr().out


def test_a_folder_stands_for_the_pictures_in_it_and_below(
    tmp_path: Path, instant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("first")
    folder = tmp_path / "many"
    names = [f"{n}.png" for n in range(9)] + ["below/deep/no-ending", "below/z.jpg"]
    paths = [str(picture_file(folder / name)) for name in names]
    picture_file(folder / ".hidden" / "x.png")
    (folder / "notes.png").write_text("no picture")
    assert main(["predict", str(folder), paths[0], "--json"]) == 0
    said = capsys.readouterr()
    assert [answer["source"] for answer in json.loads(said.out)] == [
        *paths[:9], paths[10], paths[9], paths[0]]
    assert "passed over 1 other file." in said.err


def test_a_folder_without_pictures_is_said_in_words(
    tmp_path: Path, instant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("first")
    (tmp_path / "empty").mkdir()
    assert main(["predict", str(tmp_path / "empty")]) == 1
    assert "no picture in the folder" in capsys.readouterr().out


def test_predict_prints_csv_that_no_spreadsheet_runs(
    tmp_path: Path, instant: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    write_model("first")
    picture_file(tmp_path / "=good.png")
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "=good.png", "nope.png", "--top", "2", "--csv"]) == 0
    head, good, bad = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["source", "answer_1", "probability_1", "answer_2", "probability_2",
                    "none_of_these", "unsure", "error"]
    assert good == ["'=good.png", "ant", "0.75", "bee", "0.125", "True", "False", ""]
    assert bad[:7] == ["nope.png", "", "", "", "", "", ""] and "no file" in bad[7]
    assert main(["predict", "=good.png", "--csv", "--json"]) == 1


def test_predict_averages_over_views_only_when_asked(
    tmp_path: Path, instant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("first")
    good = picture_file(tmp_path / "good.png")
    for options, first in (([], 0.75), (["--average"], 0.5)):
        assert main(["predict", str(good), "--json", *options]) == 0
        answer, = json.loads(capsys.readouterr().out)
        assert answer["top"][0]["probability"] == pytest.approx(first)


def test_one_picture_may_kill_the_engine_but_not_one_after_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("first")
    code = ("import os, sys; from cnn.prediction.wire import *\n"
            "while True:\n"
            "    head, parts = receive(sys.stdin.buffer)\n"
            "    if head['op'] == 'predict': os._exit(1)\n"
            "    send(sys.stdout.buffer, {})\n")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setattr(predict, "EngineClient",
                        lambda: EngineClient((sys.executable, "-c", code)))
    good = str(picture_file(tmp_path / "good.png"))
    assert main(["predict", good, "--json"]) == 1
    assert "twice" in json.loads(capsys.readouterr().out)[0]["error"]
    assert main(["predict", good, good, good]) == 1
    assert "died or hung twice" in capsys.readouterr().err


def test_predict_fails_only_if_no_picture_has_an_answer(
    instant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("first")
    assert main(["predict", "a.png", "b.png", "--model", "first", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_evaluate_shows_stored_results_where_the_data_are_gone_and_says_so(
    capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("first")  # of a data set that is not here
    assert main(["evaluate", "first", "--json"]) == 0
    said = capsys.readouterr()
    record = json.loads(said.out)
    assert {"name", "dataset", "architecture", "test_accuracy", "test_loss", "test_n", "seconds",
            "report", "confusion"} <= set(record)
    assert (record["test_accuracy"], record["test_n"]) == (0.75, 12)
    assert record["measured_again"] is False
    assert "stored results" in said.err
    assert "'shapes'" in said.err


def test_evaluate_refuses_data_that_only_share_the_name(
    capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("first", dataset="digits")
    assert main(["evaluate", "first", "--json"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "not the one that first was trained on" in said.err


@pytest.fixture
def digits_answers(folders: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The digits, and a network that is right on every third image, or on all if it is mirrored."""
    from cnn.data.catalogue import load
    from cnn.prediction import predictor

    data = load("digits")
    right = np.eye(10, dtype=np.float32)[data.test_labels]
    wrong = np.roll(right, 1, axis=1)
    third = (np.arange(len(right)) % 3 == 0)[:, None]
    looks: list[np.ndarray] = []

    def answer(network: Any, images: np.ndarray) -> np.ndarray:
        looks.append(images)
        mirrored = np.array_equal(images, data.test_images[:, :, ::-1])
        return np.where(third | mirrored, right, 0.6 * wrong + 0.4 * right)

    monkeypatch.setattr(evaluate, "start_tensorflow", lambda: None)
    monkeypatch.setattr("cnn.prediction.saved.load_network", lambda name: None)
    monkeypatch.setattr(predictor, "compile_network", lambda network: None)
    monkeypatch.setattr(predictor, "predict_in_batches", answer)
    return data, looks


@pytest.mark.parametrize(("flip", "averaged", "views"), [(True, 1.0, 6), (False, 120 / 359, 3)])
def test_evaluate_measures_calibration_and_on_request_averaged_views(
    digits_answers: Any, capsys: pytest.CaptureFixture[str], flip: bool, averaged: float, views: int
) -> None:
    data, looks = digits_answers
    write_model("first", dataset="digits", class_names=list(data.class_names),
                dataset_fingerprint=data.fingerprint, test_accuracy=120 / 359, test_loss=0.1,
                averaged_test_accuracy=0.5, config={"augmentation": {"flip": flip}})
    assert main(["evaluate", "first", "--json"]) == 0
    once = json.loads(capsys.readouterr().out)
    assert len(looks) == 1
    assert once["averaged_test_accuracy"] is None
    assert once["calibration_error"] == pytest.approx(0.6 * 239 / 359, abs=1e-6)
    assert once["card"] == {"test_accuracy": 120 / 359, "test_loss": 0.1,
                            "averaged_test_accuracy": 0.5, "calibration_error": None}
    assert main(["evaluate", "first", "--average", "--json"]) == 0
    assert len(looks) == 1 + 1 + views
    assert json.loads(capsys.readouterr().out)["averaged_test_accuracy"] == averaged


def test_evaluate_says_where_its_figures_and_the_card_differ(
    digits_answers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    data, _ = digits_answers
    write_model("first", dataset="digits", class_names=list(data.class_names),
                dataset_fingerprint=data.fingerprint, test_accuracy=120 / 359,
                averaged_test_accuracy=0.5, config={"augmentation": {"flip": True}})
    assert main(["evaluate", "first", "--average"]) == 0
    said = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines()[:7])
    figures = {label: value.strip() for label, value in said.items()}
    assert figures["Test accuracy"] == "33.43 %, as on the card"
    assert figures["Averaged accuracy"] == "100.00 %, but 50.00 % on the card"
    assert figures["Calibration error"] == "39.94 %"  # of which the card says nothing


def test_a_model_is_shown_with_what_newer_cards_know(capsys: pytest.CaptureFixture[str]) -> None:
    write_model("older")
    write_model("newer", averaged_test_accuracy=0.8125, calibration_error=0.012, sittings=2,
                calibration_error_before=0.041, temperature=1.3124)
    assert main(["models", "newer"]) == 0
    said = capsys.readouterr().out
    assert "81.25 % with predict --average" in said
    assert "off by 1.20 % on average (4.10 % before its temperature 1.312)" in said
    assert "12 s in 2 sittings" in said
    assert main(["models", "older"]) == 0
    said = capsys.readouterr().out
    assert not [word for word in ("Averaged", "Calibration", "sittings") if word in said]


def test_evaluate_stores_results_only_where_they_are_missing(tmp_path: Path) -> None:
    from cnn.evaluation.results import read_evaluation

    folder = write_model("first")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    evaluation = read_evaluation(folder)
    evaluate._restore_stored("first", evaluation)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    (folder / "evaluation.npz").write_bytes(b"broken")
    evaluate._restore_stored("first", evaluation)
    assert read_evaluation(folder).count == 12


# Following a run


class Scripted:
    """Plays a trainer: holds the run's lock, and does one thing each time the follower sleeps."""

    def __init__(self, folder: RunFolder, *steps: Any) -> None:
        self.folder, self.steps = folder, list(steps)
        self.lock = folder.lock()
        self.lock.acquire(timeout=0)

    def sleep(self, _: float) -> None:
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Status):
            self.folder.write_status(step)
            self.lock.release()
        else:
            tell(self.folder, step)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make `train` follow a scripted run instead of starting one."""
    def start(*steps: Any) -> Scripted:
        folder = RunFolder(tmp_path / "runs" / RUN)
        folder.path.mkdir(parents=True)
        folder.write_config(CONFIG, "the command")
        folder.write_status(Status(state="running", stage="training", started=1.0))
        script = Scripted(folder, *steps)
        monkeypatch.setattr(train, "start_run", lambda config, pins=(): RUN)
        monkeypatch.setattr(following.time, "sleep", script.sleep)
        return script
    return start


EPOCH = EpochEvent(1, 0.5, 0.8, 0.6, 0.7, 0.001, 99.0, 1.0, True)
DONE = Status(state="finished", epoch=1, best_epoch=1, best_val_accuracy=0.7, model="first-2",
              test_accuracy=0.9, test_loss=0.3, test_n=10, seconds=5.0, parameters=12)


def test_pinned_pictures_reach_the_run_by_name(
    play: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(EPOCH, PinsEvent(1, [[("3", 0.9)]]), ChangeEvent(2, 3, 9, "Flips are off.", 2.0), DONE)
    given: list[tuple[str, bytes]] = []
    monkeypatch.setattr(train, "start_run", lambda config, pins: given.extend(pins) or RUN)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(name.encode())
    pins = ["--pin", str(tmp_path / "a.png"), "--pin", str(tmp_path / "b.png")]
    assert main(["train", *NEEDED, *pins]) == 0
    assert given == [("a.png", b"a.png"), ("b.png", b"b.png")]
    assert "Flips are off." in capsys.readouterr().err


@pytest.mark.parametrize(("pins", "words"), [
    (["missing.png"], "missing.png"), (["text.png"], "text.png"), (["text.png"] * 6, "At most 5")])
def test_a_pin_that_cannot_be_used_starts_nothing(
    pins: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.png").write_text("no picture")
    given = [word for pin in pins for word in ("--pin", pin)]
    assert main(["train", *NEEDED, *given]) == 1
    assert words in capsys.readouterr().err
    assert not list((tmp_path / "runs").glob("*"))


def test_runs_names_overfitting_and_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    folder = RunFolder(runs_dir() / RUN)
    folder.path.mkdir(parents=True)
    folder.write_config(CONFIG, "the command")
    for epoch, val_loss in enumerate([1, 0.6, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9, 1], 1):
        tell(folder, replace(EPOCH, epoch=epoch, loss=1 / epoch, val_loss=val_loss))
    folder.write_status(replace(DONE, epoch=9))
    assert main(["runs", RUN]) == 0
    said = capsys.readouterr().out
    assert "Overfitting since epoch 3" in said
    assert "dropout" in said
    assert main(["runs", RUN, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert "epoch 3" in record["overfitting"]
    assert len(record["remedies"]) > 1
    folder.write_status(replace(DONE, epoch=3))
    assert main(["runs", RUN]) == 0
    assert "Overfitting" not in capsys.readouterr().out


def test_train_shows_each_epoch_and_ends_with_the_result(
    play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    play(BatchEvent(1, 1, 9, 0.5, 0.5, 0.001, 99.0, 1.0, 8.0), EPOCH,
         NoteEvent(1, "Learning rate halved.", 1.0), DONE)
    assert main(["train", *NEEDED, "--json"]) == 0
    said = capsys.readouterr()
    expected = {
        "name": "first-2", "dataset": "digits", "architecture": "base", "test_accuracy": 0.9,
        "test_loss": 0.3, "test_n": 10, "seconds": 5.0, "run": RUN, "best_epoch": 1,
        "val_accuracy": 0.7, "epochs": 1, "parameters": 12, "state": "finished"}
    assert expected.items() <= json.loads(said.out).items()
    assert RUN in said.err
    assert "val_accuracy 70.00 %" in said.err
    assert "Learning rate halved." in said.err
    assert "\r" not in said.err  # no progress line where nobody watches


@pytest.mark.parametrize(("state", "message"), [
    ("failed", "Out of memory."), ("diverged", "The loss became nan.")])
def test_a_run_without_a_model_fails_with_its_reason(
    state: str, message: str, play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    play(Status(state=state, message=message, hint="Do this."))
    assert main(["train", *NEEDED, "--json"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert "Do this." in said.err


def test_a_trainer_that_dies_is_reported(play: Any, capsys: pytest.CaptureFixture[str]) -> None:
    play(Status(state="running", stage="training", started=1.0))  # says so, but lets go its lock
    assert main(["train", *NEEDED]) == 1
    assert "interrupted" in capsys.readouterr().err


def test_the_first_ctrl_c_asks_the_run_to_stop_and_waits_for_its_model(
    play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script = play(EPOCH, KeyboardInterrupt(), replace(DONE, state="stopped"))
    assert main(["train", *NEEDED, "--json"]) == 0
    assert script.folder.read_control().wish == "stop"
    said = capsys.readouterr()
    assert json.loads(said.out)["state"] == "stopped"
    assert "Stopping" in said.err


def test_the_second_ctrl_c_leaves_the_run_to_the_background(
    play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script = play(KeyboardInterrupt(), KeyboardInterrupt())
    assert main(["train", *NEEDED]) == 1
    assert "background" in capsys.readouterr().err
    assert script.folder.is_alive()
    assert main(["runs", RUN]) == 0
    assert "stopping" in capsys.readouterr().out
    script.lock.release()


def test_detach_prints_the_run_and_does_not_wait(
    play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script = play()
    assert main(["train", *NEEDED, "--detach", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["run"], record["state"], record["test_accuracy"]) == (RUN, "running", None)
    script.lock.release()


def test_stop_asks_a_living_run_and_refuses_one_that_has_ended(
    play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script = play()
    assert main(["stop", RUN, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "stopping"
    assert script.folder.read_control().wish == "stop"
    script.folder.write_status(DONE)
    script.lock.release()
    assert main(["stop", RUN]) == 1
    assert "finished" in capsys.readouterr().err


# Going on with a run


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run that died after its second epoch, and a scripted trainer for `resume` to start."""
    def prepare(*steps: Any) -> RunFolder:
        folder = RunFolder(tmp_path / "runs" / RUN)
        folder.path.mkdir(parents=True)
        folder.write_config(CONFIG, "the command")
        folder.write_status(Status(state="running", stage="training", started=1.0, epoch=2))
        tell(folder, replace(EPOCH, epoch=2, val_accuracy=0.25))

        def spawn(command: list[str], log: int) -> None:
            assert command[-1] == str(folder.path)
            folder.write_status(replace(folder.read_status(), state="running", started=2.0))
            script = Scripted(folder, *steps)
            monkeypatch.setattr(following.time, "sleep", script.sleep)

        monkeypatch.setattr(manager, "_spawn", spawn)
        return folder
    return prepare


def test_resume_follows_what_is_new_and_ends_with_the_result(
    interrupted: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted(ResumeEvent(2, 9.0), replace(EPOCH, epoch=3), replace(DONE, epoch=3))
    assert main(["resume", RUN]) == 0
    said = capsys.readouterr()
    assert "Goes on after epoch 2." in said.err
    assert "epoch 3/10" in said.err
    assert "epoch 2/10" not in said.err  # shown by the trainer that died
    assert "Test accuracy  90.00 % of 10 images" in said.out


def test_resume_prints_the_record_of_the_run_as_json(
    interrupted: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted(ResumeEvent(2, 9.0), DONE)
    assert main(["resume", RUN, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["run"], record["state"], record["name"]) == (RUN, "finished", "first-2")
    assert record["test_accuracy"] == 0.9


def test_resume_leaves_the_run_to_itself_if_told_so(
    interrupted: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted()
    assert main(["resume", RUN, "--detach", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "running"


def test_resume_refuses_a_run_that_trains_or_has_ended(
    play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script = play()
    assert main(["resume", RUN, "--json"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "cannot be resumed: it is running" in said.err
    script.folder.write_status(DONE)
    script.lock.release()
    assert main(["resume", RUN]) == 1
    assert "cannot be resumed: it is finished" in capsys.readouterr().err
    assert main(["resume", "20200101-000000-none"]) == 1


# Words


def test_a_table_aligns_words_to_the_left_and_numbers_to_the_right() -> None:
    assert table(("Name", ">Count", "About"), [("a", "1", "x"), ("long name", "1,000", "")]) == (
        "Name       Count  About\n"
        "a              1  x\n"
        "long name  1,000")


@pytest.mark.parametrize(("seconds", "words"), [
    (0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.9, "1 min 0 s"), (3599.9, "1 h 0 min"),
    (7260, "2 h 1 min")])
def test_times_are_said_in_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
