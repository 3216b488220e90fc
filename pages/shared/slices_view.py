"""Where the model is weaker, on the Evaluate page: accuracy by brightness, size and group.

What the images look like is read from the data set; without it there is nothing to divide them by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnn.data.dataset import Dataset, Labels
from cnn.data.traits import Originals
from cnn.evaluation.class_scores import Score
from cnn.evaluation.results import Evaluation
from cnn.evaluation.slices import Slice, by_group, by_value
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.charts import bars_height
from pages.shared.formats import amount, count, percent
from pages.shared.image_dialog import show_chosen_image
from pages.shared.image_grid import data_of, show_rows
from pages.shared.interval_chart import MOST_LINES, interval_text, intervals_option
from pages.shared.results_view import offer_table
from pages.shared.second_look import wrong_lines

BRIGHTNESS, SIZE, GROUP = "Brightness", "Size of the original", "Group"
_EXPECTED_BESIDE = 0.05  # share of 95 % intervals that leave out the truth


@dataclass(frozen=True)
class _Parts:
    """The slices by one trait, and what they are called."""

    slices: list[Slice]
    names: list[str]


def show_slices(card: Card, found: Evaluation) -> None:
    """Show the accuracy on parts of the test images, and the mistakes in the chosen part.

    Raises:
        Damaged, BadInput: If the list of files of an imported set cannot be read.
    """
    data = data_of(card, found)
    if data is None:
        return
    ways = _ways(data, found.predicted == found.labels)
    way = BRIGHTNESS if len(ways) == 1 else st.segmented_control(
        "Divide by", list(ways), default=BRIGHTNESS, required=True, key="slices_by",
        bind="query-params")
    parts = ways[way]()
    if len(parts.slices) < 2:
        st.info(f"All test images are alike in this: {parts.names[0]}.", icon=":material/info:")
        return
    _show_chart(parts, found, way)
    chosen = _choose(card, parts, found, way)
    if chosen is not None:
        _show_mistakes(card, found, parts, chosen, way)


def _ways(data: Dataset, right: np.ndarray) -> dict[str, Callable[[], _Parts]]:
    """Return by what the images can be divided, and how."""
    ways = {BRIGHTNESS: lambda: _by_brightness(data, right)}
    originals = cached.originals(data)
    if originals is not None:
        ways[SIZE] = lambda: _by_size(originals, right)
        groups = originals.groups
        if groups is not None:
            ways[GROUP] = lambda: _by_group(originals, groups, right)
    return ways


def _by_brightness(data: Dataset, right: np.ndarray) -> _Parts:
    slices = by_value(cached.brightness(data), right)
    return _Parts(slices, [f"{one.low:.0f} to {one.high:.0f}" for one in slices])


def _by_size(originals: Originals, right: np.ndarray) -> _Parts:
    slices = by_value(originals.sides, right)
    return _Parts(slices, [f"{one.low:.0f} px" if one.low == one.high else
                           f"{one.low:.0f} to {one.high:.0f} px" for one in slices])


def _by_group(originals: Originals, groups: Labels, right: np.ndarray) -> _Parts:
    names = originals.group_names
    slices = by_group(groups, right)
    numbers = [int(one.low) for one in slices]
    return _Parts(slices, [names[number] if number < len(names)
                           else originals.files[int(one.rows[0])]
                           for number, one in zip(numbers, slices, strict=True)])


def _show_chart(parts: _Parts, found: Evaluation, way: str) -> None:
    scores = [_score(one) for one in parts.slices[:MOST_LINES]]
    names = parts.names[:MOST_LINES]
    words = "; ".join(f"{name} {percent(score.value)}" for name, score in
                      zip(names[:6], scores, strict=False))
    st.echarts_chart(
        intervals_option(names, scores, "accuracy", found.accuracy), key="evaluate_slices",
        height=bars_height(len(names)), alt=f"Accuracy by {way.lower()}: {words}")
    st.caption(_reading(parts, found, way))


def _score(one: Slice) -> Score:
    return Score(one.accuracy, *one.interval)


def _reading(parts: _Parts, found: Evaluation, way: str) -> str:
    what = {
        BRIGHTNESS: "Quarters of the test images by their mean brightness, from 0 (black) to 255.",
        SIZE: "Quarters of the test images by the shorter side of the original file.",
        GROUP: f"{amount(len(parts.slices), 'group')}, first those that are surely the weakest "
               "(by the upper end of their interval)."}[way]
    beside = sum(one.stands_out(found.accuracy) for one in parts.slices)
    expected = _EXPECTED_BESIDE * len(parts.slices)
    verdict = (f"{amount(beside, 'interval')} of {count(len(parts.slices))} "
               f"{'leaves' if beside == 1 else 'leave'} out the accuracy on all images, "
               f"{percent(found.accuracy)}; by chance alone about {expected:.1f} would.")
    return f"{what} Lines are Wilson's 95 % intervals. {verdict}"


def _choose(card: Card, parts: _Parts, found: Evaluation, way: str) -> int | None:
    """Show the parts as a table; return which one is chosen."""
    rows = [{way.lower(): name, "test images": len(one.rows), "right": one.right,
             "accuracy": 100 * one.accuracy, "95 % interval": interval_text(_score(one)),
             "stands out": one.stands_out(found.accuracy)}
            for name, one in zip(parts.names, parts.slices, strict=True)]
    number = st.column_config.NumberColumn(format="localized")
    state = st.dataframe(
        rows, hide_index=True, key=f"evaluate_slices_{card.name}_{way}", on_select="rerun",
        selection_mode="single-row", height="content" if len(rows) <= 8 else 320,
        alt=f"Accuracy by {way.lower()}; choose a row to see its mistakes", column_config={
            "accuracy": st.column_config.NumberColumn(format="%.1f %%"), "test images": number,
            "right": number})
    offer_table(card, f"by-{way.replace(' ', '-').lower()}", rows)
    chosen = [place for place in state["selection"]["rows"] if place < len(parts.slices)]
    if not chosen:
        st.caption("Choose a row to see the mistakes in it.")
    return chosen[0] if chosen else None


def _show_mistakes(
    card: Card, found: Evaluation, parts: _Parts, chosen: int, way: str
) -> None:
    own = parts.slices[chosen].rows
    wrong = found.mistakes()
    wrong = wrong[np.isin(wrong, own)]
    st.subheader("Mistakes in this part", anchor=False)
    if not len(wrong):
        st.success("None.", icon=":material/check_circle:")
        return
    st.caption(f"{amount(len(wrong), 'mistake')} among {amount(len(own), 'test image')}, the most "
               "confident first.")
    show_rows(card, found, wrong, f"by-{way.replace(' ', '-').lower()}-{chosen + 1}",
              wrong_lines)
    show_chosen_image(card, found, wrong)
