"""Shares with their 95 % intervals, one line each, as an ECharts option. Knows no widgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cnn.evaluation.class_scores import Score
from pages.shared.charts import NEUTRAL, TRAINING
from pages.shared.formats import percent

MOST_LINES = 30  # of a chart; more cannot be told apart


def intervals_option(
    names: Sequence[str], scores: Sequence[Score], what: str, whole: float | None = None
) -> dict[str, Any]:
    """Return points with a line from the lower to the upper end of their interval.

    Args:
        names: What each is of, from top to bottom; at least one.
        scores: Of each, shares from 0 to 1.
        what: The scores are, for the tooltip.
        whole: Where a line across all marks the share of the whole, 0 to 1. Defaults to nowhere.
    """
    ends = [point for place, score in enumerate(scores) for point in (
        [_share(score.low), place], [_share(score.high), place], [None, place])]
    mark = [] if whole is None else [{"xAxis": _share(whole), "label": {"formatter": "all"}}]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 24, "top": 24, "bottom": 8, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "value", "min": math.floor(100 * min(score.low for score in scores)),
                  "max": math.ceil(100 * max(score.high for score in scores)),
                  "axisLabel": {"formatter": "{value} %", "hideOverlap": True}},
        "yAxis": {"type": "category", "data": list(names), "inverse": True,
                  "axisTick": {"show": False}, "axisLabel": {
                      "interval": 0, "width": 150, "overflow": "truncate"}},
        "series": [
            {"name": "95 % interval", "type": "line", "data": ends, "symbol": "rect",
             "symbolSize": [2, 10], "connectNulls": False, "silent": True,
             "itemStyle": {"color": TRAINING}, "lineStyle": {"width": 2, "opacity": 0.55},
             "markLine": {"silent": True, "symbol": "none", "data": mark,
                          "label": {"color": NEUTRAL, "position": "start"},
                          "lineStyle": {"color": NEUTRAL, "type": "dashed", "width": 1}}},
            {"name": what, "type": "scatter", "symbolSize": 11, "itemStyle": {"color": TRAINING},
             "tooltip": {"formatter": "{b}"},
             "data": [{"name": f"{name}: {percent(score.value)}, {interval_text(score)}",
                       "value": [_share(score.value), place]}
                      for place, (name, score) in enumerate(zip(names, scores, strict=True))]}]}


def _share(value: float) -> float:
    return round(100 * value, 2)


def interval_text(score: Score) -> str:
    """Return the interval in words: "91.2 % to 95.0 %"."""
    return f"{percent(score.low)} to {percent(score.high)}"
