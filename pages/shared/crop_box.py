"""Choosing a part of a picture: a box of fixed proportions that is dragged, or moved by keys.

Gives the part as shares of width and height. Knows nothing of models; what the part is cut from is
not decoded here.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from pages.shared.scripted import scripted

if TYPE_CHECKING:
    from cnn.data.parts import Box

_LABEL = "Drag the box, or its corner. With keys: arrows move it, + and - change its size."
_component = scripted("crop_box")


def choose_part(png: bytes, size: tuple[int, int], aspect: float, alt: str, key: str) -> Box | None:
    """Show a picture with a box on it; return the chosen part.

    Args:
        png: The picture, as it is shown.
        size: Its height and width in pixels.
        aspect: Width over height of the box.
        alt: Says what the picture is.
        key: Of the widget.

    Returns:
        Left, top, right and bottom as shares of width and height; None before the box was moved.
    """
    height, width = size
    found = _component(key=key, on_part_change=_nothing, data={
        "of": hashlib.sha256(png).hexdigest(), "picture": _url(png), "width": width,
        "height": height, "aspect": aspect, "alt": alt, "label": _LABEL})
    return checked_part(found.part)


def _url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def checked_part(part: object) -> Box | None:
    """Return a part that a browser sent, if it is one."""
    if not isinstance(part, list) or len(part) != 4:
        return None
    if not all(isinstance(share, int | float) for share in part):
        return None
    left, top, right, bottom = map(float, part)
    inside = 0 <= left < right <= 1 and 0 <= top < bottom <= 1
    return (left, top, right, bottom) if inside else None


def _nothing() -> None:
    """Do nothing: that it is called at all draws the page anew."""
