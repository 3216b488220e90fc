"""Pictures of an imported set to look at and to choose from, in pages, with what to do with them.

Reads only the images on the screen. A test image is shown by its name, unless a person asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
import streamlit as st

from cnn.data.catalogue import DatasetInfo
from cnn.data.dataset import Dataset
from cnn.data.edits import apply_edit
from cnn.data.preflight import item_image, item_names
from pages.shared import cached
from pages.shared.acting import act
from pages.shared.formats import amount, count, plain
from pages.shared.pictures import enlarged

THUMBNAIL = 96  # pixels
WIDTH = 128  # pixels of a tile
SETS_PER_PAGE, MOST_OF_A_SET = 12, 8
NAME_SHOWN = 60  # characters of a file name
_BY_HAND = "chosen by hand"


@dataclass(frozen=True)
class Shelf:
    """A set with what its pictures are called and where they belong now."""

    data: Dataset
    changeable: bool
    names: list[str]  # of all items
    places: dict[int, tuple[int, bool]] = field(repr=False)  # item: class, whether of the test


def open_shelf(info: DatasetInfo) -> Shelf:
    """Return what is needed to show pictures of a set by their places in its list.

    Raises:
        CnnError: If it cannot be opened.
    """
    data = cached.dataset(info.name)
    return _shelf(info.name, data.fingerprint, info.kind == "imported", data)


@st.cache_resource(max_entries=2, show_spinner=False)
def _shelf(name: str, fingerprint: str, imported: bool, _data: Dataset) -> Shelf:
    train, test = len(_data.train_labels), len(_data.test_labels)
    changeable = imported and _data.train_items is not None
    if _data.train_items is None or _data.test_items is None:
        items = np.arange(train + test)
    else:
        items = np.concatenate([_data.train_items, _data.test_items])
    labels = np.concatenate([_data.train_labels, _data.test_labels])
    places = {item: (label, row >= train) for row, (item, label) in enumerate(
        zip(items.tolist(), labels.tolist(), strict=True))}
    return Shelf(_data, changeable, item_names(name), places)


def show_sets(shelf: Shelf, sets: list[list[int]], key: str) -> None:
    """Show pictures that belong together side by side, page by page, and what to do with them.

    Args:
        shelf: Of the set.
        sets: Items, those that belong together in one list.
        key: For the keys of the widgets.
    """
    known = [[item for item in items if item in shelf.places] for items in sets]
    if all(len(items) <= 1 for items in known):
        known = [[item for items in known for item in items]]
        show_grid(shelf, known[0], key)
        return
    asked = _ask_for_test(shelf, known, key)
    pages = -(-len(known) // SETS_PER_PAGE)
    page = min(st.session_state.get(f"health_page_{key}", 1), pages)
    chosen: list[int] = []
    with st.container(horizontal=True, gap="small"):
        for items in known[(page - 1) * SETS_PER_PAGE:page * SETS_PER_PAGE]:
            with st.container(border=True, width="content"):
                chosen += _tiles(shelf, items[:MOST_OF_A_SET], key, asked)
                if len(items) > MOST_OF_A_SET:
                    st.caption(f"and {count(len(items) - MOST_OF_A_SET)} more")
    if pages > 1:
        st.pagination(pages, key=f"health_page_{key}", max_visible_pages=5)
    offer_changes(shelf, chosen, key)


def show_grid(shelf: Shelf, items: list[int], key: str) -> None:
    """Show pictures one beside the other, page by page, and what to do with them."""
    asked = _ask_for_test(shelf, [items], key)
    per_page = 2 * SETS_PER_PAGE
    pages = max(1, -(-len(items) // per_page))
    page = min(st.session_state.get(f"health_page_{key}", 1), pages)
    chosen = _tiles(shelf, items[(page - 1) * per_page:page * per_page], key, asked)
    if pages > 1:
        st.pagination(pages, key=f"health_page_{key}", max_visible_pages=5)
    offer_changes(shelf, chosen, key)


def _ask_for_test(shelf: Shelf, sets: list[list[int]], key: str) -> bool:
    if not any(shelf.places[item][1] for items in sets for item in items):
        return False
    return st.toggle("Show test images too", key=f"health_test_{key}",
                     help="The test is sealed: what you know of its images may influence what you "
                          "choose. Names are enough for most decisions.")


def _tiles(shelf: Shelf, items: list[int], key: str, show_test: bool) -> list[int]:
    """Draw pictures with their names; return those that are chosen."""
    chosen = []
    with st.container(horizontal=True, gap="small"):
        for item in items:
            with st.container(width=WIDTH, gap="xxsmall"):
                _draw_picture(shelf, item, show_test)
                if _draw_name(shelf, item, key):
                    chosen.append(item)
    return chosen


def _draw_picture(shelf: Shelf, item: int, show_test: bool) -> None:
    label, in_test = shelf.places[item]
    if in_test and not show_test:
        with st.container(border=True, width=THUMBNAIL, height=THUMBNAIL,
                          horizontal_alignment="center", vertical_alignment="center"):
            st.markdown(":material/lock:", width="content")
    else:
        st.image(enlarged(item_image(shelf.data, item), THUMBNAIL), width=THUMBNAIL,
                 output_format="PNG", alt=f"{shelf.names[item]}, {shelf.data.class_names[label]}")


def _draw_name(shelf: Shelf, item: int, key: str) -> bool:
    label, in_test = shelf.places[item]
    name = f":small[{plain(_short(PurePosixPath(shelf.names[item]).name))}]"
    # With the state of the set in its key: what was chosen before a change is not chosen now.
    picked = shelf.changeable and st.checkbox(
        name, key=f"pick_{shelf.data.fingerprint[:8]}_{key}_{item}")
    if not shelf.changeable:
        st.markdown(name)
    st.caption(f"{plain(_short(shelf.data.class_names[label]))}{', test' if in_test else ''}")
    return bool(picked)


def _short(name: str) -> str:
    if len(name) <= NAME_SHOWN:
        return name
    half = NAME_SHOWN // 2
    return f"{name[:half - 1]}…{name[-half:]}"


def offer_changes(shelf: Shelf, items: list[int], key: str) -> None:
    """Show what can be done with the chosen pictures, and do it at a click."""
    if not shelf.changeable:
        return
    if not items:
        st.caption("Choose pictures by their boxes to leave them out or to move them.")
        return
    name = shelf.data.name
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.markdown(f"**{amount(len(items), 'picture')}** chosen", width="content")
        if st.button("Leave out", icon=":material/delete:", key=f"health_drop_{key}"):
            act(apply_edit, name, {"kind": "drop", "items": items, "why": _BY_HAND})
        to = st.selectbox("Class", list(shelf.data.class_names), index=None, width=240,
                          placeholder="Class, or a new one", accept_new_options=True,
                          label_visibility="collapsed", key=f"health_to_{key}")
        if st.button("Move to it", icon=":material/drive_file_move:", key=f"health_move_{key}",
                     disabled=not to):
            act(apply_edit, name, {"kind": "move", "items": items, "to": str(to).strip(),
                                   "why": _BY_HAND})
