"""Curves and confusion matrices as SVG inside a page: colours come from the page's style sheet.

Lines differ in dashes and symbols as well as in colour. Knows nothing of trainings: names and
numbers come in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.reports.markup import text

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 42
MOST_POINTS = 300  # of a line; more are not seen
MOST_SYMBOLS = 30
LARGEST_LABELLED = 20  # classes; beyond, numbers in the cells cannot be read
LONGEST_NAME = 18  # letters
# From these strengths of a cell's colour on, its number reads better in the other ink (contrast as
# in WCAG 2), on white paper and on black.
SWITCH_LIGHT, SWITCH_DARK = 0.798, 0.662


@dataclass(frozen=True)
class Line:
    """One curve."""

    name: str
    points: Sequence[tuple[float, float]]  # by x


def line_chart(
    lines: Sequence[Line], words: str, axis: str, form: Callable[[float], str]
) -> str:
    """Return curves with axes and a legend; nothing where no line has a point.

    Args:
        lines: At most six; points that are not finite are left out.
        words: What the chart shows, for those who do not see it.
        axis: What x counts.
        form: How a value of y is written at its axis.
    """
    kept = [Line(line.name, _thinned(line.points)) for line in lines]
    points = [point for line in kept for point in line.points]
    if not points:
        return ""
    xs, ys = _ticks([x for x, _ in points], whole=True), _ticks([y for _, y in points])
    plot = _Plot(min(x for x, _ in points), max(x for x, _ in points), ys[0], ys[-1])
    parts = [_grid(plot, [x for x in xs if plot.left <= x <= plot.right], ys, axis, form)]
    parts += [_curve(plot, line, number) for number, line in enumerate(kept)]
    legend = "".join(f'<li><svg viewBox="0 0 30 10" aria-hidden="true">{_sample(number)}</svg>'
                     f"{text(line.name)}</li>" for number, line in enumerate(kept))
    return (f'<ul class="legend">{legend}</ul>\n<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{text(words)}">\n' + "\n".join(parts) + "\n</svg>")


@dataclass(frozen=True)
class _Plot:
    left: float
    right: float
    low: float
    high: float

    def x(self, value: float) -> float:
        share = (value - self.left) / ((self.right - self.left) or 1)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    finite = [point for point in points if all(map(math.isfinite, point))]
    step = -(-len(finite) // MOST_POINTS) or 1
    return [*finite[:-1:step], *finite[-1:]]


def _ticks(values: Sequence[float], whole: bool = False) -> list[float]:
    """Return four to eight round numbers around all values."""
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    size = 10.0 ** math.floor(math.log10(spread / 5))
    step = next(size * factor for factor in (1, 2, 5, 10) if spread / (size * factor) <= 6)
    if whole:
        step = max(1.0, round(step))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def _grid(
    plot: _Plot, xs: Sequence[float], ys: Sequence[float], axis: str, form: Callable[[float], str]
) -> str:
    rows = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{plot.y(y)}" y2="{plot.y(y)}"/>'
        f'<text x="{LEFT - 6}" y="{plot.y(y) + 4}" class="end">{text(form(y))}</text>' for y in ys)
    columns = "".join(f'<text x="{plot.x(x)}" y="{HEIGHT - BOTTOM + 18}" class="middle">{x:g}'
                      "</text>" for x in xs)
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (f'{rows}{columns}<text x="{middle}" y="{HEIGHT - 6}" class="middle">{text(axis)}'
            "</text>")


def _curve(plot: _Plot, line: Line, number: int) -> str:
    places = [(plot.x(x), plot.y(y)) for x, y in line.points]
    path = " ".join(f"{x},{y}" for x, y in places)
    symbols = "".join(_symbol(x, y, number) for x, y in places) \
        if len(places) <= MOST_SYMBOLS else ""
    return f'<g class="line c{number}"><polyline points="{path}"/>{symbols}</g>'


def _sample(number: int) -> str:
    return f'<g class="line c{number}"><polyline points="1,5 29,5"/>{_symbol(15, 5, number)}</g>'


def _symbol(x: float, y: float, number: int) -> str:
    if number % 2:
        return f'<rect x="{x - 2.5:.1f}" y="{y - 2.5:.1f}" width="5" height="5"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'


def matrix(class_names: Sequence[str], confusion: NDArray[np.int64], words: str) -> str:
    """Return a confusion matrix: rows are the truth, columns the answers, counts in the cells.

    Args:
        class_names: K names.
        confusion: (K, K), row: true class, column: answer. Cells are coloured by the root of their
            share of the row, so that few mistakes among many images are seen.
        words: What the matrix shows, for those who do not see it.
    """
    labelled = len(class_names) <= LARGEST_LABELLED
    side = 38 if labelled else max(4, 640 // len(class_names))
    margin = 40 + 7 * min(LONGEST_NAME, max(map(len, class_names))) if labelled else 20
    size = margin + side * len(class_names) + 2
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    cells = "".join(
        _cell(margin + column * side, margin + row * side, side, int(count), shares[row, column],
              labelled, f"{class_names[row]} → {class_names[column]}: {count}")
        for (row, column), count in np.ndenumerate(confusion) if count or labelled)
    names = "".join(_names(name, number, margin, side) for number, name in enumerate(class_names)) \
        if labelled else ""
    return (f'<svg class="matrix" viewBox="0 0 {size} {size}" role="img" '
            f'style="max-width:{size}px" aria-label="{text(words)}">\n{names}'
            f'<text x="{margin}" y="12">answer →</text>'
            f'<text transform="translate(12 {margin}) rotate(90)">truth →</text>\n'
            f"{cells}\n</svg>")


def _names(name: str, number: int, margin: int, side: int) -> str:
    short = text(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME - 1]}…")
    place = margin + number * side + side / 2
    return (f'<text x="{margin - 6}" y="{place + 4}" class="end">{short}</text>'
            f'<text transform="translate({place + 4} {margin - 6}) rotate(-90)">{short}</text>')


def _cell(
    x: int, y: int, side: int, count: int, share: float, labelled: bool, words: str
) -> str:
    strength = math.sqrt(share)
    inks = "".join(name for name, switch in ((" s", SWITCH_LIGHT), (" d", SWITCH_DARK))
                   if strength > switch)
    number = f'<text x="{x + side / 2}" y="{y + side / 2 + 4}" class="middle{inks}">{count}' \
             "</text>" if labelled else ""
    return (f'<g><title>{text(words)}</title><rect class="cell" x="{x}" y="{y}" width="{side}" '
            f'height="{side}" fill-opacity="{strength:.3f}"/>{number}</g>')
