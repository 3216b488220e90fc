"""Which cell and which test image the Evaluate page speaks of: kept in the address.

So a link shows the same again. What does not fit the model is as if it were not there.
"""

from __future__ import annotations

import re

import streamlit as st

from pages.shared.confusion import Cell

_CELL, _IMAGE = "cell", "image"  # in the address
_TABLE = "evaluate_table_number"  # in the session: one more for each cell chosen outside of it
_MODEL = "evaluate_chosen_for"


def fit_to(classes: list[str], fingerprint: str) -> None:
    """Forget cell and image where they were chosen of another data set in this visit."""
    now = (tuple(classes), fingerprint)
    if st.session_state.setdefault(_MODEL, now) != now:
        st.session_state[_MODEL] = now
        for key in (_CELL, _IMAGE):
            st.query_params.pop(key, None)


def chosen_cell(classes: int) -> Cell | None:
    """Return the chosen cell of a matrix of so many classes."""
    found = re.fullmatch(r"(\d{1,6})-(\d{1,6})", st.query_params.get(_CELL, ""), re.ASCII)
    cell = (int(found[1]), int(found[2])) if found else (classes, classes)
    return cell if max(cell) < classes else None


def choose_cell(cell: Cell, in_table: bool = False) -> None:
    """Choose a cell; for callbacks.

    Args:
        cell: True class and answer.
        in_table: Whether it was chosen in the table, which then shows it already.
    """
    st.query_params[_CELL] = f"{cell[0]}-{cell[1]}"
    if not in_table:
        st.session_state[_TABLE] = st.session_state.get(_TABLE, 0) + 1


def table_key() -> str:
    """Return the key of the table in which cells are chosen.

    A table's selection cannot be set but at its first appearance. So it gets a new key when a cell
    was chosen elsewhere, and keeps it, with its place and focus, while it is used itself.
    """
    return f"evaluate_table_{st.session_state.get(_TABLE, 0)}"


def chosen_image(count: int) -> int | None:
    """Return the chosen one of so many test images."""
    text = st.query_params.get(_IMAGE, "")
    row = int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else count
    return row if row < count else None


def open_image(row: int) -> None:
    """Choose a test image; for callbacks."""
    st.query_params[_IMAGE] = str(row)


def close_image() -> None:
    """Choose no test image; for callbacks."""
    st.query_params.pop(_IMAGE, None)
