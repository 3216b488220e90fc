"""Test images on the Evaluate page: a grid of them, page by page, or a table where there are none.

Reads only the images on the screen. A click on one opens it (`image_dialog`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn.data.catalogue import describe
from cnn.data.dataset import Dataset
from cnn.errors import CnnError
from cnn.evaluation.results import Evaluation
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.formats import plain
from pages.shared.picture_wall import show_wall
from pages.shared.results_view import offer_table
from pages.shared.tables import as_percent

PER_PAGE = 21  # whole rows of seven, and of three on a phone
THUMBNAIL = 96  # pixels
SURE, SECOND, LIKE = "confidence", "of the runner-up", "of what it looks like"  # shares
Facts = dict[str, Any]


def data_of(card: Card, found: Evaluation) -> Dataset | None:
    """Return the data set the model was evaluated on, or None after saying why not."""
    try:
        if describe(card.dataset).image_shape is not None:
            data = cached.dataset(card.dataset)
            if data.fingerprint == card.dataset_fingerprint and \
                    len(data.test_images) == found.count:
                return data
            reason = f"The data set {card.dataset} has changed since this model was evaluated"
        else:
            reason = f"The data set {card.dataset} is not ready on this computer"
    except CnnError:
        reason = f"The data set {card.dataset} is not on this computer"
    st.info(f"{plain(reason)}, so the pictures cannot be shown. The answers are known all the "
            "same.", icon=":material/hide_image:")
    return None


def image_facts(
    found: Evaluation, rows: NDArray[np.int64], instead: NDArray[np.int64] | None = None
) -> list[Facts]:
    """Return what is known of test images without seeing them, one record each; shares 0 to 1.

    Args:
        found: The test results.
        rows: Which test images, (n,).
        instead: The class that each looks like, (n,). Defaults to leaving this out.
    """
    names, chosen = found.class_names, found.probabilities[rows]
    order = np.argsort(-chosen, axis=1, kind="stable")[:, :2]
    shares = np.take_along_axis(chosen, order, axis=1)
    facts: list[Facts] = [
        {"test image": row, "truth": names[true], "answer": names[best], SURE: round(sure, 4),
         "runner-up": names[second], SECOND: round(next_sure, 4)}
        for row, true, (best, second), (sure, next_sure) in zip(
            rows.tolist(), found.labels[rows].tolist(), order.tolist(), shares.tolist(),
            strict=True)]
    for fact, like in zip(facts, [] if instead is None else instead.tolist(), strict=False):
        probability = float(found.probabilities[fact["test image"], like])
        fact |= {"looks like": names[like], LIKE: round(probability, 4)}
    return facts


def show_rows(
    card: Card, found: Evaluation, rows: NDArray[np.int64], what: str,
    lines: Callable[[Facts], Sequence[str]], instead: NDArray[np.int64] | None = None,
) -> None:
    """Show test images: pictures that open at a click, or a table; and all of them as CSV.

    Args:
        card: Of the model.
        found: Its test results.
        rows: Which test images, in the order in which they are shown.
        what: Names the choice in keys and in the file.
        lines: Makes the words below a picture of its facts.
        instead: The class that each looks like. Defaults to not saying so.
    """
    key = f"evaluate_page_{card.name}_{what}"
    pages = max(1, -(-len(rows) // PER_PAGE))
    page = min(st.session_state.get(key, 1), pages)
    part = slice((page - 1) * PER_PAGE, page * PER_PAGE)
    shown = image_facts(found, rows[part], None if instead is None else instead[part])
    data = data_of(card, found)
    if data is None:
        _show_table(shown)
    else:
        show_wall("evaluate_wall", [
            (fact["test image"], np.asarray(data.test_images[fact["test image"]]), lines(fact))
            for fact in shown])
    with st.container(horizontal=True, vertical_alignment="center"):
        if pages > 1:
            st.pagination(pages, key=key, max_visible_pages=5)
        offer_table(card, what, _with_files(data, image_facts(found, rows, instead)))


def _with_files(data: Dataset | None, facts: list[Facts]) -> list[Facts]:
    """Add what the originals are called, where the set has any."""
    originals = None if data is None else cached.originals(data)
    if originals is None:
        return facts
    return [fact | {"file": originals.files[fact["test image"]]} for fact in facts]


def _show_table(facts: list[Facts]) -> None:
    shares = [name for name in (SURE, SECOND, LIKE) if name in facts[0]]
    st.dataframe(as_percent(facts, *shares), hide_index=True, height="content",
                 alt="Test images and their answers", column_config={
                     name: st.column_config.NumberColumn(format="%.1f %%") for name in shares})
