"""Saved models: whole folders, cards that are checked, and one bad folder that hides no other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from model_folders import make_card, make_evaluation, make_history, write_model

from cnn.errors import BadInput, Damaged, NotFound, Unavailable
from cnn.evaluation.results import read_evaluation
from cnn.prediction import saved


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path / "models"


def change_card(folder: Path, **changes: Any) -> None:
    path = folder / saved.CARD_FILE
    card = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in card.items() if v is not KeyError}, default=str))


def test_a_model_comes_back_as_it_was_saved() -> None:
    folder = write_model("first")
    assert saved.read_card("first") == make_card("first")
    assert saved.read_history("first") == make_history()
    assert read_evaluation(folder).accuracy == make_evaluation().accuracy
    assert saved.model_folder("first") == folder


def test_no_models_folder_means_no_models() -> None:
    assert saved.list_models() == []


def test_models_are_listed_newest_first() -> None:
    for name, day in (("a", "02"), ("b", "03"), ("c", "01")):
        write_model(name, created=f"2026-01-{day}T00:00:00+00:00")
    assert [model.name for model in saved.list_models()] == ["b", "a", "c"]


def test_a_damaged_folder_is_listed_with_its_error_and_hides_no_other(models: Path) -> None:
    write_model("good")
    (write_model("torn") / saved.CARD_FILE).write_text("{")
    (models / "Stray Folder").mkdir()
    (models / ".tmp-1234-new").mkdir()
    (models / "README.txt").write_text("a file, not a model")
    found = {model.name: model for model in saved.list_models()}
    assert sorted(found) == ["Stray Folder", "good", "torn"]
    assert found["good"].error is None and found["good"].card is not None
    assert isinstance(found["torn"].error, Damaged) and found["torn"].card is None
    assert isinstance(found["Stray Folder"].error, BadInput)


def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    write_model("first")
    with pytest.raises(NotFound, match="no saved model 'second'") as caught:
        saved.read_card("second")
    assert "first" in caught.value.hint


@pytest.mark.parametrize("name", ["../other", "", "a/b", "A", ".hidden", "x" * 65, "con"])
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        saved.model_folder(name)


@pytest.mark.parametrize("file", [saved.CARD_FILE, saved.MODEL_FILE])
def test_a_missing_file_is_named(file: str) -> None:
    (write_model() / file).unlink()
    with pytest.raises(Damaged, match=file):
        saved.read_card("first")


@pytest.mark.parametrize("changes", [
    {"architecture": KeyError}, {"class_names": KeyError}, {"test_accuracy": "high"},
    {"test_n": 1.5}, {"test_n": True}, {"class_names": ["only one"]}, {"class_names": "abc"},
    {"class_names": [1, 2]}, {"input_shape": [8, 8]}, {"input_shape": ["8", "8", "1"]},
    {"input_shape": [0, 8, 1]}, {"needs_cnn": "no"}, {"config": []}, {"created": None},
    {"test_loss": float("nan")}, {"calibration_error": "low"}, {"temperature": None},
    {"averaged_test_accuracy": float("inf")}, {"sittings": 1.5},
], ids=str)
def test_a_card_with_a_missing_or_wrong_fact_is_damaged(changes: dict[str, Any]) -> None:
    change_card(write_model(), **changes)
    with pytest.raises(Damaged, match="first") as caught:
        saved.read_card("first")
    assert next(iter(changes)) in caught.value.message


def test_older_and_newer_cards_load() -> None:
    change_card(write_model(), dataset_fingerprint=KeyError, machine=KeyError, invented_later=1)
    assert saved.read_card("first") == make_card("first", dataset_fingerprint="", machine="")


def test_facts_that_may_be_unknown_are_numbers_or_nothing() -> None:
    write_model("none", calibration_error=None)
    write_model("some", calibration_error=0.02, averaged_test_accuracy=1, sittings=2)
    assert saved.read_card("none").calibration_error is None
    assert saved.read_card("some") == make_card(
        "some", calibration_error=0.02, averaged_test_accuracy=1, sittings=2)


def test_whole_numbers_are_good_for_decimals() -> None:
    change_card(write_model(), test_accuracy=1, seconds=9)
    assert saved.read_card("first").test_accuracy == 1


def test_a_copied_folder_is_a_model_under_its_new_name(models: Path) -> None:
    shutil.copytree(write_model("first"), models / "copy")
    assert saved.read_card("copy").name == "copy"


def test_history_passes_over_lines_that_no_chart_could_draw() -> None:
    path = write_model() / saved.HISTORY_FILE
    good = path.read_text()
    path.write_text('{"epoch": 1}\nnonsense\n' + good
                    + json.dumps(make_history()[0] | {"val_loss": float("nan")}) + "\n{torn")
    assert saved.read_history("first") == make_history()
    path.unlink()
    assert saved.read_history("first") == []


def test_a_taken_name_is_never_overwritten() -> None:
    before = (write_model("first") / saved.CARD_FILE).read_bytes()
    with pytest.raises(BadInput, match="exists already"):
        write_model("first", seed=99)
    assert (saved.model_folder("first") / saved.CARD_FILE).read_bytes() == before


def test_a_save_that_fails_leaves_nothing(models: Path) -> None:
    class FullDisk:
        def save(self, path: Path) -> None:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(Unavailable, match="disk is full"):
        saved.save_model(FullDisk(), make_card("first"), [], make_evaluation())
    assert list(models.iterdir()) == []


def test_free_name_counts_on_and_keeps_within_the_length(models: Path) -> None:
    longest = "x" * 64
    for name in ("first", "first-2", longest):
        (models / name).mkdir(parents=True)
    assert saved.free_name("other") == "other"
    assert saved.free_name("first") == "first-3"
    assert saved.free_name(longest) == "x" * 62 + "-2"


def test_a_network_that_keras_cannot_read_is_damaged() -> None:
    write_model()
    with pytest.raises(Damaged, match="network of the saved model first") as caught:
        saved.load_network("first")
    assert caught.value.hint
