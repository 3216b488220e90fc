"""The saved models on the Home page: what each is good for, and the damaged ones."""

from __future__ import annotations

import streamlit as st

from cnn.prediction.deleting import is_shipped
from cnn.prediction.saved import Card, SavedModel
from pages.shared.errors import error_text
from pages.shared.formats import NOTHING, amount, count, duration, mega, percent, plain, size
from pages.shared.layout import EVALUATE, PREDICT
from pages.shared.model_bin import offer_delete
from pages.shared.unmeasured import NOT_MEASURED, how_to_measure

MOST_CARDS = 12


def show_models(models: list[SavedModel]) -> None:
    """Show a card for each model that works, newest first, then those that do not."""
    working = [(model.name, model.card) for model in models if model.card]
    grid = st.grid(3, min_column_width=270)
    for name, card in working[:MOST_CARDS]:
        with grid.cell(), st.container(border=True, height="stretch"):
            _show_card(name, card)
    if len(working) > MOST_CARDS:
        st.caption(f"The newest {MOST_CARDS} of {len(working)}; the pages Evaluate and Predict "
                   "offer all of them.")
    for model in models:
        if model.error:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.warning(f"{plain(model.name)}: {error_text(model.error)}",
                           icon=":material/broken_image:")
                offer_delete(model.name)


def _about(card: Card) -> str:
    known = "some of which it may have learned from" if card.uploaded else \
        "that training never used"
    return f"Of {count(card.test_n)} test images {known}."


def _show_card(name: str, card: Card) -> None:
    st.subheader(plain(name))
    with st.container(horizontal=True, gap="xsmall"):
        if card.dataset:
            st.badge(plain(card.dataset), icon=":material/photo_library:", color="gray")
        st.badge(plain(card.architecture), icon=":material/grid_view:", color="gray")
    if card.test_accuracy is None:
        st.metric("Test accuracy", NOTHING, delta=NOT_MEASURED, delta_color="off",
                  delta_arrow="off", help=how_to_measure(name))
    else:
        st.metric("Test accuracy", percent(card.test_accuracy), help=_about(card),
                  delta=f"of {count(card.test_n)} test images", delta_color="off",
                  delta_arrow="off")
    made = "brought from elsewhere" if card.uploaded else \
        f"{amount(card.epochs, 'epoch')} in {duration(card.seconds)}"
    st.caption(f"{size(card.input_shape)} · {amount(len(card.class_names), 'class')} · "
               f"{mega(card.parameters)} parameters · {made}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(PREDICT, label="Predict", icon=":material/image_search:",
                     query_params={"model": name})
        st.page_link(EVALUATE, label="Evaluate", icon=":material/query_stats:",
                     query_params={"model": name})
        if not is_shipped(name):
            offer_delete(name)
