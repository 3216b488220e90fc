"""ECharts options for the pages: plain dictionaries, and the words that say the same.

Both themes of the dashboard draw on them, so colours are chosen to be read on white and on black;
blue and orange are told apart with any colour vision, and dashes tell them apart without colour.
Knows nothing of runs, models or widgets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.shared.formats import count, decimal, percent

TRAINING, VALIDATION = "#2f6fed", "#e8590c"
NEUTRAL = "#8a8f98"
LINES = ((TRAINING, "solid"), (VALIDATION, "dashed"), (NEUTRAL, "dotted"))  # by importance
LARGEST_CHART = 1200  # pixels
MOST_SYMBOLS = 25  # on a line; more would run into each other
BY_BATCH = "training, by batch"
Epochs = Sequence[Mapping[str, Any]]
Points = Sequence[tuple[float, float]]
Answers = Sequence[tuple[str, int, int]]  # answer, how often it is sure, and how often not
Marks = Sequence[tuple[float, str]]  # epoch as a decimal, and a short label


def history_option(
    epochs: Epochs, key: str, batches: Points = (), end: int = 0, marks: Marks = (),
    rising: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Return the curves of loss or accuracy by epoch, training and validation.

    Args:
        epochs: Records as `cnn.training.events.EpochEvent` has them.
        key: "loss" or "accuracy".
        batches: Points (epoch as a decimal, value) inside epochs. Defaults to none.
        end: Where the axis of epochs ends. Defaults to the last epoch.
        marks: Moments to be marked by a thin line with its label. Defaults to none.
        rising: First and last epoch of overfitting, to be shaded. Defaults to none.
    """
    last = max(end, int(epochs[-1]["epoch"]) if epochs else 1)
    start = 0 if batches else 1
    return {
        "animation": False,
        "grid": {"left": 8, "right": 20, "top": 44, "bottom": 24, "containLabel": True},
        "legend": {"top": 0, "left": 0, "data": [
            {"name": BY_BATCH, "itemStyle": {"opacity": 0}}, "training", "validation"]},
        "tooltip": {"trigger": "axis", "valueFormatter": _tooltip_format(key)},
        "xAxis": _epoch_axis(start, max(last, start + 1)),
        "yAxis": {"type": "value", "scale": True, "axisLabel": {"formatter": _axis_format(key)}},
        "series": [*_batch_series(batches, key),
                   {**_series("training", key, epochs, TRAINING, "circle", "solid"),
                    "markLine": _mark_lines(marks)},
                   {**_series("validation", f"val_{key}", epochs, VALIDATION, "rect", "dashed"),
                    "markPoint": _best_point(epochs, key), "markArea": _rising_area(rising)}],
    }


def _epoch_axis(start: float, end: float) -> dict[str, Any]:
    return {"type": "value", "min": start, "max": end, "minInterval": 1, "name": "epoch",
            "nameLocation": "middle", "nameGap": 28, "splitLine": {"show": False}}


def _tooltip_format(key: str) -> str:
    return "%.4f" if key == "loss" else "%.2f %%"


def _axis_format(key: str) -> str:
    return "{value}" if key == "loss" else "{value} %"


def _scale(key: str) -> float:
    return 1.0 if key.endswith("loss") else 100.0  # no formatter of an axis can multiply


def _batch_series(batches: Points, key: str) -> list[dict[str, Any]]:
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


def _best_point(epochs: Epochs, key: str) -> dict[str, Any]:
    best = [record for record in epochs if record["best"]][-1:]
    places = [[record["epoch"], round(record[f"val_{key}"] * _scale(key), 4)] for record in best]
    return {"silent": True, "symbol": "circle", "symbolSize": 12,
            "itemStyle": {"color": "transparent", "borderColor": VALIDATION, "borderWidth": 2},
            # Losses come from above, accuracies from below: on the other side there is room.
            "label": {"formatter": "best", "color": NEUTRAL, "fontSize": 12,
                      "position": "top" if key == "loss" else "bottom"},
            "data": [{"coord": place} for place in places]}


def _mark_lines(marks: Marks) -> dict[str, Any]:
    labels: dict[float, list[str]] = {}  # several of one moment share a line
    for place, label in marks:
        labels.setdefault(round(place, 4), []).append(label)
    return {"silent": True, "symbol": "none",
            "data": [{"xAxis": place, "label": {"formatter": " ".join(letters)}}
                     for place, letters in labels.items()],
            "label": {"color": NEUTRAL, "position": "end"},
            "lineStyle": {"color": NEUTRAL, "type": "dotted", "width": 1}}


def _rising_area(rising: tuple[int, int] | None) -> dict[str, Any]:
    return {"silent": True, "itemStyle": {"color": VALIDATION, "opacity": 0.09},
            "label": {"color": NEUTRAL, "position": "insideTopLeft"},
            "data": [[{"xAxis": rising[0], "name": "overfitting"}, {"xAxis": rising[1]}]]
            if rising else []}


