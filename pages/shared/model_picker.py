"""Choosing a saved model: the same on every page that uses one, and in the address as ?model=."""

from __future__ import annotations

import streamlit as st

from cnn.errors import CnnError
from cnn.prediction.choice import default_model
from cnn.prediction.saved import Card, SavedModel
from pages.shared import cached
from pages.shared.errors import show_error
from pages.shared.formats import amount, plain, size
from pages.shared.layout import TRAIN
from pages.shared.model_bin import BIN


def choose_model() -> Card | None:
    """Show the choice of saved model and return the card of the chosen one.

    Returns None after saying why where no model can be used, or the chosen one is damaged.
    """
    models = {model.name: model for model in cached.models()}
    if not models:
        _say_none()
        return None
    asked = st.query_params.get("model")
    if asked is not None and asked not in models and asked != BIN.deleted():
        st.warning(f"There is no saved model {plain(repr(asked[:80]))}. Choose one that there is.",
                   icon=":material/search_off:")
    name = st.selectbox("Model", list(models), index=list(models).index(_first(models)),
                        key="model", bind="query-params")
    return _usable(models[name])


def _first(models: dict[str, SavedModel]) -> str:
    try:
        name = default_model()
    except CnnError:  # all are damaged: the page of the first says so
        return next(iter(models))
    return name if name in models else next(iter(models))


def _usable(model: SavedModel) -> Card | None:
    if model.error:
        show_error(model.error)
    return model.card


def _say_none() -> None:
    st.info("**There is no saved model yet.** A training run saves one when it ends; on the "
            "digits that takes half a minute.", icon=":material/info:")
    st.page_link(TRAIN, label="Train a network", icon=":material/model_training:")


def origin_text(card: Card) -> str:
    """Return as Markdown what the model is and what it knows."""
    made = "A model brought from elsewhere" if card.uploaded else \
        f"{plain(card.architecture)} trained on {plain(card.dataset)}"
    return (f"{made} ({size(card.input_shape)}) · {amount(len(card.class_names), 'class')}: "
            f"{_named(card.class_names)}")


def _named(class_names: list[str], most: int = 12) -> str:
    more = f" and {len(class_names) - most} more" if len(class_names) > most else ""
    return ", ".join(map(plain, class_names[:most])) + more
