"""3×3 convolutions with a third of the multiplications, for training steps in float32.

After Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308), section
4: F(4×4, 3×3). Input and kernel are brought to another basis, in which 36 products for each pair of
channels give 16 places of the output, where 144 are needed otherwise; results differ by about 1e-5
of their largest value. The change of basis is a matrix product of whole feature maps, so that a
CPU's quickest kernel does that too.

Here is the arithmetic, without TensorFlow: which convolutions it is quicker for, and what they are
multiplied with. `layers` has the convolution itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cnn.models.specs import Padding, Shape, places

TILE = 6  # places of the input in one tile, along one side
_STEP = 4  # places of the output there
# B, G and A of the paper: what input, kernel and products are multiplied with from the left.
_INPUT = np.array([
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
], np.float64)
KERNEL = np.array([
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
], np.float64)
_OUTPUT = np.array([
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
], np.float64)

LARGEST = 64  # pixels: a change of basis as one matrix grows with the square of the side
# As many multiply-adds take the time of one change of basis of a value and back. Fitted to 23
# shapes with batches of 64 and 500: none that `pays` was slower by more than 2 %; the smallest
# feature maps gain more than it says.
_WORK_OF_A_CHANGE = 55


def work(shape: Shape, filters: int, padding: Padding) -> int:
    """Return the multiply-adds of a plain convolution that would take as long, for one image.

    Args:
        shape: Height, width and channels of the input.
        filters: How many channels the output has.
        padding: As in Keras.
    """
    rows, columns = (_tiles(_places(size, padding)) for size in shape[:2])
    channels = shape[2]
    return TILE * TILE * rows * columns * (
        channels * filters + _WORK_OF_A_CHANGE * (channels + filters))


def pays(shape: Shape, filters: int, padding: Padding) -> bool:
    """Return whether it trains faster than TensorFlow's own convolution.

    Args:
        shape: Height, width and channels of the input.
        filters: How many channels the output has.
        padding: As in Keras.
    """
    rows, columns = (_places(size, padding) for size in shape[:2])
    if min(rows, columns) < 1 or max(shape[:2]) > LARGEST:
        return False
    return work(shape, filters, padding) < KERNEL.shape[1]**2 * rows * columns * shape[2] * filters


@lru_cache(maxsize=64)
def matrices(size: int, padding: Padding) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the change of basis of all tiles along one side, and the way back.

    Args:
        size: Of the input, in pixels.
        padding: As in Keras.

    Returns:
        float32 (6 * tiles, size), whose rows are in the order (place in the tile, tile), and
        float32 (places of the output, 6 * tiles).
    """
    outputs, before = _places(size, padding), int(padding == "same")
    tiles = _tiles(outputs)
    there = np.zeros((TILE, tiles, tiles * _STEP + TILE - _STEP))
    back = np.zeros((tiles * _STEP, TILE, tiles))
    for tile in range(tiles):
        there[:, tile, tile * _STEP:tile * _STEP + TILE] = _INPUT
        back[tile * _STEP:(tile + 1) * _STEP, :, tile] = _OUTPUT
    inside = np.zeros((there.shape[-1], size))  # from the image to the image with its padding
    count = min(size, len(inside) - before)
    inside[range(before, before + count), range(count)] = 1
    return ((there.reshape(-1, len(inside)) @ inside).astype(np.float32),
            back[:outputs].reshape(outputs, -1).astype(np.float32))


def _places(size: int, padding: Padding) -> int:
    return places(size, KERNEL.shape[1], 1, padding)


def _tiles(outputs: int) -> int:
    return -(-outputs // _STEP)
