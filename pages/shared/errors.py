"""The one error box: an expected failure in words, with what to do about it.

Only `CnnError` is caught. Anything else is a fault of this program and must stay visible as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cnn.errors import CnnError
from pages.shared.formats import plain


def error_text(error: CnnError) -> str:
    """Return message and hint as Markdown that shows foreign text as it is."""
    hint = f"\n\n{plain(error.hint)}" if error.hint else ""
    return f"**{plain(error.message)}**{hint}"


def show_error(error: CnnError) -> None:
    """Show an expected failure: what went wrong, and what to do."""
    st.error(error_text(error), icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an expected failure of the block; the page goes on after the block."""
    try:
        yield
    except CnnError as error:
        show_error(error)
