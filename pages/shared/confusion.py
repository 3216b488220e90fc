"""The confusion matrix as an ECharts option, in words, and as tables. Knows nothing of widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pages.shared.charts import LARGEST_CHART, VALIDATION
from pages.shared.formats import count

COUNTS, OF_TRUTH, OF_ANSWER = "Counts", "Per cent of the true class", "Per cent of the answer"
MEASURES = (COUNTS, OF_TRUTH, OF_ANSWER)
LARGEST_LABELLED = 20  # classes; beyond, numbers in the cells cannot be read
LONGEST_NAME = 90  # pixels, so that the cells keep their room on a phone
TRUTH = "true class"  # first column of the table
_CELL, _LARGE_CELL, _SMALL_CELL, _AROUND = 38, 76, 14, 140  # pixels
Cell = tuple[int, int]  # true class, answer
Color = tuple[int, ...]  # red, green, blue, 0 to 255
# From nothing to the largest value, by whether the page is dark.
SCALES: dict[bool, tuple[Color, Color]] = {
    False: ((240, 245, 255), (26, 79, 191)), True: ((24, 32, 52), (116, 165, 255))}


@dataclass(frozen=True)
class Matrix:
    """What of a confusion matrix is shown, and as what.

    Args:
        class_names: K names.
        confusion: (K, K), row: true class, column: answer.
        measure: One of MEASURES.
        diagonal: Whether right answers are shown too.
        shown: Which classes, ascending. Defaults to all.
    """

    class_names: Sequence[str]
    confusion: NDArray[np.int64]
    measure: str = COUNTS
    diagonal: bool = True
    shown: Sequence[int] = ()

    @cached_property
    def classes(self) -> list[int]:
        """The classes that are shown."""
        return list(self.shown) or list(range(len(self.class_names)))

    @cached_property
    def labelled(self) -> bool:
        """Whether there is room for the numbers."""
        return len(self.classes) <= LARGEST_LABELLED

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """Counts or per cent, (K, K); no numbers on a hidden diagonal."""
        values = self.confusion.astype(np.float64)
        if self.measure != COUNTS:
            sums = self.confusion.sum(axis=1 if self.measure == OF_TRUTH else 0, keepdims=True)
            values = 100 * values / np.maximum(sums, 1)
        if not self.diagonal:
            np.fill_diagonal(values, np.nan)
        return values

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells that are drawn, in order; of many classes only those that are not empty."""
        return [(true, answer) for true in self.classes for answer in self.classes
                if self.labelled or self.confusion[true, answer]]

    def text(self, cell: Cell) -> str:
        """Return what is written in a cell."""
        value = self.values[cell]
        if np.isnan(value):
            return ""
        whole = self.measure == COUNTS or value in (0, 100)
        return f"{value:.0f}" if whole else f"{value:.1f}"


def most_confused(confusion: NDArray[np.int64], most: int = LARGEST_LABELLED) -> list[int]:
    """Return the classes with the most mistakes, as truth or as answer, ascending."""
    wrong = confusion - np.diag(np.diag(confusion))
    worst = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:most]
    return sorted(worst.tolist())


def confusion_option(matrix: Matrix, dark: bool, chosen: Cell | None = None) -> dict[str, Any]:
    """Return a heat map with the true classes as rows and the answers as columns.

    Its first series has `matrix.cells` in their order, so that a click can be told.

    Args:
        matrix: What to show.
        dark: Whether the page is dark. A wrong guess looks less well but reads as well: cells are
            opaque, and each number is black or white, whichever stands out from its cell.
        chosen: The cell that has a ring. Defaults to none.
    """
    names = [matrix.class_names[label] for label in matrix.classes]
    faint, strong = SCALES[dark]
    longest = max(map(len, names))
    gap = 14 + min(LONGEST_NAME, 6 * longest)
    slanted = longest > 3
    axis = {"type": "category", "data": names, "axisTick": {"show": False},
            "axisLine": {"show": False}, "nameLocation": "middle"}
    label = {"interval": 0 if matrix.labelled else "auto", "width": LONGEST_NAME,
             "overflow": "truncate"}
    return {
        "animation": False,
        "grid": {"left": 36, "right": 8, "top": 8, "bottom": 24, "containLabel": True},
        "tooltip": {"formatter": "{b}: {@[2]}" + (" %" if matrix.measure != COUNTS else "")},
        "xAxis": {**axis, "name": "Answer", "nameGap": round(0.7 * gap) + 8 if slanted else 24,
                  "axisLabel": {**label, "rotate": 45 if slanted else 0}},
        "yAxis": {**axis, "name": "True class", "nameGap": gap, "inverse": True,
                  "axisLabel": label},
        "visualMap": {"show": False, "min": 0, "max": _top(matrix), "seriesIndex": 0,
                      "inRange": {"color": [_hex(faint), _hex(strong)]}},
        "series": [_cells(matrix, dark), _ring(matrix, chosen)],
    }


