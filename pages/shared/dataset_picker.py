"""Choosing a data set, and getting it ready where it is not: the same on every page that needs one.

A download never starts without a click; what is on this computer already is prepared at once.
"""

from __future__ import annotations

import time

import streamlit as st

from cnn.data.catalogue import DatasetInfo, describe, load
from cnn.errors import CnnError, Damaged
from pages.shared.cached import described
from pages.shared.download_view import draw_download, offer_new_copy
from pages.shared.errors import show_error
from pages.shared.formats import amount, plain, size

SECONDS_BETWEEN_UPDATES = 0.1
KEY = "dataset"  # of the choice, in the session and in the address


def choose_dataset() -> DatasetInfo:
    """Show the choice of data set, which all pages share, and return the chosen one.

    A new visit begins with the one that the address names, so that a reload or a link keeps it.

    Raises:
        NotFound: If it was removed meanwhile.
    """
    infos = {info.name: info for info in described()}
    if KEY not in st.session_state:
        _take_from_address(infos)
    name = st.selectbox("Data set", list(infos), format_func=lambda name: _label(infos, name),
                        key=KEY, persist_state="session")
    # Not `bind`: the address would hold the label, which changes with the set.
    if name != st.query_params.get(KEY, next(iter(infos))):
        st.query_params[KEY] = name
    return describe(name)


def _take_from_address(infos: dict[str, DatasetInfo]) -> None:
    asked = st.query_params.get(KEY)
    if asked in infos:
        st.session_state[KEY] = asked
    elif asked is not None:
        st.warning(f"There is no data set {plain(repr(asked[:80]))}. Choose one that there is.",
                   icon=":material/search_off:")


def _label(infos: dict[str, DatasetInfo], name: str) -> str:
    info = infos[name]
    if info.image_shape:
        return f"{info.title} ({size(info.image_shape)}, {amount(len(info.classes), 'class')})"
    return info.title if info.available else f"{info.title} (not on this computer yet)"


def is_ready(info: DatasetInfo) -> bool:
    """Return whether a data set can be used at once; if not, say why and offer what helps."""
    if info.image_shape:
        return True
    if info.kind == "imported":
        st.error(plain(info.note), icon=":material/error:")
        return False
    if info.available:  # seconds, once on this computer
        _prepare(info)
        return False
    draw_download(info)
    return False


def _prepare(info: DatasetInfo) -> None:
    bar = ProgressBar("Stay on this page: leaving it ends the preparation.")
    try:
        load(info.name, bar.show)
        st.rerun()
    except CnnError as error:
        show_error(error)
        if isinstance(error, Damaged):
            offer_new_copy(info)
    bar.clear()


class ProgressBar:
    """A bar that data code can report to; redrawn a few times a second at most.

    Args:
        caption: Said below the bar while it moves.
    """

    def __init__(self, caption: str) -> None:
        self._bar = st.progress(0.0, text="Starting")
        self._caption = st.caption(caption)
        self._drawn = 0.0

    def show(self, what: str, done: int, total: int) -> None:
        """Show what is being done and how far it is, as `cnn.data.progress` says."""
        if time.monotonic() - self._drawn < SECONDS_BETWEEN_UPDATES:
            return
        self._drawn = time.monotonic()
        share = min(done / total, 1.0) if total else 0.0
        self._bar.progress(share, text=plain(f"{what}: {share:.0%}" if total else what))

    def clear(self) -> None:
        """Remove the bar."""
        self._bar.empty()
        self._caption.empty()
