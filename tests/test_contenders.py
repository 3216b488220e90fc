"""What the page Compare puts side by side: models and runs by the same facts."""

import json
import shutil
from dataclasses import replace

import pytest
from run_folders import write_run

from cnn.paths import PROJECT, models_dir
from cnn.runs.contenders import (
    Contender,
    differences,
    epochs_of,
    flat,
    list_contenders,
    repeats,
)


@pytest.fixture(autouse=True)
def _one_model(folders):
    shutil.copytree(PROJECT / "saved_models" / "digits-base", models_dir() / "digits-base")


PLAIN = Contender("a", True, "digits", "f" * 64, {"epochs": 5, "seed": 0, "name": "a"}, 4, 5, 0.9,
                  0.8, 100, None, 1000, 60.0, 5000, 9000, 1)


def test_models_come_with_their_test_and_runs_without_a_model_with_what_they_have():
    write_run("20260101-000000-lost", state="interrupted", best_epoch=2, best_val_accuracy=0.7,
              seconds=9.0)
    write_run("20260102-000000-fresh", epochs=0)
    found = {one.name: one for one in list_contenders()}
    assert "20260102-000000-fresh" not in found
    run, model = found["20260101-000000-lost"], found["digits-base"]
    assert (run.is_model, run.test_accuracy, run.val_accuracy, run.seconds) == (
        False, None, 0.7, 9.0)
    card = json.loads((models_dir() / "digits-base" / "card.json").read_text())
    assert (model.is_model, model.test_accuracy) == (True, card["test_accuracy"])
    assert model.file_bytes == (models_dir() / "digits-base" / "model.keras").stat().st_size


def test_a_run_whose_model_is_there_is_not_listed_twice_and_damaged_ones_not_at_all():
    write_run("20260101-000000-first", state="finished", model="digits-base")
    (write_run("20260102-000000-broken").path / "config.json").write_text("{")
    (models_dir() / "half").mkdir()
    assert [one.name for one in list_contenders() if not one.is_model] == []
    assert "half" not in [one.name for one in list_contenders()]


def test_epochs_come_from_the_history_of_a_model_and_the_metrics_of_a_run():
    folder = write_run("20260101-000000-lost", epochs=3)
    with folder.metrics_file.open("a") as file:
        file.write('{"kind": "epoch", "epoch": 4}\n{"kind": "epo')
    found = {one.name: one for one in list_contenders()}
    assert [row["epoch"] for row in epochs_of(found["20260101-000000-lost"])] == [1, 2, 3]
    history = (models_dir() / "digits-base" / "history.jsonl").read_text().splitlines()
    assert len(epochs_of(found["digits-base"])) == len(history)
    assert epochs_of(replace(PLAIN, name="gone")) == []


def test_only_settings_that_differ_are_named():
    assert flat({"a": 1, "b": {"c": 2, "d": {"e": 3}}}) == {"a": 1, "b.c": 2, "b.d.e": 3}
    other = replace(PLAIN, settings={"epochs": 9, "seed": 0, "name": "b", "precision": "float32"})
    assert differences([PLAIN, other]) == {"epochs": [5, 9], "precision": [None, "float32"]}
    assert differences([PLAIN, PLAIN]) == {}


def test_repeats_are_those_that_differ_in_their_seed_alone():
    def one(name, seed, accuracy, **settings):
        return replace(PLAIN, name=name, test_accuracy=accuracy,
                       settings={**PLAIN.settings, "name": name, "seed": seed, **settings})

    found = repeats([one("a", 0, 0.80), one("b", 1, 0.84), one("c", 2, 0.85),
                     one("again", 2, 0.99), one("longer", 3, 0.9, epochs=6),
                     one("untested", 4, None)])
    assert len(found) == 1
    assert (found[0].names, found[0].seeds) == (("a", "b", "c"), (0, 1, 2))
    assert found[0].mean == pytest.approx(0.83)
    assert found[0].deviation == pytest.approx(0.02646, abs=1e-5)
    assert repeats([one("a", 0, 0.8), one("b", 1, 0.9, **{"augmentation.flip": True})]) == []
