"""Pictures of what is inside a network: feature maps, weights, and one map for a chosen place.

Knows arrays and PNG, and neither widgets nor networks.
"""

from __future__ import annotations

import base64
from math import ceil

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Images
from cnn.data.images import encode_png
from cnn.prediction.heat_pictures import coloured, sheet

MOST_MAPS = 48  # on one sheet; whole rows of eight
COLUMNS = 8
MAP_SIDE, FILTER_SIDE = 64, 40  # pixels, about
_POSITIVE, _NEGATIVE = (47, 111, 237), (232, 89, 12)  # told apart with any colour vision
_GROUND, _GAP = 246, 3
MOST_ACROSS = 12  # filters in a row


def maps_png(values: NDArray[np.float32], first: int = 0) -> bytes:
    """Return some channels of a feature map on one sheet, each from its lowest to its highest.

    Args:
        values: (h, w, channels).
        first: The first channel on the sheet.
    """
    part = values[..., first:first + MOST_MAPS]
    return encode_png(sheet(part, COLUMNS, MAP_SIDE))


def row_png(values: NDArray[np.float32]) -> bytes:
    """Return a row of values (n,) as stripes of colour, dark to yellow, in rows of at most 256."""
    width = min(len(values), 256)
    padded = np.pad(values, (0, -len(values) % width), mode="edge").reshape(-1, width)
    tall = max(1, 24 // len(padded))
    return encode_png(_scaled(padded).repeat(tall, axis=0).repeat(max(1, 768 // width), axis=1))


def map_url(values: NDArray[np.float64] | NDArray[np.float32]) -> str:
    """Return a map (h, w) as a picture for a browser, one pixel for each value."""
    return "data:image/png;base64," + base64.b64encode(encode_png(_scaled(values))).decode()


def map_png(values: NDArray[np.float64] | NDArray[np.float32], side: int) -> bytes:
    """Return a map (h, w) as a PNG about `side` pixels high, a value a square block."""
    factor = max(1, side // max(values.shape))
    return encode_png(_scaled(values).repeat(factor, axis=0).repeat(factor, axis=1))


def filters_png(kernels: NDArray[np.float32]) -> bytes:
    """Return weights side by side: blue above zero, orange below, the strongest the most colour.

    Args:
        kernels: (h, w, n), with one scale for all n.
    """
    height, width, count = kernels.shape
    factor = max(2, FILTER_SIDE // max(height, width))
    tiles = signed(kernels.transpose(2, 0, 1)).repeat(factor, axis=1).repeat(factor, axis=2)
    columns = _columns(count)
    high, wide = height * factor + _GAP, width * factor + _GAP
    page = np.full((ceil(count / columns) * high - _GAP, columns * wide - _GAP, 3), 160, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // columns * high, place % columns * wide
        page[top:top + tile.shape[0], left:left + tile.shape[1]] = tile
    return encode_png(page)


def _columns(count: int) -> int:
    """Return how many tiles lie in a row: whole rows where the number can be divided."""
    most = min(count, MOST_ACROSS)
    return next((across for across in range(most, most // 2, -1) if count % across == 0), most)


def signed(values: NDArray[np.float32]) -> Images:
    """Return numbers of both signs as colours: blue above zero, orange below, pale near it.

    Args:
        values: Of any shape; the largest, whatever its sign, gets the full colour.
    """
    share = np.abs(values) / (np.abs(values).max() or 1)
    full = np.where((values > 0)[..., None], np.array(_POSITIVE), np.array(_NEGATIVE))
    mixed = _GROUND + (full - _GROUND) * share[..., None]
    return np.asarray(mixed.round().astype(np.uint8))


def _scaled(values: NDArray[np.float64] | NDArray[np.float32]) -> Images:
    low, high = float(values.min()), float(values.max())
    return coloured(((values - low) / (high - low or 1)).astype(np.float32))
