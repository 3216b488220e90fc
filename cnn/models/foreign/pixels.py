"""Which pixel values a network from elsewhere was trained on: only its owner knows."""

from __future__ import annotations

from typing import NamedTuple

from cnn.errors import BadInput


class Pixels(NamedTuple):
    """How values 0 to 255 become what a network expects: times `scale`, plus `offset`."""

    scale: float
    offset: float
    words: str


WHOLE = "0-255"
PIXELS = {
    WHOLE: Pixels(1.0, 0.0, "0 to 255"),
    "0-1": Pixels(1 / 255, 0.0, "0 to 1"),
    "minus1-1": Pixels(1 / 127.5, -1.0, "−1 to 1"),
}


def check_pixels(name: str) -> str:
    """Return a name of `PIXELS`.

    Raises:
        BadInput: If it is none.
    """
    if name not in PIXELS:
        raise BadInput(f"pixels must be one of {', '.join(PIXELS)}. Received: {name!r}.",
                       "0-1 is usual for networks that were given pictures divided by 255; 0-255 "
                       "for those that scale them themselves.")
    return name
