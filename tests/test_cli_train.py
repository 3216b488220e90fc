"""One real training through the command line, in processes of its own, from data to answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cnn.cli import main
from cnn.data.catalogue import load
from cnn.data.images import encode_png
from cnn.paths import PROJECT
from cnn.runs.manager import list_runs

TRAIN = ["train", "--dataset", "digits", "--architecture", "base"]
PATIENCE = 120  # seconds; a busy machine takes 15 to start TensorFlow


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(autouse=True)
def _places(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(places).items():
        monkeypatch.setenv(name, value)


def variables(places: Path) -> dict[str, str]:
    folders = {f"CNN_{kind}_DIR": str(places / kind.lower()) for kind in ("RUNS", "MODELS", "DATA")}
    return {**folders, "KERAS_HOME": str(places / "keras")}


def start(places: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cnn", *words, "--json"], cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **variables(places)})


def result(process: subprocess.Popen[str]) -> Any:
    """Return the JSON, which must be all that is on standard output."""
    out, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    return json.loads(out)


@pytest.fixture(scope="module")
def trained(places: Path) -> dict[str, Any]:
    return result(start(places, *TRAIN, "--epochs", "5", "--name", "first", "--seed", "1"))


def test_train_reports_what_it_reached(trained: dict[str, Any]) -> None:
    assert (trained["name"], trained["dataset"], trained["architecture"], trained["state"]) == (
        "first", "digits", "base", "finished")
    assert trained["test_accuracy"] > 0.8
    assert 0 < trained["test_loss"] < 1
    assert (trained["test_n"], trained["epochs"]) == (359, 5)
    assert 1 <= trained["best_epoch"] <= 5
    assert trained["val_accuracy"] > 0.8
    assert trained["seconds"] > 0
    assert trained["parameters"] > 10_000


def test_the_run_and_the_model_are_listed(
    trained: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", trained["run"], "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert {key: run[key] for key in trained} == trained
    assert run["last_epoch"]["epoch"] == 5
    assert main(["models", "--json"]) == 0
    model, = json.loads(capsys.readouterr().out)["models"]
    assert (model["name"], model["test_accuracy"]) == ("first", trained["test_accuracy"])


def test_evaluate_finds_again_what_training_reported(
    trained: dict[str, Any], places: Path
) -> None:
    figures = places / "figures"
    again = result(start(places, "evaluate", "first", "--figures", str(figures)))
    assert again["measured_again"] is True
    assert again["test_accuracy"] == pytest.approx(trained["test_accuracy"], abs=1e-6)
    assert again["test_loss"] == pytest.approx(trained["test_loss"], abs=1e-4)
    assert (again["name"], again["dataset"], again["test_n"]) == ("first", "digits", 359)
    right = sum(row[i] for i, row in enumerate(again["confusion"]))
    assert right / 359 == pytest.approx(again["test_accuracy"])
    assert [row["name"] for row in again["report"]][:2] == ["0", "1"]
    assert len(again["figures"]) >= 2
    for path in again["figures"]:
        assert Path(path).read_bytes().startswith(b"\x89PNG")


def test_predict_knows_digits_as_well_as_on_the_test(
    trained: dict[str, Any], places: Path
) -> None:
    digits = load("digits")
    paths = []
    for number in range(30):
        path = places / f"{number}.png"
        path.write_bytes(encode_png(digits.test_images[number]))
        paths.append(str(path))
    answers = result(start(places, "predict", *paths, str(places / "none.png"), "--top", "3"))
    assert [answer["source"] for answer in answers] == [*paths, str(places / "none.png")]
    assert set(answers[-1]) == {"source", "error"}
    assert {len(answer["top"]) for answer in answers[:-1]} == {3}
    right = [answer["top"][0]["class"] == digits.class_names[digits.test_labels[number]]
             for number, answer in enumerate(answers[:-1])]
    assert sum(right) >= 20


def test_a_long_run_stops_when_asked_and_keeps_its_best(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = start(places, *TRAIN, "--epochs", "10000", "--name", "long")
    try:
        run_id = wait_for_an_epoch(process)
        assert main(["stop", run_id]) == 0
        assert run_id in capsys.readouterr().out
        record = result(process)
    finally:  # a detached trainer outlives a test that fails
        for run in list_runs():
            run.folder.ask(wish="stop")
    assert (record["state"], record["name"]) == ("stopped", "long")
    assert 1 <= record["best_epoch"] <= record["epochs"] < 10_000
    assert (places / "models" / "long" / "model.keras").is_file()


def wait_for_an_epoch(process: subprocess.Popen[str]) -> str:
    end = time.monotonic() + PATIENCE
    while not (found := [run for run in list_runs() if run.status.epoch and run.active]):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)
    return found[0].run_id