def rate_option(rates: Points, end: int) -> dict[str, Any]:
    """Return the learning rate by epoch.

    Args:
        rates: (epoch as a decimal, rate), oldest first, at least one.
        end: Where the axis of epochs ends; 0 for the last place.
    """
    points = [[round(place, 4), float(f"{rate:.4g}")] for place, rate in _corners(rates)]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 20, "top": 12, "bottom": 24, "containLabel": True},
        "tooltip": {"trigger": "axis"},
        "xAxis": _epoch_axis(0, max(end, points[-1][0])),
        "yAxis": {"type": "value", "min": 0, "splitNumber": 3},
        "series": [{"name": "learning rate", "type": "line", "data": points, "symbol": "none",
                    "lineStyle": {"width": 2}, "itemStyle": {"color": TRAINING}}],
    }


def _corners(points: Points) -> Points:
    """Leave out the points between two of the same value."""
    return [point for i, point in enumerate(points)
            if not 0 < i < len(points) - 1
            or not points[i - 1][1] == point[1] == points[i + 1][1]]


def shares_option(shares: Mapping[str, Points], end: int) -> dict[str, Any]:
    """Return how probabilities went over the epochs, one small line each.

    Args:
        shares: For each name, points (epoch, probability from 0 to 1).
        end: Where the axis of epochs ends; 0 for the last epoch.
    """
    last = max([end, 2, *(int(points[-1][0]) for points in shares.values() if points)])
    return {
        "animation": False,
        "grid": {"left": 4, "right": 8, "top": 8, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.1f %%"},
        "xAxis": {"type": "value", "min": 1, "max": last, "interval": last - 1,
                  "splitLine": {"show": False}},
        "yAxis": {"type": "value", "min": 0, "max": 100, "interval": 50,
                  "axisLabel": {"formatter": "{value} %"}},
        "series": [{"name": name, "type": "line", "symbol": "circle", "symbolSize": 4,
                    "showSymbol": len(points) == 1, "itemStyle": {"color": color},
                    "lineStyle": {"width": 2, "type": dashes},
                    "data": [[epoch, round(100 * share, 2)] for epoch, share in points]}
                   for (name, points), (color, dashes) in zip(
                       shares.items(), LINES, strict=False)],
    }


def history_alt(
    epochs: Epochs, key: str, marks: Marks = (), rising: tuple[int, int] | None = None
) -> str:
    """Return in words what `history_option` draws."""
    if not epochs:
        return f"{key.capitalize()} by epoch: no epoch has ended yet."
    form = decimal if key == "loss" else percent
    last = epochs[-1]
    best = [record["epoch"] for record in epochs if record["best"]]
    words = (f"{key.capitalize()} by epoch: after epoch {last['epoch']}, training "
             f"{form(last[key])} and validation {form(last['val_' + key])}")
    more = [f"best epoch {best[-1]}"] if best else []
    more += [f"overfitting from epoch {rising[0]} on"] if rising else []
    more += [f"{label} marked at {place:.4g}" for place, label in marks]
    return "; ".join([words, *more]) + "."


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


def answers_option(counts: Answers, most: int) -> dict[str, Any]:
    """Return bars of how often each answer was given, those with a flag behind the others.

    Args:
        counts: Each answer, how often without and how often with a flag, the commonest first.
        most: Answers that get a bar of their own; the others share one.
    """
    shown, rest = list(counts[:most]), counts[most:]
    if rest:
        _, sure, flagged = zip(*rest, strict=True)
        shown.append((f"{len(rest)} others", sum(sure), sum(flagged)))
    series = (("sure", 1, TRAINING), ("unsure or none of these", 2, NEUTRAL))
    return {
        "animation": False,
        "grid": {"left": 8, "right": 24, "top": 36, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"},
                    "valueFormatter": "localized"},
        "xAxis": {"type": "value", "minInterval": 1, "splitNumber": 4},
        "yAxis": {"type": "category", "data": [answer[0] for answer in shown], "inverse": True,
                  "axisTick": {"show": False}},
        "series": [{"name": name, "type": "bar", "stack": "all", "itemStyle": {"color": color},
                    "data": [answer[place] for answer in shown]}
                   for name, place, color in series],
    }


def answers_words(counts: Answers) -> str:
    """Return in words what `answers_option` draws."""
    parts = [f"{name} {count(sure + flagged)}" + (f", {count(flagged)} of them not sure"
                                                  if flagged else "")
             for name, sure, flagged in counts]
    return f"How often each answer was given: {'; '.join(parts)}."


def bars_height(bars: int, each: int = 30) -> int:
    """Return the height in pixels of a chart with so many horizontal bars."""
    return min(LARGEST_CHART, 70 + each * bars)
