"""Saved figures: each can be drawn for any class names, and shows what it should."""

from __future__ import annotations

import io

import numpy as np
import pytest
from model_folders import make_evaluation, make_history
from PIL import Image

from cnn.errors import BadInput, NotFound
from cnn.evaluation import figures
from cnn.evaluation.figures import FIGURES, draw
from cnn.evaluation.results import Evaluation


def size_of(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as picture:
        picture.load()
        assert picture.format == "PNG"
        return picture.size


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_a_png_that_can_be_printed(figure: str) -> None:
    width, height = size_of(draw(figure, "first", make_evaluation(), make_history()))
    assert width >= 600 and height >= 500


def test_an_unknown_figure_is_answered_with_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"confusion-percent.*Received: 'pie'"):
        draw("pie", "first", make_evaluation(), make_history())


def cell_texts(percent: bool) -> list[str]:
    figure = figures._confusion("first", make_evaluation(), percent)
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_confusion_matrix_shows_counts_or_per_cent_of_the_true_class() -> None:
    counts = make_evaluation().confusion
    assert cell_texts(percent=False) == [str(n) for n in counts.ravel()]
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    assert cell_texts(percent=True) == [f"{share:.1f}" for share in shares.ravel()]


def test_rows_are_the_truth_and_columns_the_answer() -> None:
    axes = figures._confusion("first", make_evaluation(), percent=False).axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("True class", "Answer")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ant", "bee", "cat"]
    assert "75.00%" in axes.get_title() and "12 test images" in axes.get_title()


def test_history_draws_both_curves_and_marks_the_last_best_epoch() -> None:
    figure = figures._history("first", make_history(epochs=4, best=3))
    for axes, key in zip(figure.axes, ("loss", "accuracy"), strict=True):
        training, validation, best = axes.get_lines()
        assert list(training.get_ydata()) == [row[key] for row in make_history(4)]
        assert list(validation.get_ydata()) == [row[f"val_{key}"] for row in make_history(4)]
        assert validation.get_linestyle() == "--" and training.get_linestyle() == "-"
        assert set(best.get_xdata()) == {3}


def test_history_needs_neither_test_results_nor_any_epoch() -> None:
    size_of(draw("history", "first", None, []))


@pytest.mark.parametrize("names", [("$a$", r"$\nope$", "50 $"), ("_", "a_b^c", "{}")])
def test_class_names_are_shown_letter_by_letter(names: tuple[str, str, str]) -> None:
    size_of(draw("confusion", "first", make_evaluation(names), []))


def test_many_classes_stay_within_a_sane_size() -> None:
    names = tuple(f"class {i}" for i in range(100))
    probabilities = np.full((100, 100), 1 / 100, np.float32)
    evaluation = Evaluation(names, 0.0, 5.0, (), np.eye(100, dtype=np.int64), np.arange(100),
                            probabilities)
    assert max(size_of(draw("confusion", "first", evaluation, []))) < 5000


def test_a_matrix_without_test_results_says_so() -> None:
    with pytest.raises(NotFound, match="no stored test results"):
        draw("confusion", "first", None, make_history())
