"""ECharts options of the page Compare: curves of several trainings, and accuracy against cost.

Plain dictionaries and the words that say the same, as in `charts`. Knows no widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pages.shared.charts import NEUTRAL, TRAINING, VALIDATION
from pages.shared.formats import amount, decimal, percent

# Told apart on white and on black; dashes and symbols tell them apart without colour.
_COLORS = (TRAINING, VALIDATION, "#2b9a66", "#a855f7", "#c79100", NEUTRAL)
_DASHES = ("solid", "dashed", "dotted")
_SYMBOLS = ("circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect")
MOST = 20  # trainings on one chart
# Each six have six colours; a colour that comes again has other dashes or another symbol.
STYLES = tuple((_COLORS[i % 6], _DASHES[(i + i // 6) % 3], _SYMBOLS[(i + i // 6) % 6])
               for i in range(MOST))
MOST_SYMBOLS = 25  # on a line

Epochs = Sequence[Mapping[str, Any]]
Place = Callable[[Mapping[str, Any]], float]


def curves_option(
    epochs: Mapping[str, Epochs], key: str, places: Mapping[str, Place], axis: str
) -> dict[str, Any]:
    """Return one curve for each training.

    Args:
        epochs: Records of each training by its name, at most MOST.
        key: Of the values, such as val_accuracy; accuracies are drawn in per cent.
        places: For each name, where on the axis a record stands.
        axis: What the axis counts.
    """
    accuracy = key.endswith("accuracy")
    return {
        "animation": False,
        "grid": {"left": 8, "right": 20, "top": 44, "bottom": 24, "containLabel": True},
        "legend": {"top": 0, "left": 0, "type": "scroll"},
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "value", "name": axis, "nameLocation": "middle", "nameGap": 28,
                  "splitLine": {"show": False}},
        "yAxis": {"type": "value", "scale": True,
                  "axisLabel": {"formatter": "{value} %" if accuracy else "{value}"}},
        "series": [
            {"name": name, "type": "line", "symbol": symbol, "symbolSize": 6,
             "showSymbol": len(records) <= MOST_SYMBOLS, "itemStyle": {"color": color},
             "lineStyle": {"width": 2, "type": dashes},
             "data": [[round(places[name](record), 4),
                       round(record[key] * (100 if accuracy else 1), 4)] for record in records]}
            for (name, records), (color, dashes, symbol) in zip(
                epochs.items(), STYLES, strict=False)]}


def curves_words(epochs: Mapping[str, Epochs], key: str) -> str:
    """Return in words what `curves_option` draws."""
    form = percent if key.endswith("accuracy") else decimal
    ends = [f"{name} ends at {form(records[-1][key])} after {amount(len(records), 'epoch')}"
            for name, records in epochs.items() if records]
    return f"{key.replace('val_', 'validation ').capitalize()}: {'; '.join(ends) or 'no epochs'}."


def cost_option(
    names: Sequence[str], costs: Sequence[float], accuracies: Sequence[float],
    front: Sequence[bool], axis: str,
) -> dict[str, Any]:
    """Return models as points by cost and accuracy, and the line of those that nothing beats.

    Args:
        names: Of the models.
        costs: Of each, above 0; the axis is logarithmic.
        accuracies: 0 to 1.
        front: Whether each is on the front.
        axis: What costs.
    """
    points: list[dict[str, Any]] = [
        {"name": name, "value": [cost, round(100 * accuracy, 2)]}
        for name, cost, accuracy in zip(names, costs, accuracies, strict=True)]
    # It may stand on the axis, and its name would lie on the figures beside that.
    min(points, key=lambda point: point["value"][0])["label"] = {"position": "right"}
    best = [point for point, on in zip(points, front, strict=True) if on]
    rest = [point for point, on in zip(points, front, strict=True) if not on]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 40, "top": 40, "bottom": 28, "containLabel": True},
        "legend": {"top": 0, "left": 0},
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "log", "name": axis, "nameLocation": "middle", "nameGap": 30,
                  "splitLine": {"show": False}},
        "yAxis": {"type": "value", "scale": True, "axisLabel": {"formatter": "{value} %"}},
        "series": [
            {"name": "nothing cheaper is as good", "type": "line", "symbol": "circle",
             "symbolSize": 10, "itemStyle": {"color": TRAINING}, "label": _label(),
             "data": sorted(best, key=lambda point: point["value"]),
             "lineStyle": {"width": 1.5, "type": "dashed"}},
            {"name": "others", "type": "scatter", "symbol": "rect", "symbolSize": 9,
             "itemStyle": {"color": NEUTRAL}, "label": _label(), "data": rest}]}


def _label() -> dict[str, Any]:
    return {"show": True, "formatter": "{b}", "position": "top", "color": NEUTRAL}


def cost_words(names: Sequence[str], front: Sequence[bool], axis: str) -> str:
    """Return in words what `cost_option` draws."""
    best = [name for name, on in zip(names, front, strict=True) if on]
    return f"Test accuracy against {axis}. Nothing cheaper is as good as: {', '.join(best)}."
