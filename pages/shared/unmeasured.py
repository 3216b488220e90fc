"""What is said of a model from elsewhere: that it was not trained here, nor perhaps measured."""

from __future__ import annotations

import streamlit as st

from cnn.prediction.saved import Card
from pages.shared.formats import count, mega, percent, size

NOT_MEASURED = "not measured here"


def accuracy_text(card: Card) -> str:
    """Return as Markdown how good a model is, or that nobody has looked."""
    if card.test_accuracy is None:
        return f"How often it is right was {NOT_MEASURED}"
    known = ", some of which it may have learned from" if card.uploaded else ""
    return f"**{percent(card.test_accuracy)}** of {count(card.test_n)} test images right{known}"


def how_to_measure(name: str) -> str:
    """Return as Markdown how a model from elsewhere is measured."""
    return ("To measure it on a data set with the same class names: "
            f"`python -m cnn evaluate {name} --dataset NAME`")


def show_unmeasured(card: Card) -> None:
    """Say what is known of a model that was not measured, and how to measure it."""
    st.info(f"**This model was {NOT_MEASURED}.** It was brought from elsewhere, so there are no "
            f"test answers to show. {how_to_measure(card.name)}", icon=":material/straighten:")
    with st.grid(3, min_column_width=160):
        st.metric("Parameters", mega(card.parameters), border=True)
        st.metric("Input", size(card.input_shape), border=True)
        st.metric("Classes", count(len(card.class_names)), border=True)
