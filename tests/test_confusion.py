"""The confusion matrix as a chart, in words and as tables."""

import numpy as np
import pytest

from pages.shared.confusion import (
    COUNTS,
    MEASURES,
    OF_ANSWER,
    OF_TRUTH,
    Matrix,
    chart_height,
    confusion_option,
    confusion_rows,
    confusion_words,
    largest_mix_up,
    mix_ups,
    most_confused,
)

SMALL = np.array([[5, 1], [0, 9]])


def places(option):
    return {cell["name"]: cell["value"] for cell in option["series"][0]["data"]}


def test_cells_hold_the_answer_as_column_and_the_truth_as_row():
    option = confusion_option(Matrix(["a", "b"], SMALL), dark=False)
    assert places(option) == {"a → a": [0, 0, 5], "a → b": [1, 0, 1], "b → a": [0, 1, 0],
                              "b → b": [1, 1, 9]}
    assert option["yAxis"]["inverse"] and option["yAxis"]["name"] == "True class"
    assert option["xAxis"]["name"] == "Answer"


@pytest.mark.parametrize("measure, sums", [(OF_TRUTH, 1), (OF_ANSWER, 0)])
def test_per_cent_of_either_class_adds_up_to_a_hundred(measure, sums):
    matrix = Matrix(["a", "b", "c"], np.array([[5, 1, 2], [0, 9, 3], [4, 4, 1]]), measure)
    assert matrix.values.sum(axis=sums).tolist() == pytest.approx([100] * 3)


def test_a_class_that_was_never_asked_or_never_the_answer_gives_zeros():
    for measure in (OF_TRUTH, OF_ANSWER):
        matrix = Matrix(["a", "b"], np.array([[1, 0], [0, 0]]), measure)
        assert matrix.values.tolist() == [[100, 0], [0, 0]]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_hidden_diagonal_leaves_the_colours_to_the_mistakes(measure):
    matrix = Matrix(["a", "b"], np.array([[500, 1], [2, 900]]), measure, diagonal=False)
    option = confusion_option(matrix, dark=False)
    assert places(option)["a → a"] == [0, 0, "-"] and matrix.text((0, 0)) == ""
    assert option["visualMap"]["max"] == pytest.approx(np.nanmax(matrix.values))
    assert [row["a"] for row in confusion_rows(matrix)] == [None, pytest.approx(
        matrix.values[1, 0], abs=0.01)]


def test_with_nothing_mixed_up_a_hidden_diagonal_is_drawn_all_the_same():
    option = confusion_option(Matrix(["a", "b"], np.diag([3, 4]), COUNTS, diagonal=False), True)
    assert option["visualMap"]["max"] == 1


@pytest.mark.parametrize("dark", [False, True])
def test_every_number_stands_out_from_its_cell(dark):
    from PIL import ImageColor

    values = np.arange(100).reshape(10, 10)
    option = confusion_option(Matrix([str(i) for i in range(10)], values), dark)
    low, high = (np.array(ImageColor.getrgb(c)) for c in option["visualMap"]["inRange"]["color"])

    def luminance(color):
        part = np.asarray(color) / 255
        return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) @ [
            0.2126, 0.7152, 0.0722]

    for cell in option["series"][0]["data"]:
        cell_color = low + (high - low) * cell["value"][2] / 99
        pair = sorted([luminance(cell_color), luminance(ImageColor.getrgb(cell["label"]["color"]))])
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5


def test_many_classes_are_drawn_without_numbers_and_without_empty_cells():
    names = [f"class {i}" for i in range(120)]
    matrix = Matrix(names, np.eye(120, dtype=np.int64))
    option = confusion_option(matrix, dark=False)
    assert len(option["series"][0]["data"]) == len(matrix.cells) == 120
    assert not option["series"][0]["label"]["show"]


def test_some_of_many_classes_are_shown_with_per_cent_of_all():
    confusion = np.diag([90] * 30)
    confusion[7, 25], confusion[25, 3], confusion[0, 1] = 10, 30, 1
    chosen = most_confused(confusion, 3)
    assert chosen == [3, 7, 25]
    matrix = Matrix([str(i) for i in range(30)], confusion, OF_TRUTH, shown=chosen)
    option = confusion_option(matrix, dark=False, chosen=(25, 3))
    assert option["xAxis"]["data"] == ["3", "7", "25"]
    assert places(option)["25 → 3"] == [0, 2, 25]
    assert option["series"][1]["data"] == [[0, 2, 0]]
    assert matrix.cells[6] == (25, 3)  # where a click on the cell leads
    assert confusion_option(matrix, False, chosen=(0, 1))["series"][1]["data"] == []


def test_the_words_name_the_largest_confusion():
    confusion = np.array([[50, 1, 0], [9, 40, 2], [0, 0, 60]])
    assert confusion_words(["ant", "bee", "cat"], confusion) == (
        "Confusion matrix: 150 of 162 on the diagonal; most often bee is taken for ant: 9 of 51.")
    assert "nothing is mixed up" in confusion_words(["a", "b"], np.eye(2, dtype=np.int64))
    assert largest_mix_up(np.eye(2, dtype=np.int64)) is None


def test_mix_ups_are_ordered_by_what_the_matrix_shows():
    confusion = np.array([[90, 6, 0], [0, 5, 5], [0, 0, 60]])
    assert mix_ups(Matrix("abc", confusion)) == [(0, 1), (1, 2)]
    by_share = Matrix("abc", confusion, OF_TRUTH)
    assert mix_ups(by_share) == [(1, 2), (0, 1)]


def test_classes_may_share_names_and_be_called_like_a_column():
    rows = confusion_rows(Matrix(["a", "a", "true class"],
                                 np.array([[1, 1, 0], [0, 0, 0], [0, 0, 2]]), OF_TRUTH))
    assert rows[1] == {"true class": "a", "a (0)": 0, "a (1)": 0, "true class (2)": 0}
    assert rows[0]["a (0)"] == 50


def test_the_chart_grows_with_its_classes_up_to_a_screen():
    assert chart_height(2) > 250 and chart_height(20) < chart_height(200) <= 1200
