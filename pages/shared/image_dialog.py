"""One test image close up, over the Evaluate page: the answer, and which parts speak for what.

The answer is the stored one; heat maps are computed in the prediction engine when the image is
looked at.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn.data.dataset import Dataset
from cnn.data.images import encode_png
from cnn.evaluation.results import Evaluation
from cnn.prediction.client import Prediction
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.errors import errors_shown
from pages.shared.evaluate_choice import chosen_image, close_image, open_image
from pages.shared.formats import confidence, plain
from pages.shared.image_grid import data_of
from pages.shared.pictures import enlarged
from pages.shared.why_view import draw_ways

LARGEST = 192  # pixels
TOP = 4  # classes


def show_chosen_image(card: Card, found: Evaluation, rows: NDArray[np.int64]) -> None:
    """Open the image that the address names, if it names one.

    Args:
        card: Of the model.
        found: Its test results.
        rows: The test images that are looked through, in their order.
    """
    if chosen_image(found.count) is not None:
        _open(card, found, rows)


@st.dialog("Test image", width="large", icon=":material/zoom_in:", on_dismiss=close_image)
def _open(card: Card, found: Evaluation, rows: NDArray[np.int64]) -> None:
    row = chosen_image(found.count)  # steps inside the dialog change it
    if row is None:
        return
    with errors_shown():
        _show_steps(row, rows.tolist())
        data = data_of(card, found)
        answer = stored_answer(found, row)
        truth = found.class_names[found.labels[row]]
        picture, bars = st.columns([1, 2], gap="medium", vertical_alignment="center")
        with picture:
            if data is not None:
                st.image(enlarged(data.test_images[row], LARGEST), output_format="PNG",
                         width=LARGEST, alt=f"Test image {row} of {card.dataset}")
        with bars:
            st.markdown(_verdict(truth, answer))
            _show_bars(truth, answer)
            if data is not None:
                _show_file(data, row)
        if data is not None:
            st.subheader("Why?", anchor=False)
            other = truth if truth != answer.top[0][0] else answer.top[1][0]
            draw_ways(encode_png(np.asarray(data.test_images[row])), card.name, answer,
                      classes=list(dict.fromkeys([answer.top[0][0], other])))


def stored_answer(found: Evaluation, row: int) -> Prediction:
    """Return the stored answer to a test image, all classes, the most probable first."""
    probabilities = found.probabilities[row]
    return Prediction(top=tuple((found.class_names[label], float(probabilities[label]))
                                for label in np.argsort(-probabilities, kind="stable")))


def _show_steps(row: int, rows: list[int]) -> None:
    """Show ways to the neighbours in the list that the image was opened from."""
    place = rows.index(row) if row in rows else -1
    where = f", {place + 1:,} of {len(rows):,}" if place >= 0 else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**#{row}**{where}", width="stretch")
        for label, icon, step in (("Previous", ":material/arrow_back:", -1),
                                  ("Next", ":material/arrow_forward:", 1)):
            there = place >= 0 and 0 <= place + step < len(rows)
            st.button(label, icon=icon, key=f"evaluate_{label}", disabled=not there,
                      on_click=open_image, args=(rows[place + step] if there else row,))


def _verdict(truth: str, answer: Prediction) -> str:
    said, sure = answer.top[0]
    if said == truth:
        return f"Rightly called **{plain(said)}**, {confidence(sure)} sure."
    return (f"The label says **{plain(truth)}**, the model **{plain(said)}**, {confidence(sure)} "
            "sure.")


def _show_bars(truth: str, answer: Prediction) -> None:
    """Show the most probable classes, and the true one if it is not among them."""
    names = [name for name, _ in answer.top]
    most = list(answer.top[:TOP])
    if truth not in names[:TOP]:
        most.append(answer.top[names.index(truth)])
    for name, probability in most:
        label = " (the label)" if name == truth else ""
        st.progress(probability, text=f"{plain(name)}{label} · {confidence(probability)}")


def _show_file(data: Dataset, row: int) -> None:
    originals = cached.originals(data)
    if originals is not None:
        st.caption(f"File: {plain(originals.files[row])}")
