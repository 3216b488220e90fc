"""Calibration: the error against a plain loop, the temperature against a factor that is known."""

from __future__ import annotations

import numpy as np
import pytest

from cnn.evaluation.calibration import (
    BINS,
    HIGHEST,
    expected_calibration_error,
    fit_temperature,
    with_temperature,
)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(count=4000, classes=5, seed=0):
    """Logits, and labels drawn with the very probabilities that they mean."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(count, classes))
    cumulative = softmax(logits).cumsum(axis=1)
    return logits, (rng.random((count, 1)) > cumulative).sum(axis=1)


def error_by_a_loop(probabilities, labels):
    bins = [[] for _ in range(BINS)]
    for row, label in zip(probabilities, labels, strict=True):
        number = 0
        while number < BINS - 1 and row.max() >= (number + 1) / BINS:
            number += 1
        bins[number].append((float(row.max()), row.argmax() == label))
    return sum(abs(np.mean([right for _, right in one]) - np.mean([sure for sure, _ in one]))
               * len(one) / len(labels) for one in bins if one)


@pytest.mark.parametrize("factor", [0.3, 1, 3])
def test_the_calibration_error_equals_that_of_a_plain_loop(factor):
    logits, labels = drawn(500)
    probabilities = softmax(factor * logits).astype("float32")
    assert expected_calibration_error(probabilities, labels) == pytest.approx(
        error_by_a_loop(probabilities, labels), abs=1e-6)


@pytest.mark.parametrize(("sure", "right", "error"), [
    (1.0, 10, 0.0), (1.0, 0, 1.0), (0.75, 5, 0.25), (0.5, 10, 0.5)])
def test_the_calibration_error_of_cases_known_by_hand(sure, right, error):
    probabilities = np.tile(np.array([[sure, 1 - sure]], "float32"), (10, 1))
    labels = np.where(np.arange(10) < right, 0, 1)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(error, abs=1e-6)


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.0, 2.0, 8.0])
def test_the_temperature_takes_back_a_factor_on_the_logits(factor):
    logits, labels = drawn()
    probabilities = softmax(factor * logits).astype("float32")
    assert fit_temperature(probabilities, labels) == pytest.approx(factor, rel=0.06)


def test_calibration_mends_confidence_on_other_images_and_never_changes_an_answer():
    logits, labels = drawn(8000)
    probabilities = softmax(4 * logits).astype("float32")
    temperature = fit_temperature(probabilities[:4000], labels[:4000])
    before, after = probabilities[4000:], with_temperature(probabilities[4000:], temperature)
    assert expected_calibration_error(before, labels[4000:]) > 0.15
    assert expected_calibration_error(after, labels[4000:]) < 0.03
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()


@pytest.mark.parametrize("temperature", [0.1, 1.0, 2.5, 15.0])
def test_a_temperature_divides_the_logits(temperature):
    logits, _ = drawn(50)
    result = with_temperature(softmax(logits).astype("float32"), temperature)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, softmax(logits / temperature), rtol=1e-4, atol=1e-7)


def test_the_temperature_is_the_best_of_a_fine_grid():
    logits, labels = drawn(300)
    probabilities = softmax(1.7 * logits).astype("float32")

    def loss(temperature):
        scaled = with_temperature(probabilities, temperature)
        return -np.log(scaled[np.arange(300), labels]).mean()

    found = fit_temperature(probabilities, labels)
    assert loss(found) <= min(map(loss, np.geomspace(0.5, 5, 200))) + 1e-6


def test_several_views_are_fitted_together_and_stand_for_their_images_only():
    logits, labels = drawn(300)
    views = np.stack([softmax(factor * logits).astype("float32") for factor in (1, 3)])
    together = fit_temperature(np.concatenate(views), np.tile(labels, 2))
    assert fit_temperature(views, labels) == pytest.approx(together, rel=1e-4)
    assert fit_temperature(views[:1], labels) == fit_temperature(views[0], labels)
    right = logits.argmax(axis=1)
    logits[np.arange(300), right] += 1  # all right: the confidence is what 300 images allow
    views = np.stack([softmax(factor * logits).astype("float32") for factor in (1, 3)])
    calibrated = with_temperature(views, fit_temperature(views, right))
    assert calibrated.max(axis=-1).mean() == pytest.approx(301 / 302, abs=1e-4)


@pytest.mark.parametrize("count", [20, 150, 2000])
def test_answers_that_are_all_right_are_called_as_certain_as_their_number_allows(count):
    logits = 3 * np.random.default_rng(0).normal(size=(count, 5))
    labels = logits.argmax(axis=1)  # always right
    logits[np.arange(count), labels] += 1
    probabilities = softmax(logits).astype("float32")
    calibrated = with_temperature(probabilities, fit_temperature(probabilities, labels))
    mean = calibrated.max(axis=1).mean()
    assert mean == pytest.approx((count + 1) / (count + 2), abs=1e-4)


@pytest.mark.parametrize("classes", [2, 10])
def test_a_few_certain_answers_that_are_right_are_not_a_failure(classes):
    probabilities = np.eye(classes, dtype="float32")[[0, 1, 1]]
    temperature = fit_temperature(probabilities, np.array([0, 1, 1]))
    assert 1 < temperature <= HIGHEST


def test_probabilities_of_exactly_zero_are_no_trouble():
    probabilities = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], "float32")
    temperature = fit_temperature(probabilities, np.array([0, 1, 2, 1]))  # the last one is wrong
    assert 1 < temperature <= HIGHEST
    assert np.isfinite(with_temperature(probabilities, temperature)).all()
