"""Precision-recall and ROC curves of some classes as ECharts options, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnn.evaluation.curves import Ranking, Shares
from pages.shared.charts import NEUTRAL
from pages.shared.compare_charts import STYLES

CHART_HEIGHT = 360  # pixels
MOST = len(STYLES)  # classes on one chart


def precision_option(chosen: Mapping[str, Ranking]) -> dict[str, Any]:
    """Return precision by recall, a curve for each of at most MOST classes."""
    curves = {name: (one.recall, one.precision) for name, one in chosen.items()}
    return _option(curves, "recall: found of its images", "precision: right of those found", [])


def roc_option(chosen: Mapping[str, Ranking]) -> dict[str, Any]:
    """Return what is found by what is falsely found, a curve for each of at most MOST classes."""
    curves = {name: (one.false_alarms, one.found) for name, one in chosen.items()}
    guess = {"type": "line", "name": "a guess", "data": [[0, 0], [100, 100]], "symbol": "none",
             "silent": True, "itemStyle": {"color": NEUTRAL},
             "lineStyle": {"width": 1, "type": "dotted", "color": NEUTRAL}}
    return _option(curves, "false alarms: of all other images", "found of its images", [guess])


def _option(
    curves: Mapping[str, tuple[Shares, Shares]], x: str, y: str, more: list[dict[str, Any]]
) -> dict[str, Any]:
    axis = {"type": "value", "min": 0, "max": 100, "nameLocation": "middle",
            "axisLabel": {"formatter": "{value} %"}}
    return {
        "animation": False,
        "grid": {"left": 28, "right": 20, "top": 44, "bottom": 28, "containLabel": True},
        "legend": {"top": 0, "left": 0, "type": "scroll", "data": list(curves)},
        "tooltip": {"trigger": "item"},
        "xAxis": {**axis, "name": x, "nameGap": 30}, "yAxis": {**axis, "name": y, "nameGap": 44},
        "series": [
            *({"name": name, "type": "line", "symbol": symbol, "symbolSize": 5,
               "showSymbol": False, "itemStyle": {"color": color},
               "lineStyle": {"width": 2, "type": dashes},
               "data": [[round(100 * a, 2), round(100 * b, 2)]
                        for a, b in zip(across.tolist(), up.tolist(), strict=True)]}
              for (name, (across, up)), (color, dashes, symbol) in zip(
                  curves.items(), STYLES, strict=False)), *more]}
