"""The confusion matrix as an ECharts option, in words, and as a table. Knows nothing of widgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pages.shared.charts import LARGEST_CHART
from pages.shared.formats import count

LARGEST_LABELLED = 20  # classes; beyond, numbers in the cells cannot be read
LONGEST_NAME = 90  # pixels, so that the cells keep their room on a phone
Color = tuple[int, ...]  # red, green, blue, 0 to 255
# From nothing to the largest value, by whether the page is dark.
SCALES: dict[bool, tuple[Color, Color]] = {
    False: ((240, 245, 255), (26, 79, 191)), True: ((24, 32, 52), (116, 165, 255))}


def cell_values(confusion: NDArray[np.int64], percent: bool) -> NDArray[np.float64]:
    """Return counts, or each row as per cent of its sum; a class without images gives zeros."""
    if not percent:
        return confusion.astype(np.float64)
    return 100 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)


def cell_texts(values: NDArray[np.float64], percent: bool) -> list[list[str]]:
    """Return what is written in the cells."""
    return [[f"{value:.0f}" if not percent or value in (0, 100) else f"{value:.1f}"
             for value in row] for row in values]


def confusion_option(
    class_names: Sequence[str], confusion: NDArray[np.int64], percent: bool, dark: bool
) -> dict[str, Any]:
    """Return a heat map with the true classes as rows and the answers as columns.

    Args:
        class_names: K names.
        confusion: (K, K), row: true class, column: answer.
        percent: Whether to show per cent of each true class instead of counts.
        dark: Whether the page is dark. A wrong guess looks less well but reads as well: cells are
            opaque, and each number is black or white, whichever stands out from its cell.
    """
    names, values = list(class_names), cell_values(confusion, percent)
    labelled = len(names) <= LARGEST_LABELLED
    faint, strong = SCALES[dark]
    top = float(values.max()) or 1.0
    texts = cell_texts(values, percent)
    cells = [
        {"name": f"{names[true]} → {names[answer]}", "value": [answer, true, round(value, 2)],
         "label": {"formatter": texts[true][answer],
                   "color": _ink(_mixed(faint, strong, value / top))}}
        for (true, answer), value in np.ndenumerate(values) if labelled or value]
    longest = max(map(len, names))
    gap = 14 + min(LONGEST_NAME, 6 * longest)
    slanted = longest > 3
    axis = {"type": "category", "data": names, "axisTick": {"show": False},
            "axisLine": {"show": False}, "nameLocation": "middle"}
    label = {"interval": 0 if labelled else "auto", "width": LONGEST_NAME, "overflow": "truncate"}
    return {
        "animation": False,
        "grid": {"left": 36, "right": 8, "top": 8, "bottom": 24, "containLabel": True},
        "tooltip": {"formatter": "{b}: {@[2]}" + (" %" if percent else "")},
        "xAxis": {**axis, "name": "Answer", "nameGap": round(0.7 * gap) + 8 if slanted else 24,
                  "axisLabel": {**label, "rotate": 45 if slanted else 0}},
        "yAxis": {**axis, "name": "True class", "nameGap": gap, "inverse": True,
                  "axisLabel": label},
        "visualMap": {"show": False, "min": 0, "max": top,
                      "inRange": {"color": [_hex(faint), _hex(strong)]}},
        "series": [{"type": "heatmap", "data": cells, "label": {"show": labelled, "fontSize": 11},
                    "itemStyle": {"borderWidth": 1, "borderColor": "rgba(128, 128, 128, 0.25)"}}],
    }


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
    each = 38 if classes <= LARGEST_LABELLED else 14
    return min(LARGEST_CHART, 140 + each * classes)


def confusion_words(class_names: Sequence[str], confusion: NDArray[np.int64]) -> str:
    """Return in words how many are right and what is mixed up most."""
    right, total = int(np.trace(confusion)), int(confusion.sum())
    words = f"Confusion matrix: {count(right)} of {count(total)} on the diagonal"
    wrong = confusion - np.diag(np.diag(confusion))
    if not wrong.any():
        return f"{words}; nothing is mixed up."
    true, answer = divmod(int(wrong.argmax()), len(class_names))
    return (f"{words}; most often {class_names[true]} is taken for {class_names[answer]}: "
            f"{count(int(wrong.max()))} of {count(int(confusion[true].sum()))}.")


def confusion_rows(
    class_names: Sequence[str], confusion: NDArray[np.int64], percent: bool
) -> list[dict[str, Any]]:
    """Return one row per true class, with a column for each answer.

    Columns are numbered where two classes have the same name.
    """
    values = cell_values(confusion, percent)
    columns = [name if list(class_names).count(name) == 1 and name != "true class"
               else f"{name} ({i})" for i, name in enumerate(class_names)]
    return [{"true class": name} | {
        column: round(float(value), 2) if percent else int(value)
        for column, value in zip(columns, row, strict=True)}
        for name, row in zip(class_names, values, strict=True)]
