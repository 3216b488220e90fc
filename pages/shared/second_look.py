"""Test images that deserve a second look: mistakes, narrow escapes, labels under suspicion."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn.evaluation.doubts import doubtful, suspected_labels
from cnn.evaluation.results import Evaluation
from cnn.prediction.saved import Card
from pages.shared.formats import amount, confidence
from pages.shared.image_dialog import show_chosen_image
from pages.shared.image_grid import LIKE, SECOND, SURE, Facts, show_rows

MISTAKES, DOUBTFUL, SUSPECTS = "Confident mistakes", "Doubtful right answers", "Suspected labels"
MOST_DOUBTFUL = 240  # images; what comes later is not doubtful any more
ANY = -1  # in the place of a class
_WHAT = {
    MISTAKES: "Wrong answers, the most confident first: **label → answer**, and how sure it was.",
    DOUBTFUL: "Right answers that nearly went to another class, the closest first: **answer** "
              "above the runner-up.",
    SUSPECTS: "Images that look so much like another class that their **label** may be wrong, the "
              "most suspicious first."}
_RULE = (
    "**This is a suspicion, not a finding:** the model accuses, and where it errs with confidence "
    "it accuses right labels. Look at each image before you change anything. The rule is that of "
    "[confident learning](https://arxiv.org/abs/1911.00068) (Northcutt, Jiang and Chuang, 2021): "
    "the model gives another class at least what that class's own test images get on average. "
    "Training never saw these images, so the model could not learn a wrong label by heart.")


def show_images(card: Card, found: Evaluation) -> None:
    """Show one of the three kinds of images: choice, filters, pictures, and all of them as CSV."""
    kind = st.segmented_control("Which images", list(_WHAT), default=MISTAKES, required=True,
                                key="look", bind="query-params", label_visibility="collapsed")
    st.markdown(_WHAT[kind])
    rows, instead = rows_of(kind, found)
    if not len(rows):
        st.success(_none(kind, found), icon=":material/check_circle:")
        return
    if kind == SUSPECTS:
        st.caption(_RULE)
    passing, filters = _filtered(card, found, kind, rows, instead)
    share = amount(len(passing), "image")
    if len(passing) < len(rows):
        share += f" of {len(rows):,}"
    st.caption(f"{share} among {amount(found.count, 'test image')}. "
               "A click on an image opens it and shows why.")
    show_rows(card, found, rows[passing], f"{kind.replace(' ', '-').lower()}{filters}",
              _LINES[kind], instead[passing] if kind == SUSPECTS else None)
    show_chosen_image(card, found, rows[passing])


def rows_of(
    kind: str, found: Evaluation
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the test images of a kind, those most worth a look first, and what they look like."""
    if kind == SUSPECTS:
        suspects = suspected_labels(found)
        return suspects.rows, suspects.instead
    rows = found.mistakes() if kind == MISTAKES else doubtful(found)[:MOST_DOUBTFUL]
    return rows, found.predicted[rows]


def _none(kind: str, found: Evaluation) -> str:
    if kind == DOUBTFUL:
        return "None: no answer is right."
    return f"None: all {amount(found.count, 'test image')} are right." if kind == MISTAKES else \
        f"None of the {amount(found.count, 'label')} is under suspicion."


def wrong_lines(facts: Facts) -> list[str]:
    """Return label, answer and confidence."""
    return [f"{facts['truth']} → {facts['answer']}", confidence(facts[SURE])]


def narrow_lines(facts: Facts) -> list[str]:
    """Return how close a right answer was."""
    return [f"{facts['answer']} {confidence(facts[SURE])}",
            f"{facts['runner-up']} {confidence(facts[SECOND])}"]


def suspect_lines(facts: Facts) -> list[str]:
    """Return what the label says and what the model says."""
    return [f"{facts['truth']}?", f"like {facts['looks like']} {confidence(facts[LIKE])}"]


_LINES = {MISTAKES: wrong_lines, DOUBTFUL: narrow_lines, SUSPECTS: suspect_lines}


def _filtered(
    card: Card, found: Evaluation, kind: str, rows: NDArray[np.int64],
    instead: NDArray[np.int64],
) -> tuple[NDArray[np.int64], str]:
    """Show the two filters; return the places among `rows` that pass, and what names the choice."""
    left, right = st.columns(2)
    truth, places = found.labels[rows], np.arange(len(rows))
    with left:
        true = _choose("True class", card, found, truth)
    places = places[(true == ANY) | (truth == true)]
    with right:
        answer = _choose("Looks like" if kind == SUSPECTS else "Answer", card, found,
                         instead[places])
    places = places[(answer == ANY) | (instead[places] == answer)]
    return places, "".join(f"-{one}" for one in (true, answer) if (true, answer) != (ANY, ANY))


def _choose(label: str, card: Card, found: Evaluation, values: NDArray[np.int64]) -> int:
    counts = np.bincount(values, minlength=len(found.class_names))
    options = [ANY, *np.flatnonzero(counts).tolist()]
    return st.selectbox(
        label, options, key=f"mistakes_{label}_{card.name}",
        format_func=lambda option: f"Any ({len(values):,})" if option == ANY else
        f"{found.class_names[option]} ({counts[option]:,})")
