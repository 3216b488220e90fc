"""Which training image the Data page speaks of: one for all its parts, kept for the visit."""

from __future__ import annotations

import streamlit as st

from cnn.data.dataset import Dataset
from pages.shared.formats import plain

SECTION = "section"  # key of the choice of a part, also in the address
ONE_IMAGE, CHECK = "One image", "Check"  # parts that are led to from elsewhere
_KEY = "data_image"


def chosen_row(data: Dataset) -> int:
    """Return the row of the chosen training image, the first one if none was chosen."""
    name, row = st.session_state.get(_KEY, ("", 0))
    return row if name == data.name and row < len(data.train_labels) else 0


def choose_row(name: str, row: int) -> None:
    """Choose a training image of the data set of this name."""
    st.session_state[_KEY] = name, row


def open_row(name: str, row: int) -> None:
    """Choose a training image and go to the part that shows it; for callbacks."""
    choose_row(name, row)
    st.session_state[SECTION] = ONE_IMAGE


def step_through(data: Dataset) -> int:
    """Show a field for the number of the chosen image, and return its row."""
    key, row = f"data_row_{data.name}", chosen_row(data)
    if st.session_state.get(key) != row:  # chosen elsewhere
        st.session_state[key] = row
    return int(st.number_input(
        "Training image", 0, len(data.train_labels) - 1, key=key,
        on_change=lambda: choose_row(data.name, int(st.session_state[key])),
        help="Any image by its number. The arrow keys go to the one before or after."))


def name_of(data: Dataset, row: int) -> str:
    """Return the class of a training image as Markdown."""
    return plain(data.class_names[data.train_labels[row]])
