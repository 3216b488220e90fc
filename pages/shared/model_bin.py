"""Deleting saved models on the pages Home and Evaluate, and the way back."""

from __future__ import annotations

import streamlit as st

from cnn.prediction.deleting import delete_model, deleted_models, is_shipped
from cnn.trash import DAYS_KEPT
from pages.shared.bin import Bin


def _say_back(name: str) -> None:
    BIN.say(f"The model {name} is back.")


def _leave() -> None:
    """Leave the choice of a model as it is: it falls back to another by itself."""


BIN = Bin("model", deleted_models, delete_model, lambda deleted: "", _leave, _say_back,
          "This cannot be undone. Runs stay.")


def offer_delete(name: str) -> None:
    """Show a button that deletes a model; one that comes with the project is kept."""
    kept = is_shipped(name)
    st.button("Delete", icon=":material/delete:", key=f"models_delete_{name}", type="tertiary",
              on_click=BIN.delete, args=(name, name), disabled=kept,
              help="It comes with CNN Studio and is not deleted." if kept else
              f"Can be undone for {DAYS_KEPT} days.")
