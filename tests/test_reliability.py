"""Confidence against right answers: bins and their error, the chart, and the words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cnn.evaluation.calibration import BINS, expected_calibration_error, reliability
from pages.shared.charts import TRAINING, VALIDATION
from pages.shared.reliability import (
    FEW,
    bin_names,
    reliability_option,
    reliability_rows,
    reliability_words,
)


def answers(*groups: tuple[float, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of two classes and labels from (confidence, images, how many right)."""
    confidence = np.concatenate([np.full(count, sure) for sure, count, _ in groups])
    labels = np.concatenate([np.arange(count) >= right for _, count, right in groups]).astype(int)
    return np.stack([confidence, 1 - confidence], axis=1).astype(np.float32), labels


MIXED = answers((0.9, 100, 88), (0.6, 40, 30), (0.98, 60, 60))


def series(option: dict[str, Any]) -> dict[str, list[Any]]:
    return {one["name"]: one["data"] for one in option["series"]}


# Bins


def test_bins_hold_counts_confidence_and_accuracy() -> None:
    found = reliability(*MIXED)
    assert found.total == 200
    assert {place: int(n) for place, n in enumerate(found.counts) if n} == {9: 40, 13: 100, 14: 60}
    assert found.confidence[[9, 13, 14]] == pytest.approx([0.6, 0.9, 0.98])
    assert found.accuracy[[9, 13, 14]] == pytest.approx([0.75, 0.88, 1])
    assert np.isnan(found.accuracy[[0, 8, 10]]).all()
    assert np.isnan(found.confidence[[0, 8, 10]]).all()


def test_the_error_is_the_mean_gap_of_the_bins_by_their_images() -> None:
    expected = (100 * 0.02 + 40 * 0.15 + 60 * 0.02) / 200
    assert reliability(*MIXED).error == pytest.approx(expected, abs=1e-6)
    assert expected_calibration_error(*MIXED) == reliability(*MIXED).error


def test_the_error_agrees_with_another_way_to_compute_it() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(5, 0.4), 3000).astype(np.float32)
    labels = random.integers(0, 5, 3000)
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    error = 0.0
    for low in np.arange(BINS) / BINS:
        chosen = (confidence >= low) & (confidence < low + 1 / BINS + (low > 0.93))
        if chosen.any():
            error += chosen.mean() * abs(right[chosen].mean() - confidence[chosen].mean())
    assert expected_calibration_error(probabilities, labels) == pytest.approx(error, abs=1e-9)


def test_a_certain_answer_is_in_the_last_bin() -> None:
    found = reliability(np.eye(3, dtype=np.float32), np.array([0, 1, 0]))
    assert found.counts.tolist() == [0] * (BINS - 1) + [3]
    assert found.error == pytest.approx(1 / 3)


# Chart, words, table


def test_the_names_of_the_bins_go_from_nothing_to_certainty() -> None:
    names = bin_names()
    assert (len(names), names[0], names[13], names[14]) == (BINS, "0–7 %", "87–93 %", "93–100 %")


def test_the_chart_has_right_answers_confidence_and_counts_and_is_json() -> None:
    option = reliability_option(reliability(*answers((0.9, 100, 88), (0.6, FEW - 1, 0))))
    json.dumps(option, allow_nan=False)
    data = series(option)
    bars = data["right answers"]
    assert (bars[13]["value"], bars[9]["value"], bars[0]["value"]) == (88, 0, None)
    assert bars[9]["itemStyle"]["opacity"] < bars[13]["itemStyle"]["opacity"] == 1
    assert (data["confidence"][13], data["confidence"][0]) == (90, None)
    assert (data["images"][13], data["images"][9], data["images"][0]) == (100, 9, 0)
    assert [one["itemStyle"]["color"] for one in option["series"][:2]] == [TRAINING, VALIDATION]
    assert option["animation"] is False


@pytest.mark.parametrize(("groups", "words"), [
    ([(0.9, 1000, 880), (0.98, 9000, 8820)], "90.0 % sure, it is right 88.0 % of the time (seen on "
                                             "1,000 test images)"),
    ([(0.9, FEW - 1, 0), (0.6, 50, 30)], "60.0 % sure, it is right 60.0 % of the time"),
    ([(0.9, 1, 1)], "90.0 % sure, it is right 100.0 % of the time (seen on 1 test image)"),
])
def test_the_words_take_ninety_per_cent_as_their_example_if_they_can(
    groups: list[tuple[float, int, int]], words: str
) -> None:
    assert words in reliability_words(reliability(*answers(*groups)))


@pytest.mark.parametrize(("right", "verdict"), [
    (850, "too sure of itself"), (890, "as sure as it should be"),
    (910, "as sure as it should be"), (950, "not sure enough of itself")])
def test_the_verdict_compares_mean_confidence_with_what_chance_allows(
    right: int, verdict: str
) -> None:
    words = reliability_words(reliability(*answers((0.9, 1000, right))))
    assert f"On the whole it is {verdict}" in words
    assert f"mean confidence is 90.0 %, and {right / 10:.1f} % of its answers are right." in words


def test_the_table_leaves_out_empty_bins() -> None:
    assert reliability_rows(reliability(*MIXED))[:2] == [
        {"confidence": "60–67 %", "images": 40,
         "mean confidence": 0.6, "right answers": 0.75},
        {"confidence": "87–93 %", "images": 100, "mean confidence": 0.9, "right answers": 0.88}]
    assert len(reliability_rows(reliability(*MIXED))) == 3
