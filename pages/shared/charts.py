"""ECharts options for the pages: plain dictionaries, and the words that say the same.

Both themes of the dashboard draw on them, so colours are chosen to be read on white and on black;
blue and orange are told apart with any colour vision, and dashes tell them apart without colour.
Knows nothing of runs, models or widgets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.shared.formats import decimal, percent

TRAINING, VALIDATION = "#2f6fed", "#e8590c"
NEUTRAL = "#8a8f98"
LARGEST_CHART = 1200  # pixels
MOST_SYMBOLS = 25  # on a line; more would run into each other
BY_BATCH = "training, by batch"
Epochs = Sequence[Mapping[str, Any]]


def history_option(
    epochs: Epochs, key: str, batches: Sequence[tuple[float, float]] = (), end: int = 0
) -> dict[str, Any]:
    """Return the curves of loss or accuracy by epoch, training and validation.

    Args:
        epochs: Records as `cnn.training.events.EpochEvent` has them.
        key: "loss" or "accuracy".
        batches: Points (epoch as a decimal, value) inside epochs. Defaults to none.
        end: Where the axis of epochs ends. Defaults to the last epoch.
    """
    last = max(end, int(epochs[-1]["epoch"]) if epochs else 1)
    start = 0 if batches else 1
    return {
        "animation": False,
        "grid": {"left": 8, "right": 20, "top": 36, "bottom": 24, "containLabel": True},
        "legend": {"top": 0, "left": 0, "data": [
            {"name": BY_BATCH, "itemStyle": {"opacity": 0}}, "training", "validation"]},
        "tooltip": {"trigger": "axis", "valueFormatter": _tooltip_format(key)},
        "xAxis": {"type": "value", "min": start, "max": max(last, start + 1), "minInterval": 1,
                  "name": "epoch", "nameLocation": "middle", "nameGap": 28,
                  "splitLine": {"show": False}},
        "yAxis": {"type": "value", "scale": True, "axisLabel": {"formatter": _axis_format(key)}},
        "series": [*_batch_series(batches, key),
                   _series("training", key, epochs, TRAINING, "circle", "solid"),
                   {**_series("validation", f"val_{key}", epochs, VALIDATION, "rect", "dashed"),
                    "markLine": _best_line(epochs)}],
    }


def _tooltip_format(key: str) -> str:
    return "%.4f" if key == "loss" else "%.2f %%"


def _axis_format(key: str) -> str:
    return "{value}" if key == "loss" else "{value} %"


def _scale(key: str) -> float:
    return 1.0 if key.endswith("loss") else 100.0  # no formatter of an axis can multiply


def _batch_series(batches: Sequence[tuple[float, float]], key: str) -> list[dict[str, Any]]:
    if not batches:
        return []
    points = [[round(x, 4), round(y * _scale(key), 4)] for x, y in batches]
    return [{"name": BY_BATCH, "type": "line", "data": points, "symbol": "none",
             "lineStyle": {"width": 1.5, "opacity": 0.45}, "itemStyle": {"color": TRAINING}}]


def _series(
    name: str, key: str, epochs: Epochs, color: str, symbol: str, dashes: str
) -> dict[str, Any]:
    points = [[record["epoch"], round(record[key] * _scale(key), 4)] for record in epochs]
    return {"name": name, "type": "line", "data": points, "symbol": symbol,
            "symbolSize": 6, "showSymbol": len(points) <= MOST_SYMBOLS,
            "lineStyle": {"width": 2, "type": dashes}, "itemStyle": {"color": color}}


def _best_line(epochs: Epochs) -> dict[str, Any]:
    best = [record["epoch"] for record in epochs if record["best"]]
    return {"silent": True, "symbol": "none", "data": [{"xAxis": best[-1]}] if best else [],
            "label": {"formatter": "best", "color": NEUTRAL, "position": "end"},
            "lineStyle": {"color": NEUTRAL, "type": "dotted"}}


def history_alt(epochs: Epochs, key: str) -> str:
    """Return in words what `history_option` draws."""
    if not epochs:
        return f"{key.capitalize()} by epoch: no epoch has ended yet."
    form = decimal if key == "loss" else percent
    last = epochs[-1]
    best = [record["epoch"] for record in epochs if record["best"]]
    words = (f"{key.capitalize()} by epoch: after epoch {last['epoch']}, training "
             f"{form(last[key])} and validation {form(last['val_' + key])}")
    return f"{words}; best epoch {best[-1]}." if best else f"{words}."


def counts_option(
    class_names: Sequence[str], train: Sequence[int], test: Sequence[int]
) -> dict[str, Any]:
    """Return bars of the number of images per class, training and test side by side."""
    return {
        "animation": False,
        "grid": {"left": 8, "right": 24, "top": 36, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"},
                    "valueFormatter": "localized"},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "data": list(class_names), "inverse": True,
                  "axisTick": {"show": False}},
        "series": [
            {"name": "training", "type": "bar", "data": [int(n) for n in train],
             "itemStyle": {"color": TRAINING}},
            {"name": "test", "type": "bar", "data": [int(n) for n in test],
             "itemStyle": {"color": VALIDATION}},
        ],
    }


def bars_height(bars: int, each: int = 30) -> int:
    """Return the height in pixels of a chart with so many horizontal bars."""
    return min(LARGEST_CHART, 70 + each * bars)
