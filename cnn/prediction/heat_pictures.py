"""Heat and feature maps as pictures. Knows arrays only, and neither networks nor pages."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnn.data.dataset import Images
from cnn.data.images import to_channels

# Viridis, which Matplotlib has by default: equal steps look equal, also to colour-blind eyes.
_VIRIDIS = ("440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30",
            "fde725")
_FAINTEST, _STRONGEST = 0.25, 0.75  # share of the colour where heat is lowest and highest
_GAP = 2  # pixels between the maps of a sheet


def coloured(values: NDArray[np.float32]) -> Images:
    """Return numbers from 0 to 1 as colours from dark violet over green to yellow.

    Args:
        values: Of any shape.

    Returns:
        uint8, of that shape and RGB.
    """
    stops = np.array([list(bytes.fromhex(stop)) for stop in _VIRIDIS], np.float64)
    places = np.linspace(0, 1, len(stops))
    bands = [np.interp(values, places, stops[:, band]) for band in range(3)]
    return np.stack(bands, axis=-1).round().astype(np.uint8)


def shades(count: int = 256) -> Images:
    """Return the colours from the least to the most heat, uint8 (count, 3)."""
    return coloured(np.linspace(0, 1, count, dtype=np.float32))


def overlay(picture: Images, heat: NDArray[np.float32]) -> Images:
    """Lay heat over a picture: its light and shade stay, its colours give way.

    Args:
        picture: uint8 (H, W, 1 or 3).
        heat: (h, w), from 0; its highest hundredth gets the strongest colour.

    Returns:
        uint8 (H, W, 3).
    """
    height, width = picture.shape[:2]
    # Not the highest value: a single pixel would leave all others dark.
    most = np.percentile(heat, 99) or heat.max()
    scaled = heat / most if most > 0 else heat
    large = Image.fromarray(scaled.astype(np.float32)).resize(
        (width, height), Image.Resampling.BICUBIC)
    share = np.asarray(large).clip(0, 1)
    grey = to_channels(picture, 1).astype(np.float32)
    amount = _FAINTEST + (_STRONGEST - _FAINTEST) * share[..., None]
    return ((1 - amount) * grey + amount * coloured(share)).round().astype(np.uint8)


def sheet(maps: NDArray[np.float32], columns: int, side: int) -> Images:
    """Return feature maps side by side, each from its own lowest to its own highest value.

    Args:
        maps: (h, w, channels).
        columns: In a row of the sheet.
        side: About how many pixels a map is high; a value stays a square block of one colour.

    Returns:
        uint8 (H, W, 3) on white.
    """
    height, width, count = maps.shape
    factor = max(1, side // height)
    low, high = maps.min((0, 1)), maps.max((0, 1))
    scaled = (maps - low) / np.where(high > low, high - low, 1)
    tiles = coloured(scaled.transpose(2, 0, 1)).repeat(factor, axis=1).repeat(factor, axis=2)
    high_step, wide_step = height * factor + _GAP, width * factor + _GAP
    page = np.full((ceil(count / columns) * high_step - _GAP,
                    min(count, columns) * wide_step - _GAP, 3), 255, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // columns * high_step, place % columns * wide_step
        page[top : top + height * factor, left : left + width * factor] = tile
    return page
