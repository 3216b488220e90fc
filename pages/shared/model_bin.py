"""Deleting saved models on the pages Home and Evaluate, and the way back."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from cnn.errors import CnnError
from cnn.prediction.choice import default_model
from cnn.prediction.deleting import delete_model, deleted_models, is_shipped
from cnn.trash import DAYS_KEPT
from pages.shared.bin import Bin

_CHOICE = "model"  # the widget, where the page has one; in the address too


def _choose_another() -> None:
    if _CHOICE in st.session_state:
        with suppress(CnnError):  # none is left that can be used: the page says so
            st.session_state[_CHOICE] = default_model()


def _choose(name: str) -> None:
    BIN.say(f"The model {name} is back.")
    if _CHOICE in st.session_state:
        st.session_state[_CHOICE] = name


BIN = Bin("model", deleted_models, delete_model, lambda deleted: "", _choose_another, _choose,
          "This cannot be undone. Runs stay.")


def offer_delete(name: str) -> None:
    """Show a button that deletes a model; one that comes with the project is kept."""
    kept = is_shipped(name)
    st.button("Delete", icon=":material/delete:", key=f"models_delete_{name}", type="tertiary",
              on_click=BIN.delete, args=(name, name), disabled=kept,
              help="It comes with CNN Studio and is not deleted." if kept else
              f"Can be undone for {DAYS_KEPT} days.")
