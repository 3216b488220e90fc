"""A picture from the clipboard. Gives the bytes; what they are is found out by the engine."""

from __future__ import annotations

import base64
import binascii

from pages.shared.scripted import scripted

LARGEST = 10 * 2**20  # bytes: as text it is a third more, and Streamlit's messages end at 25 MB
_component = scripted("paste_box", "small_button")


def pasted_picture(key: str) -> bytes:
    """Show how to paste; return what was pasted just now, or nothing."""
    found = _component(key=key, on_picture_change=_nothing, data={"largest": LARGEST})
    return picture_in(found.picture)


def picture_in(url: object) -> bytes:
    """Return the bytes in a data URL that a browser sent; nothing if it is none."""
    if not isinstance(url, str) or not url.startswith("data:image/"):
        return b""
    try:
        return base64.b64decode(url.partition(";base64,")[2], validate=True)
    except binascii.Error:
        return b""


def _nothing() -> None:
    """Do nothing: that it is called at all draws the page anew."""