def _top(matrix: Matrix) -> float:
    shown = matrix.values[np.ix_(matrix.classes, matrix.classes)]
    return float(np.nanmax(shown, initial=0)) or 1.0


def _cells(matrix: Matrix, dark: bool) -> dict[str, Any]:
    names, place = matrix.class_names, {label: i for i, label in enumerate(matrix.classes)}
    top, (faint, strong) = _top(matrix), SCALES[dark]
    line = {"borderWidth": 1, "borderColor": "rgba(128, 128, 128, 0.25)"}
    cells = []
    for cell in matrix.cells:
        true, answer = cell
        value = matrix.values[cell]
        hidden = bool(np.isnan(value))
        ink = _ink(_mixed(faint, strong, 0 if hidden else value / top))
        cells.append({
            "name": f"{names[true]} → {names[answer]}",
            "value": [place[answer], place[true], "-" if hidden else round(float(value), 2)],
            "label": {"formatter": matrix.text(cell), "color": ink}})
    return {"type": "heatmap", "data": cells, "label": {"show": matrix.labelled, "fontSize": 11},
            "itemStyle": line, "selectedMode": "single", "select": {"itemStyle": line},
            "emphasis": {"itemStyle": {"borderWidth": 2, "borderColor": VALIDATION}},
            "cursor": "pointer"}


def _ring(matrix: Matrix, chosen: Cell | None) -> dict[str, Any]:
    data = []
    if chosen is not None and set(chosen) <= set(matrix.classes):
        true, answer = map(matrix.classes.index, chosen)
        data.append([answer, true, 0])
    return {"type": "heatmap", "data": data, "silent": True, "z": 3, "itemStyle": {
        "color": "transparent", "borderWidth": 3, "borderColor": VALIDATION}}


def _mixed(faint: Color, strong: Color, share: float) -> Color:
    return tuple(round(a + (b - a) * share) for a, b in zip(faint, strong, strict=True))


def _hex(color: Color) -> str:
    return "#" + "".join(f"{part:02x}" for part in color)


def _ink(color: Color) -> str:
    """Return black or white, whichever has the higher contrast (WCAG 2) to a colour."""
    linear = [(part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4)
              for part in color]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"


def chart_height(classes: int) -> int:
    """Return the height in pixels of the heat map of so many classes."""
    each = _LARGE_CELL if classes <= 4 else _CELL if classes <= LARGEST_LABELLED else _SMALL_CELL
    return min(LARGEST_CHART, _AROUND + each * classes)


def confusion_words(class_names: Sequence[str], confusion: NDArray[np.int64]) -> str:
    """Return in words how many are right and what is mixed up most."""
    right, total = int(np.trace(confusion)), int(confusion.sum())
    words = f"Confusion matrix: {count(right)} of {count(total)} on the diagonal"
    worst = largest_mix_up(confusion)
    if worst is None:
        return f"{words}; nothing is mixed up."
    true, answer = worst
    return (f"{words}; most often {class_names[true]} is taken for {class_names[answer]}: "
            f"{count(int(confusion[worst]))} of {count(int(confusion[true].sum()))}.")


def largest_mix_up(confusion: NDArray[np.int64]) -> Cell | None:
    """Return the largest cell beside the diagonal; None if nothing is mixed up."""
    wrong = confusion - np.diag(np.diag(confusion))
    if not wrong.any():
        return None
    true, answer = divmod(int(wrong.argmax()), len(confusion))
    return true, answer


def column_names(class_names: Sequence[str]) -> list[str]:
    """Return the classes as names that differ: numbered where several have the same."""
    return [name if list(class_names).count(name) == 1 and name != TRUTH else f"{name} ({i})"
            for i, name in enumerate(class_names)]


def confusion_rows(matrix: Matrix) -> list[dict[str, Any]]:
    """Return one row per true class, with a column for each answer; a hidden diagonal is None."""
    columns = column_names(matrix.class_names)
    return [{TRUTH: name} | {
        column: None if np.isnan(value) else int(value) if matrix.measure == COUNTS
        else round(float(value), 2) for column, value in zip(columns, row, strict=True)}
        for name, row in zip(matrix.class_names, matrix.values, strict=True)]


def mix_ups(matrix: Matrix) -> list[Cell]:
    """Return the cells beside the diagonal that are not empty, the largest first."""
    values = np.where(np.eye(len(matrix.confusion), dtype=bool), 0, matrix.values)
    order = np.argsort(-values, axis=None, kind="stable")[:np.count_nonzero(values)]
    return [(int(true), int(answer)) for true, answer in zip(
        *np.unravel_index(order, values.shape), strict=True)]
