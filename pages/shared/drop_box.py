"""Many files at once, or a whole folder: dropped on an uploader, sent past it by a small script.

Says what was given and what was left out; few files stay with the uploader (`uploads`). Files go to
the server by `drop_route`. Knows nothing of pictures.
"""

from __future__ import annotations

import streamlit as st

from cnn.data.drops import Bounds, Drop, Tray, left_out_lines
from pages.shared.drop_route import MOST_LISTED
from pages.shared.formats import amount, bytes_in_words, count, plain
from pages.shared.leaving import clear_when_left
from pages.shared.scripted import scripted
from pages.shared.uploads import Upload

FEW = 50  # files that the uploader's own list shows in a second or two
_component = scripted("drop_box", "small_button")


def dropped_files(uploader: str, bounds: Bounds) -> list[Upload]:
    """Draw what stands below an uploader; return the files that were dropped on it at once.

    Args:
        uploader: Key of the uploader.
        bounds: What one drop may hold.
    """
    key = f"{uploader}_tray"
    if key not in st.session_state:
        st.session_state[key] = Tray(bounds)
        clear_when_left(st.session_state[key])
    tray: Tray = st.session_state[key]
    found = _component(key=f"{uploader}_drop", on_dropped_change=_nothing, data={
        "visit": tray.secret, "uploader": uploader, "few": FEW, "listed": MOST_LISTED,
        "hint": f"or drop one above, or up to {count(bounds.files)} files at once"})
    if isinstance(found.dropped, str):
        tray.take(found.dropped)
    if tray.drop is None:
        return []
    _draw(tray, tray.drop, f"{uploader}_drop_remove")
    return [Upload(file.name, file.path) for file in tray.drop.files()]


def _draw(tray: Tray, drop: Drop, key: str) -> None:
    """Say what has come and what was left out, and offer to remove it."""
    files = drop.files()
    size = sum(file.size for file in files)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/photo_library: **{amount(len(files), 'file')}** given at once"
                    + (f", {bytes_in_words(size)}" if size >= 2**20 else ""), width="content")
        if st.button("Remove", icon=":material/close:", type="tertiary", key=key):
            tray.clear()
            st.rerun()
    left_out = drop.left_out()
    if left_out:
        lines = "\n".join(f"- {plain(line)}" for line in left_out_lines(left_out))
        number = sum(map(len, left_out.values()))
        st.warning(f"**Left out: {amount(number, 'file')}**\n{lines}",
                   icon=":material/filter_list:")


def _nothing() -> None:
    """Do nothing: that it is called at all draws the page anew."""
