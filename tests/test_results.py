"""Test results: the right numbers, and files that are whole or reported as damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from model_folders import CLASSES, make_evaluation

from cnn.errors import CnnError, Damaged, NotFound
from cnn.evaluation import results
from cnn.evaluation.results import (
    evaluate_predictions,
    read_evaluation,
    wilson_interval,
    write_evaluation,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "first"
    folder.mkdir()
    write_evaluation(folder, make_evaluation())
    return folder


def test_accuracy_loss_and_confusion_are_what_a_hand_computes() -> None:
    probabilities = np.array([[0.5, 0.5, 0], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0, 0.25, 0.75]],
                             np.float32)
    found = evaluate_predictions(probabilities, np.array([0, 1, 2, 2]), CLASSES)
    assert found.accuracy == 0.75
    expected = -np.log([0.5, 0.7, 0.1, 0.75]).mean()
    assert found.loss == pytest.approx(expected)
    assert found.confusion.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert found.predicted.tolist() == [0, 1, 1, 2]
    assert found.confidence == pytest.approx([0.5, 0.7, 0.8, 0.75])
    assert found.count == 4


def test_a_probability_of_zero_gives_a_finite_loss() -> None:
    found = evaluate_predictions(np.array([[1.0, 0.0]], np.float32), np.array([1]), ("a", "b"))
    assert found.loss == pytest.approx(-np.log(1e-7))


def test_the_report_has_every_class_and_the_two_averages() -> None:
    probabilities = np.eye(3, dtype=np.float32)[[0, 1, 1, 1]]
    report = evaluate_predictions(probabilities, np.array([0, 1, 1, 2]), CLASSES).report
    assert [row["name"] for row in report] == [*CLASSES, "macro avg", "weighted avg"]
    bee = report[1]
    assert (bee["precision"], bee["recall"], bee["support"]) == (pytest.approx(2 / 3), 1.0, 2)
    assert bee["f1"] == pytest.approx(0.8)
    assert report[3]["recall"] == pytest.approx(2 / 3)
    assert report[4]["recall"] == pytest.approx(3 / 4)


def test_a_class_without_test_images_counts_as_zero() -> None:
    found = evaluate_predictions(np.eye(3, dtype=np.float32)[[0, 1]], np.array([0, 1]), CLASSES)
    assert found.report[2] == {"name": "cat", "precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert found.confusion.shape == (3, 3)


@pytest.mark.parametrize("names", [("accuracy", "macro avg"), ("weighted avg", "accuracy"),
                                   ("same", "same")])
def test_classes_may_be_called_anything(names: tuple[str, str]) -> None:
    found = evaluate_predictions(np.eye(2, dtype=np.float32)[[0, 0, 1]], np.array([0, 1, 1]), names)
    assert [row["name"] for row in found.report[:2]] == list(names)
    assert [row["support"] for row in found.report] == [1, 2, 3, 3]


@pytest.mark.parametrize("right, count, low, high", [
    (9, 12, 0.4677, 0.9111), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 1, 0.2065, 1.0),
    (8000, 10_000, 0.7920, 0.8077),
])
def test_the_wilson_interval(right: int, count: int, low: float, high: float) -> None:
    assert wilson_interval(right, count) == pytest.approx((low, high), abs=1e-4)


def test_mistakes_come_most_confident_first() -> None:
    assert make_evaluation().mistakes().tolist() == [5, 2, 8]


def test_what_was_written_comes_back(folder: Path) -> None:
    found, written = read_evaluation(folder), make_evaluation()
    for name in ("class_names", "accuracy", "loss", "report", "count"):
        assert getattr(found, name) == getattr(written, name)
    for name in ("confusion", "labels", "probabilities"):
        assert np.array_equal(getattr(found, name), getattr(written, name))


@pytest.mark.parametrize("file", [results.JSON_NAME, results.ARRAYS_NAME])
def test_missing_results_say_how_to_get_them(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(NotFound, match="no stored test results") as caught:
        read_evaluation(folder)
    assert caught.value.hint == "Run: python -m cnn evaluate first"


@pytest.mark.parametrize("key, value", [
    ("class_names", ["a", "b"]), ("class_names", None), ("accuracy", "high"), ("loss", None),
    ("report", []), ("report", [{"name": "a"}] * 5),
])
def test_facts_that_do_not_fit_are_damage(folder: Path, key: str, value: object) -> None:
    path = folder / results.JSON_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(Damaged, match="test results of first"):
        read_evaluation(folder)


@pytest.mark.parametrize("changes", [
    {"labels": np.array([0, 1, 3] * 4)}, {"labels": np.array([0, 1])},
    {"confusion": np.zeros((2, 2), np.int64)}, {"probabilities": np.zeros((12, 2), np.float32)},
    {"labels": np.array([None] * 12)},
], ids=lambda changes: next(iter(changes)))
def test_arrays_that_do_not_fit_are_damage(folder: Path, changes: dict[str, np.ndarray]) -> None:
    good = make_evaluation()
    arrays = {"confusion": good.confusion, "labels": good.labels,
              "probabilities": good.probabilities} | changes
    np.savez_compressed(folder / results.ARRAYS_NAME, **arrays)
    with pytest.raises(Damaged):
        read_evaluation(folder)


def test_any_flipped_or_missing_byte_is_reported_and_never_a_crash(folder: Path) -> None:
    path = folder / results.ARRAYS_NAME
    good = path.read_bytes()
    for place in range(0, len(good), 3):
        for bad in (good[:place], good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1:]):
            path.write_bytes(bad)
            try:
                found = read_evaluation(folder)
            except CnnError:
                continue
            assert np.array_equal(found.confusion, make_evaluation().confusion)
