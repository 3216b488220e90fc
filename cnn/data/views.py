"""Views of a picture that show the same: mirrored, and moved by one pixel.

The views and weights of Keller Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (arXiv
2404.00498), section 3.5, where averaging over them adds about half a point. Knows arrays only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnn.data.dataset import Images

_OFFSETS = ((1, 0.5), (0, 0.25), (2, 0.25))  # corner in the padded picture, and its weight


def view_count(mirror: bool) -> int:
    """Return how many views there are of each picture."""
    return len(_OFFSETS) * (2 if mirror else 1)


def views(images: Images, mirror: bool) -> Iterator[tuple[float, Images]]:
    """Yield each view of all images with its weight; the weights sum to 1.

    Half of the weight is on the pictures as they are, half on their two diagonal neighbours one
    pixel up and left, and down and right. Each counts half as itself and half mirrored.

    Args:
        images: uint8 (N, H, W, C).
        mirror: Whether mirrored pictures belong to the same class: not so for digits.
    """
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    for offset, weight in _OFFSETS:
        view = padded[:, offset:offset + height, offset:offset + width]
        if mirror:
            yield weight / 2, view
            yield weight / 2, view[:, :, ::-1]
        else:
            yield weight, view
