"""Small pictures made large without blending: every pixel stays a square block of one colour."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from cnn.data.dataset import Images
from cnn.data.images import encode_png
from cnn.data.parts import Box


def enlarged(image: Images, most: int) -> bytes:
    """Return an image as PNG, each pixel repeated as often as a longest side of `most` allows.

    Args:
        image: uint8 (H, W) or (H, W, C) with 1 or 3 channels, 0 to 255.
        most: In pixels. An image that is larger already keeps its size.
    """
    factor = max(1, most // max(image.shape[:2]))
    return encode_png(np.repeat(np.repeat(image, factor, axis=0), factor, axis=1))


def enlarged_png(png: bytes, most: int) -> bytes:
    """Return a PNG that the prediction engine made, enlarged as `enlarged` does.

    Not for files from people: those are decoded in the engine, never in the server.
    """
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        return enlarged(np.asarray(picture), most)


def with_part(png: bytes, most: int, part: Box) -> bytes:
    """Return a PNG that the prediction engine made, enlarged, with all but a part of it dimmed.

    Args:
        png: RGB.
        most: As for `enlarged`.
        part: Left, top, right and bottom as shares of width and height, 0 to 1.
    """
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        pixels = np.asarray(picture)
    height, width = pixels.shape[:2]
    left, top, right, bottom = part
    dimmed = pixels // 4
    inside = np.s_[round(top * height):round(bottom * height),
                   round(left * width):round(right * width)]
    dimmed[inside] = pixels[inside]
    return enlarged(dimmed, most)
