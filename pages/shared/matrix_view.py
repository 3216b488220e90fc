"""The confusion matrix on the Evaluate page: a click on a cell opens its images.

What the mouse does on the chart the keyboard does in the list and the table beside it.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn.evaluation.results import Evaluation
from cnn.prediction.saved import Card
from pages.shared.choice_list import show_choice_list
from pages.shared.clicks import clicked
from pages.shared.confusion import (
    COUNTS,
    LARGEST_LABELLED,
    MEASURES,
    OF_TRUTH,
    TRUTH,
    Cell,
    Matrix,
    chart_height,
    column_names,
    confusion_option,
    confusion_rows,
    confusion_words,
    largest_mix_up,
    mix_ups,
    most_confused,
)
from pages.shared.evaluate_choice import choose_cell, chosen_cell, table_key
from pages.shared.formats import amount, confidence, count, percent, plain
from pages.shared.image_dialog import show_chosen_image
from pages.shared.image_grid import SURE, show_rows
from pages.shared.results_view import offer_figure, offer_table

WORST, ALL = "Mixed up most", "All classes"
MOST_LISTED = 300  # mix-ups: more than anybody looks through
_LIST_HEAD = 34  # pixels
_FIGURES = {COUNTS: "confusion", OF_TRUTH: "confusion-percent"}


def show_confusion(card: Card, found: Evaluation) -> None:
    """Show which classes are taken for which, and the images of the chosen cell."""
    matrix = _choose_matrix(found)
    words = confusion_words(found.class_names, found.confusion)
    st.caption(f"Rows are the truth, columns the answers. {plain(words)}")
    cell = chosen_cell(len(found.class_names)) or largest_mix_up(found.confusion)
    chart, pairs = st.columns([8, 5], gap="medium")
    with chart:
        _show_chart(card, matrix, cell, words)
    with pairs:
        _show_list(matrix, cell)
    table = st.expander("The matrix as a table", icon=":material/table:", on_change="rerun",
                        key="evaluate_as_table")
    if table.open:  # drawn hidden, it would take the browser as long as the chart
        with table:
            _show_table(card, matrix, cell)
    if cell is not None:
        _show_cell(card, found, cell)


def _choose_matrix(found: Evaluation) -> Matrix:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        measure = st.segmented_control(
            "Show", list(MEASURES), default=COUNTS, required=True, key="measure",
            bind="query-params")
        many = len(found.class_names) > LARGEST_LABELLED
        scope = st.segmented_control(
            "Classes", [WORST, ALL], default=WORST, required=True, key="scope",
            bind="query-params") if many else ALL
        hidden = st.toggle(
            "Hide the diagonal", key="mistakes_only", bind="query-params",
            help="Right answers are many: without them, differences between mistakes show.")
    shown = most_confused(found.confusion) if scope == WORST else ()
    return Matrix(found.class_names, found.confusion, measure, not hidden, shown)


def _show_chart(card: Card, matrix: Matrix, cell: Cell | None, words: str) -> None:
    key = f"evaluate_confusion_{card.name}_{len(matrix.classes)}"
    st.echarts_chart(
        confusion_option(matrix, st.context.theme.type == "dark", cell), key=key,
        height=chart_height(len(matrix.classes)), alt=words,
        on_select=lambda: take_click(key, matrix))


def take_click(key: str, matrix: Matrix) -> None:
    """Choose the cell that was clicked on the chart with this key."""
    point = clicked(key)
    if point is not None and point[0] == 0 and point[1] < len(matrix.cells):
        choose_cell(matrix.cells[point[1]])


def _show_list(matrix: Matrix, cell: Cell | None) -> None:
    """Show what is mixed up, the most first; a row can be chosen."""
    cells = mix_ups(matrix)
    if not cells:
        st.success("Nothing is mixed up.", icon=":material/check_circle:")
        return
    names, shown, most = matrix.class_names, cells[:MOST_LISTED], matrix.values[cells[0]]
    lines = [(names[true], names[answer], _number(matrix, (true, answer)),
              float(matrix.values[true, answer] / most)) for true, answer in shown]
    show_choice_list(
        "evaluate_list", ("Truth", "answer", "images" if matrix.measure == COUNTS else "share"),
        lines, shown.index(cell) if cell in shown else None,
        min(chart_height(len(matrix.classes)), 560) - _LIST_HEAD,
        "What is mixed up, the most first; choose a line to see its images",
        lambda place: choose_cell(shown[place]))
    if len(cells) > len(shown):
        st.caption(f"And {count(len(cells) - len(shown))} smaller ones: the table below has all.")


def _number(matrix: Matrix, cell: Cell) -> str:
    return count(int(matrix.values[cell])) if matrix.measure == COUNTS else (
        f"{matrix.text(cell)} %")


def _show_table(card: Card, matrix: Matrix, cell: Cell | None) -> None:
    """Show the whole matrix; a cell can be chosen, with arrow keys too."""
    key, columns = table_key(), column_names(matrix.class_names)
    rows = confusion_rows(matrix)
    place = [] if cell is None else [(cell[0], columns[cell[1]])]
    st.dataframe(
        rows, hide_index=True, key=key, selection_mode="single-cell",
        selection_default={"selection": {"cells": place}}, placeholder="",
        on_select=lambda: take_table_cell(key, columns),
        alt="Confusion matrix, one row per true class; choose a cell to see its images",
        column_config={TRUTH: st.column_config.TextColumn(pinned=True)})
    with st.container(horizontal=True):
        if matrix.measure in _FIGURES:
            offer_figure(card, _FIGURES[matrix.measure])
        offer_table(card, "confusion", rows)


def take_table_cell(key: str, columns: list[str]) -> None:
    """Choose the cell that was selected in the table with this key."""
    cells = st.session_state[key]["selection"]["cells"]
    if cells and cells[0][1] in columns and cells[0][0] < len(columns):
        choose_cell((int(cells[0][0]), columns.index(cells[0][1])), in_table=True)


def _show_cell(card: Card, found: Evaluation, cell: Cell) -> None:
    """Show the images of a cell, the most confident answers first."""
    true, answer = cell
    truth, said = plain(found.class_names[true]), plain(found.class_names[answer])
    back = int(found.confusion[answer, true])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"{truth}, rightly answered" if true == answer else
                     f"{truth} taken for {said}", anchor=False, width="stretch")
        if true != answer and back:
            st.button(f"{said} taken for {truth}: {count(back)}", icon=":material/swap_horiz:",
                      key="evaluate_reverse", on_click=choose_cell, args=((answer, true),))
    rows = rows_of(found, cell)
    if not len(rows):
        st.caption("No test image. Choose another cell.")
        return
    own, given = found.confusion[true].sum(), found.confusion[:, answer].sum()
    st.caption(f"{amount(len(rows), 'test image')}: {percent(len(rows) / max(own, 1))} of the "
               f"images of {truth}, {percent(len(rows) / max(given, 1))} of the answers {said}. "
               "How sure each answer was stands below it; a click on an image opens it and shows "
               "why.")
    show_rows(card, found, rows, f"cell-{true}-{answer}",
              lambda facts: [confidence(facts[SURE])])
    show_chosen_image(card, found, rows)


def rows_of(found: Evaluation, cell: Cell) -> NDArray[np.int64]:
    """Return the test images of a cell, the most confident answers first."""
    rows = np.flatnonzero((found.labels == cell[0]) & (found.predicted == cell[1]))
    return rows[np.argsort(-found.confidence[rows], kind="stable")]
