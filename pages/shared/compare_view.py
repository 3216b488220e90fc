"""What the page Compare shows of the chosen trainings: curves, figures, settings, repeats.

All of it comes from cards, histories and metrics, without a data set; only how long an answer takes
is measured, once it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cnn.errors import Damaged, NotFound
from cnn.evaluation.comparison import pareto_front
from cnn.evaluation.results import wilson_interval
from cnn.prediction.client import shared_engine
from cnn.prediction.latency import ANSWERS, measure_latency
from cnn.runs.contenders import Contender, differences, repeats
from pages.shared import cached
from pages.shared.compare_charts import (
    Place,
    cost_option,
    cost_words,
    curves_option,
    curves_words,
)
from pages.shared.formats import NOTHING, bytes_in_words, count, duration, mega, percent, plain

CHART_HEIGHT = 320  # pixels
VALUES = {"val_accuracy": "Validation accuracy", "val_loss": "Validation loss",
          "accuracy": "Training accuracy", "loss": "Training loss"}
AXES = {"epoch": "Epochs", "seconds": "Time", "images": "Images seen"}
UNITS = {"epoch": "epoch", "seconds": "minutes of training", "images": "millions of images"}
COSTS = {"seconds": "Wall time, seconds", "multiply_adds": "Multiply-adds for an image",
         "parameters": "Parameters", "file_bytes": "File size, bytes",
         "latency": "Time for an answer, ms"}


def show_cost(tested: Sequence[Contender]) -> None:
    """Show which models are worth what they cost.

    Raises:
        Unavailable: If the engine is to be asked how long answers take, and does not work.
    """
    cost = st.segmented_control(
        "Accuracy against", list(COSTS), default="seconds", required=True,
        format_func=COSTS.get, key="cost", bind="query-params")
    found = [(one, value) for one in tested if (value := _cost(one, cost)) > 0]
    if not found:
        st.caption("This cost is not known of any of these models.")
        return
    known, costs = zip(*found, strict=True)
    names, accuracies = [one.name for one in known], _accuracies(known)
    front = pareto_front(costs, accuracies)
    words = cost_words(names, front, COSTS[cost])
    st.echarts_chart(cost_option(names, costs, accuracies, front, COSTS[cost]),
                     key="compare_cost", height=CHART_HEIGHT, alt=words)
    st.caption(plain(words))
    if cost == "latency":
        st.caption("Measured on this computer, once for each saved model: the median of "
                   f"{ANSWERS} answers to one picture of the size that the network sees. "
                   "What else the computer does makes it longer.")


def _cost(one: Contender, cost: str) -> float:
    """Return what one costs; 0 if that is not known."""
    if cost != "latency":
        return float(getattr(one, cost))
    if not one.is_model:
        return 0.0
    try:
        return _milliseconds(one.name, cached.model_stamp(one.name))
    except (NotFound, Damaged):  # the others can still be compared
        return 0.0


@st.cache_data(max_entries=64, show_spinner="Measuring how long answers take")
def _milliseconds(name: str, stamp: cached.Stamp) -> float:
    return round(1000 * measure_latency(shared_engine(), name), 2)


def _accuracies(tested: Sequence[Contender]) -> list[float]:
    return [one.test_accuracy or 0.0 for one in tested]


def show_curves(chosen: Sequence[Contender]) -> None:
    """Show how the chosen trainings went, on one chart."""
    left, right = st.columns(2)
    key = left.selectbox("Curve", list(VALUES), format_func=VALUES.get, key="curve",
                         bind="query-params")
    axis = right.segmented_control("By", list(AXES), default="epoch", required=True,
                                   format_func=AXES.get, key="by", bind="query-params")
    epochs = {one.name: cached.epochs(one) for one in chosen}
    without = [name for name, records in epochs.items() if not records]
    if without:
        st.caption(f"Without a history: {plain(', '.join(without))}.")
    words = curves_words(epochs, key)
    st.echarts_chart(
        curves_option(_with_axis(epochs, axis), key, _places(chosen, axis), UNITS[axis]),
        key="compare_curves", height=CHART_HEIGHT, alt=words)


def _with_axis(epochs: Mapping[str, Any], axis: str) -> dict[str, Any]:
    """Leave out records that do not say where on the axis they stand: older ones lack the time."""
    return {name: [record for record in records
                   if axis != "seconds" or isinstance(record.get("seconds"), int | float)]
            for name, records in epochs.items()}


def _places(chosen: Sequence[Contender], axis: str) -> dict[str, Place]:
    def place(one: Contender) -> Place:
        if axis == "seconds":
            return lambda record: record["seconds"] / 60
        factor = one.train_n / 1e6 if axis == "images" else 1
        return lambda record: record["epoch"] * factor

    return {one.name: place(one) for one in chosen}


def show_figures(chosen: Sequence[Contender]) -> None:
    """Show what the chosen trainings reached, and at what cost, one row each."""
    st.dataframe(
        [_figures(one) for one in chosen], hide_index=True, height="content", placeholder=NOTHING,
        alt="What each reached and cost",
        column_config={"Name": st.column_config.TextColumn(pinned=True)})
    st.caption("Validation: the best epoch, not the last. The interval is Wilson's of 95 %: "
               "another set of as many test images would probably give a figure in it.")


def _figures(one: Contender) -> dict[str, str | None]:
    tested = one.test_accuracy is not None and one.test_n > 0
    low, high = wilson_interval(round((one.test_accuracy or 0) * one.test_n), one.test_n) \
        if tested else (None, None)
    return {
        "Name": one.name,
        "Test": percent(one.test_accuracy, 2) if tested else "not tested",
        "95 % interval": f"{percent(low)} to {percent(high)}" if tested else None,
        "Averaged": _known(one.averaged_test_accuracy, lambda value: percent(value, 2)),
        "Validation": _known(one.val_accuracy, lambda value: percent(value, 2)),
        "Best epoch": f"{one.best_epoch} of {one.epochs}" if one.epochs else None,
        "Training images": _known(one.train_n, count),
        "Time": _known(one.seconds, duration),
        "Parameters": _known(one.parameters, mega),
        "Multiply-adds": _known(one.multiply_adds, mega),
        "File": _known(one.file_bytes, bytes_in_words)}


def _known(value: Any, form: Any) -> str | None:
    return form(value) if value else None


def show_settings(chosen: Sequence[Contender]) -> None:
    """Show the settings in which the chosen trainings differ, and only those."""
    found = differences(chosen)
    if not found:
        st.caption("They were trained with the same settings.")
        return
    st.dataframe(
        [{"Setting": name, **{one.name: _setting(value) for one, value in zip(
            chosen, values, strict=True)}} for name, values in found.items()],
        hide_index=True, height="content", placeholder=NOTHING, alt="Settings that differ",
        column_config={"Setting": st.column_config.TextColumn(pinned=True)})


def _setting(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def show_repeats(contenders: Sequence[Contender]) -> None:
    """Show trainings that differ in their seed alone as mean and spread."""
    groups = repeats(contenders)
    if not groups:
        st.caption("Train the same settings with other seeds, and their mean and spread are shown "
                   "here: it tells how much of a difference is luck.")
        return
    st.dataframe(
        [{"Mean test accuracy": percent(group.mean, 2),
          "Standard deviation": f"{100 * group.deviation:.2f} points",
          "Trainings": len(group.names), "Seeds": ", ".join(map(str, group.seeds)),
          "Names": ", ".join(group.names)}
         for group in groups],
        hide_index=True, height="content", alt="Repeats with other seeds")
