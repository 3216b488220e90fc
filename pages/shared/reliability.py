"""How sure a model is against how often it is right: a chart, in words, and as a table.

Knows nothing of widgets.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from cnn.evaluation.calibration import BINS, Reliability
from cnn.evaluation.results import wilson_interval
from pages.shared.charts import NEUTRAL, TRAINING, VALIDATION
from pages.shared.formats import amount, percent

FEW = 10  # images in a bin; what fewer say is mostly chance
EXAMPLE = 0.9  # the confidence that the words speak of, if enough answers have it
RIGHT, SURE, IMAGES = "right answers", "confidence", "images"
DIAGRAM_HEIGHT = 380  # pixels
_TOP, _LOW = 0, 1  # the two grids of the chart


def bin_names() -> list[str]:
    """Return the range of confidence of each bin: "0–7 %", "7–13 %" and so on."""
    edges = [round(100 * edge / BINS) for edge in range(BINS + 1)]
    return [f"{low}–{high} %" for low, high in pairwise(edges)]


def reliability_option(found: Reliability) -> dict[str, Any]:
    """Return bars of right answers with marks of the confidence, above bars of how many images."""
    bars = [{"value": value, "itemStyle": {"opacity": 1 if count >= FEW else 0.35}}
            for value, count in zip(_percents(found.accuracy), found.counts, strict=True)]
    axis = {"type": "category", "data": bin_names(), "axisTick": {"show": False}}
    share = {"valueFormatter": "%.1f %%"}
    return {
        "animation": False,
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [{"left": 8, "right": 12, "top": 36, "height": 210, "containLabel": True},
                 {"left": 8, "right": 12, "top": 266, "bottom": 24, "containLabel": True}],
        "legend": {"top": 0, "left": 0, "data": [RIGHT, SURE, IMAGES]},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": [{**axis, "gridIndex": _TOP, "axisLabel": {"show": False}},
                  {**axis, "gridIndex": _LOW, "name": "confidence of the answer",
                   "nameLocation": "middle", "nameGap": 28}],
        "yAxis": [{"type": "value", "gridIndex": _TOP, "min": 0, "max": 100,
                   "axisLabel": {"formatter": "{value} %"}},
                  {"type": "value", "gridIndex": _LOW, "minInterval": 1, "splitNumber": 2}],
        "series": [
            {"name": RIGHT, "type": "bar", "data": bars, "barCategoryGap": "12%",
             "itemStyle": {"color": TRAINING}, "tooltip": share},
            {"name": SURE, "type": "line", "data": _percents(found.confidence), "symbol": "rect",
             "symbolSize": [14, 5], "lineStyle": {"width": 2, "type": "dashed"},
             "itemStyle": {"color": VALIDATION}, "tooltip": share},
            {"name": IMAGES, "type": "bar", "data": [int(count) for count in found.counts],
             "xAxisIndex": _LOW, "yAxisIndex": _LOW, "barCategoryGap": "12%",
             "itemStyle": {"color": NEUTRAL}, "tooltip": {"valueFormatter": "localized"}},
        ],
    }


def _percents(shares: Any) -> list[float | None]:
    return [None if np.isnan(share) else round(100 * float(share), 2) for share in shares]


def reliability_words(found: Reliability) -> str:
    """Return what the diagram means: one confidence as an example, and the whole."""
    place = _example(found)
    sure, right = found.confidence[place], found.accuracy[place]
    return (f"When it is {percent(sure)} sure, it is right {percent(right)} of the time (seen on "
            f"{amount(int(found.counts[place]), 'test image')}). On the whole it is "
            f"{_verdict(found)}: its mean confidence is {percent(found.sure.sum() / found.total)}, "
            f"and {percent(found.right.sum() / found.total)} of its answers are right.")


def _example(found: Reliability) -> int:
    """Return the bin around 90 %, or where too few answers fall into it the fullest one."""
    place = int(EXAMPLE * BINS)
    return place if found.counts[place] >= FEW else int(found.counts.argmax())


def _verdict(found: Reliability) -> str:
    low, high = wilson_interval(int(found.right.sum()), found.total)
    sure = found.sure.sum() / found.total
    return "too sure of itself" if sure > high else "not sure enough of itself" if sure < low \
        else "as sure as it should be"


def reliability_rows(found: Reliability) -> list[dict[str, Any]]:
    """Return one row for each bin of confidence that has images, the lowest first; shares 0..1."""
    return [{SURE: name, IMAGES: int(count), "mean confidence": round(float(sure), 4),
             RIGHT: round(float(right), 4)}
            for name, count, sure, right in zip(
                bin_names(), found.counts, found.confidence, found.accuracy, strict=True) if count]
