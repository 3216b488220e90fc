"""Charts of the Data page as ECharts options, and in words: levels of pixels, maps of images.

Colours are read on white and on black, and never tell anything alone: lines differ by their dashes,
classes by the shape of their points. Knows nothing of widgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pages.shared.charts import NEUTRAL, TRAINING
from pages.shared.formats import percent

# Name, colour and dashes of each channel, by how many there are.
CHANNELS: dict[int, tuple[tuple[str, str, str], ...]] = {
    1: (("Grey", NEUTRAL, "solid"),),
    3: (("Red", "#e03131", "solid"), ("Green", "#2f9e44", "dashed"), ("Blue", TRAINING, "dotted"))}
BINS = 32
# Each with a contrast of 3 or more to the page, light or dark.
CLASS_COLORS = (TRAINING, "#e8590c", "#2f9e44", "#b04fd8", "#e03131", "#1092a6", "#e0478c",
                "#8f7a0b", NEUTRAL, "#a8672c")
CLASS_SYMBOLS = ("circle", "rect", "triangle", "diamond",
                 "path://M0,0L10,0L5,9Z",  # a triangle on its head, and a plus
                 "path://M3,0H7V3H10V7H7V10H3V7H0V3H3Z")
CHART_HEIGHT, MAP_HEIGHT = 300, 560  # pixels
Point = tuple[int, int]  # which series of a chart, and which of its points


def histogram_option(shares: NDArray[np.float64]) -> dict[str, Any]:
    """Return how the pixels of some images are spread over the levels 0 to 255, a line a channel.

    Args:
        shares: (channels, BINS), adding up to 1 in each channel.
    """
    width = 256 // BINS
    names = [f"{low}–{low + width - 1}" for low in range(0, 256, width)]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 20, "top": 36, "bottom": 24, "containLabel": True},
        "legend": {"top": 0, "left": 0, "show": len(shares) > 1},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.1f %%"},
        "xAxis": {"type": "category", "data": names, "boundaryGap": False, "name": "level",
                  "nameLocation": "middle", "nameGap": 28, "axisTick": {"show": False}},
        "yAxis": {"type": "value", "min": 0, "splitNumber": 4,
                  "axisLabel": {"formatter": "{value} %"}},
        "series": [{"name": name, "type": "line", "data": [round(100 * float(s), 3) for s in line],
                    "symbol": "none", "itemStyle": {"color": color},
                    "lineStyle": {"width": 2, "type": dashes}, "areaStyle": {"opacity": 0.08}}
                   for (name, color, dashes), line in zip(
                       CHANNELS[len(shares)], shares, strict=True)],
    }


def histogram_words(
    what: str, mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> str:
    """Return the middle and the spread of the levels of some images, channel by channel."""
    parts = [f"{name.lower()} {centre:.0f} ± {spread:.0f}" for (name, _, _), centre, spread in zip(
        CHANNELS[len(mean)], mean, deviation, strict=True)]
    return f"Levels of {what}, mean and standard deviation: {', '.join(parts)}."


def class_symbol(label: int) -> str:
    """Return the shape of the points of a class: with its colour, 60 classes can be told apart."""
    return CLASS_SYMBOLS[(label + label // len(CLASS_COLORS)) % len(CLASS_SYMBOLS)]


def map_option(
    class_names: Sequence[str], labels: NDArray[np.int64], points: NDArray[np.float64],
    rows: NDArray[np.int64], explained: Sequence[float], chosen: int | None, dark: bool,
) -> dict[str, Any]:
    """Return a map of images, a series for each class and a ring around the chosen point.

    Args:
        class_names: K names; there are K series, so that a series' place is its class.
        labels: (n,), the class of each point.
        points: (n, 2).
        rows: (n,), which training image each point is.
        explained: Share of the variance along each axis; none where axes mean nothing.
        chosen: Which point has the ring, as a place among the n.
        dark: Whether the page is dark: a ring in the colour of its text is seen on any points.
    """
    ring = [] if chosen is None else [points[chosen].tolist()]
    return {
        "animation": False,
        "grid": {"left": 28 if explained else 8, "right": 12, "top": 44,
                 "bottom": 28 if explained else 8,
                 "containLabel": bool(explained)},
        "legend": {"type": "scroll", "top": 0, "left": 0, "right": 8, "data": list(class_names),
                   "itemWidth": 12, "itemHeight": 12,
                   "selectorLabel": {"color": NEUTRAL, "borderColor": NEUTRAL, "padding": [4, 8]},
                   "selector": [{"type": "all", "title": "All"},
                                {"type": "inverse", "title": "Invert"}]},
        "tooltip": {"formatter": "{a}: image {@[2]}"},
        "xAxis": _map_axis(0, explained), "yAxis": _map_axis(1, explained),
        "series": [*(_class_points(label, name, points[labels == label], rows[labels == label])
                     for label, name in enumerate(class_names)),
                   {"type": "scatter", "name": "chosen", "data": ring, "symbol": "circle",
                    "symbolSize": 22, "silent": True, "z": 5, "itemStyle": {
                        "color": "transparent", "borderColor": "#fff" if dark else "#000",
                        "borderWidth": 3}}],
    }


def _class_points(
    label: int, name: str, points: NDArray[np.float64], rows: NDArray[np.int64]
) -> dict[str, Any]:
    style = {"color": CLASS_COLORS[label % len(CLASS_COLORS)], "opacity": 0.75}
    return {"type": "scatter", "name": name, "symbol": class_symbol(label), "symbolSize": 8,
            "itemStyle": style, "selectedMode": "single",
            "select": {"itemStyle": {**style, "borderWidth": 0}},  # the ring tells which it is
            "emphasis": {"itemStyle": {"opacity": 1}, "scale": 1.6},
            "data": [[x, y, row] for (x, y), row in zip(
                points.tolist(), rows.tolist(), strict=True)]}


def _map_axis(number: int, explained: Sequence[float]) -> dict[str, Any]:
    axis = {"type": "value", "scale": True, "splitLine": {"show": False}}
    if not explained:  # lengths mean nothing: no numbers that seem to say something
        return {**axis, "axisLabel": {"show": False}, "axisLine": {"show": False},
                "axisTick": {"show": False}}
    return {**axis, "name": f"component {number + 1}: {percent(explained[number])} of the variance",
            "nameLocation": "middle", "nameGap": 30 if number == 0 else 36}


def clicked_point(before: set[Point], now: set[Point]) -> Point | None:
    """Return which point was clicked, from what was selected before and is now.

    Each class keeps a selected point of its own, and a click on it takes it off again: the point
    that makes the difference is the one.

    Args:
        before: What was selected, at most one point of each series.
        now: The same after the click.
    """
    for difference in (now - before, before - now):
        if len(difference) == 1:
            return next(iter(difference))
    return None
