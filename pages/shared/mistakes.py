"""The test images a model got wrong, most confident first. Reads only the images on the screen."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn.data.catalogue import describe
from cnn.data.dataset import Images
from cnn.errors import CnnError
from cnn.evaluation.results import Evaluation
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.formats import amount, confidence, plain
from pages.shared.pictures import enlarged
from pages.shared.results_view import offer_table
from pages.shared.tables import as_percent

PER_PAGE = 24
THUMBNAIL = 96  # pixels
ANY = -1  # in the place of a class


def show_mistakes(card: Card, found: Evaluation) -> None:
    """Show the wrong answers: filters, pictures, pages, and all of them as CSV."""
    wrong = found.mistakes()
    if not len(wrong):
        st.success(f"None: all {amount(found.count, 'test image')} are right.",
                   icon=":material/check_circle:")
        return
    chosen, key = _filtered(card, found, wrong)
    share = amount(len(chosen), "mistake")
    if len(chosen) < len(wrong):
        share += f" of {len(wrong):,}"
    st.caption(f"{share} among {amount(found.count, 'test image')}, most confident first. "
               "Truth → answer, with the confidence of the answer.")
    images = test_images(card, found)
    pages = max(1, -(-len(chosen) // PER_PAGE))
    page = min(st.session_state.get(key, 1), pages)
    shown = chosen[(page - 1) * PER_PAGE : page * PER_PAGE]
    if images is None:
        st.dataframe(
            as_percent(_facts(found, shown), "confidence"), hide_index=True, height="content",
            alt="Wrong answers, most confident first",
            column_config={"confidence": st.column_config.NumberColumn(format="%.1f %%")})
    else:
        _show_grid(card, found, images, shown)
    if pages > 1:
        st.pagination(pages, key=key, max_visible_pages=5)
    offer_table(card, "mistakes", _facts(found, chosen))


def _filtered(
    card: Card, found: Evaluation, wrong: NDArray[np.int64]
) -> tuple[NDArray[np.int64], str]:
    """Show the two filters; return the rows that pass, and a key that changes with them."""
    left, right = st.columns(2)
    with left:
        true = _choose("True class", card, found, found.labels[wrong])
    wrong = wrong[(true == ANY) | (found.labels[wrong] == true)]
    with right:
        answer = _choose("Answer", card, found, found.predicted[wrong])
    wrong = wrong[(answer == ANY) | (found.predicted[wrong] == answer)]
    return wrong, f"mistakes_page_{card.name}_{true}_{answer}"


def _choose(label: str, card: Card, found: Evaluation, values: NDArray[np.int64]) -> int:
    counts = np.bincount(values, minlength=len(found.class_names))
    options = [ANY, *np.flatnonzero(counts).tolist()]
    return st.selectbox(
        label, options, key=f"mistakes_{label}_{card.name}",
        format_func=lambda option: f"Any ({len(values):,})" if option == ANY else
        f"{found.class_names[option]} ({counts[option]:,})")


def test_images(card: Card, found: Evaluation) -> Images | None:
    """Return the test split the model was evaluated on, or None after saying why not."""
    try:
        if describe(card.dataset).image_shape is not None:
            data = cached.dataset(card.dataset)
            if data.fingerprint == card.dataset_fingerprint and \
                    len(data.test_images) == found.count:
                return data.test_images
            reason = f"The data set {card.dataset} has changed since this model was evaluated"
        else:
            reason = f"The data set {card.dataset} is not ready on this computer"
    except CnnError:
        reason = f"The data set {card.dataset} is not on this computer"
    st.info(f"{plain(reason)}, so the pictures cannot be shown. The answers are known all the "
            "same.", icon=":material/hide_image:")
    return None


def _show_grid(
    card: Card, found: Evaluation, images: Images, rows: NDArray[np.int64]
) -> None:
    with st.grid("auto", min_column_width=THUMBNAIL + 4, gap="small"):
        for facts in _facts(found, rows):
            row = facts["test image"]
            st.image(
                enlarged(images[row], THUMBNAIL), output_format="PNG",
                caption=f"{plain(facts['truth'])} → **{plain(facts['answer'])}** "
                        f"{confidence(facts['confidence'])}",
                alt=f"Test image {row} of {card.dataset}")


def _facts(found: Evaluation, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    columns = (rows, found.labels[rows], found.predicted[rows], found.confidence[rows])
    return [{"test image": row, "truth": found.class_names[true],
             "answer": found.class_names[answer], "confidence": round(confidence, 4)}
            for row, true, answer, confidence in zip(*(c.tolist() for c in columns), strict=True)]
