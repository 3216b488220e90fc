"""Changing an imported set by hand: leaving out and moving pictures, merging and renaming classes.

Every change is recorded and can be taken back. Shows training images only.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnn.data.edits import apply_edit
from pages.shared.acting import act
from pages.shared.formats import plain
from pages.shared.health_pictures import Shelf, show_grid


def draw_mending(shelf: Shelf) -> None:
    """Draw the pictures of a class to choose from, and what can be done with whole classes."""
    body = st.expander("Change pictures and classes by hand", on_change="rerun",
                       key="mend_open", icon=":material/edit:")
    if not body.open:
        return
    with body:
        pictures, classes = st.tabs(["Pictures", "Classes"])
        with pictures:
            _draw_pictures(shelf)
        with classes:
            _draw_merging(shelf)
            _draw_renaming(shelf)


def _draw_pictures(shelf: Shelf) -> None:
    data = shelf.data
    label = st.selectbox("Training images of", range(len(data.class_names)), key="mend_class",
                         format_func=lambda label: data.class_names[label])
    rows = np.flatnonzero(data.train_labels == label)
    show_grid(shelf, [] if data.train_items is None else data.train_items[rows].tolist(),
              f"class_{label}")


def _draw_merging(shelf: Shelf) -> None:
    st.markdown("**Merge classes**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = st.multiselect("Classes that become one", shelf.data.class_names,
                               key="mend_merge", width=400)
        into = st.text_input("Its name", placeholder=names[0] if names else "", key="mend_into",
                             width=220).strip()
        if st.button("Merge", icon=":material/merge:", key="mend_merge_do",
                     disabled=len(names) < 2):
            act(apply_edit, shelf.data.name,
                {"kind": "merge", "classes": names, "into": into or names[0]})


def _draw_renaming(shelf: Shelf) -> None:
    st.markdown("**Rename a class**")
    classes = list(shelf.data.class_names)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        old = st.selectbox("Class", classes, key="mend_rename", width=400)
        new = st.text_input("New name", key="mend_new_name", width=220).strip()
        if st.button("Rename", icon=":material/edit:", key="mend_rename_do",
                     disabled=not new or new in classes):
            act(apply_edit, shelf.data.name, {"kind": "merge", "classes": [old], "into": new})
    if new and new in classes and new != old:
        st.caption(f"There is a class {plain(new)}: to make both one, merge them.")
