"""Parts of a picture, as shares of its width and height. Knows arrays only, and no Pillow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnn.errors import BadInput

Pixels = NDArray[np.uint8]  # (height, width, channels), 0 to 255; channels 1 (grey) or 3 (RGB)
Box = tuple[float, float, float, float]  # left, top, right, bottom


def cut(image: Pixels, part: Box) -> Pixels:
    """Return a part of a picture.

    Args:
        image: Values from 0 to 255, shape (height, width, channels).
        part: Left, top, right and bottom as shares of width and height, 0 to 1.

    Returns:
        At least one pixel of it, of shape (height, width, channels).

    Raises:
        BadInput: If the part is not inside the picture, or has no area.
    """
    left, top, right, bottom = part
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise BadInput("A part of a picture is left, top, right, bottom from 0 to 1. "
                       f"Received: {', '.join(f'{share:g}' for share in part)}.",
                       "Choose a part inside the picture.")
    height, width = image.shape[:2]
    first_row, first_column = min(int(top * height), height - 1), min(int(left * width), width - 1)
    rows = slice(first_row, max(first_row + 1, round(bottom * height)))
    columns = slice(first_column, max(first_column + 1, round(right * width)))
    return image[rows, columns]


def centred_part(size: tuple[int, int], target: tuple[int, int]) -> Box:
    """Return the largest centred part of the proportions of `target`, as shares of the picture.

    Args:
        size: Height and width of the picture.
        target: Height and width of what it becomes.
    """
    (height, width), aspect = size, target[1] / target[0]
    across = min(1.0, height * aspect / width)
    down = min(1.0, width / aspect / height)
    return (1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2
