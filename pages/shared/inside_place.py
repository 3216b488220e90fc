"""Choosing one value of a feature map by its numbers: for the keyboard, and for what draws it.

Kept for the visit, within what the map has; a click on a map sets the same numbers.
"""

from __future__ import annotations

import streamlit as st

from cnn.models.convolving import Pair

ROW, COLUMN = "inside_row", "inside_column"


def choose_number(label: str, key: str, count: int, first: int = 0, help_text: str = "") -> int:
    """Show a field for a number from 0 to `count` - 1, and return it.

    Args:
        label: Of the field.
        key: Of the field. A number that the present map does not have becomes its last.
        count: How many there are.
        first: What is chosen before anybody chose.
        help_text: Shown on demand.
    """
    st.session_state[key] = min(int(st.session_state.get(key, first)), count - 1)
    return int(st.number_input(label, 0, count - 1, key=key, help=help_text or None,
                               disabled=count == 1))


def choose_place(size: Pair) -> Pair:
    """Show fields for row and column of a map, and return them; the middle at first."""
    row = choose_number("Row", ROW, size[0], size[0] // 2)
    return row, choose_number("Column", COLUMN, size[1], size[1] // 2)


def keep_place(place: Pair) -> None:
    """Set row and column; for callbacks, which run before the fields are drawn again."""
    st.session_state[ROW], st.session_state[COLUMN] = place
