"""Test images side by side, each a button that opens it: drawn by a small script in the page.

Streamlit's own images and buttons would be sixty elements, which cost the browser as much as all
the rest of the page. Knows nothing of what the lines below a picture mean.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import streamlit as st

from cnn.data.dataset import Images
from cnn.data.images import encode_png, thumbnail
from pages.shared.evaluate_choice import open_image
from pages.shared.scripted import scripted

LONGEST = 192  # pixels that are sent of a picture; it is shown at half of that
Tile = tuple[int, Images, Sequence[str]]  # test image, its pixels, lines below it
_component = scripted("picture_wall")


def show_wall(key: str, tiles: Sequence[Tile]) -> None:
    """Show pictures with lines of words below; a click opens one.

    Args:
        key: Of the element.
        tiles: In the order in which they are shown.
    """
    _component(key=key, on_opened_change=lambda: take_opening(key), data={"tiles": [
        [row, base64.b64encode(encode_png(thumbnail(image, LONGEST))).decode(), list(lines)]
        for row, image, lines in tiles]})


def take_opening(key: str) -> None:
    """Open the picture that was clicked on the wall with this key."""
    row = st.session_state[key]["opened"]
    if isinstance(row, int) and row >= 0:
        open_image(row)
