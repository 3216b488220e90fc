"""3×3 convolutions with a third of the multiplications, for training steps.

After Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308), section
4: F(4×4, 3×3). Input and kernel are brought to another basis, in which 36 products for each pair of
channels give 16 places of the output, where 144 are needed otherwise; `layers.convolve` says how
exact the results are. The change of basis is a matrix product of whole feature maps, so that a
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
# Where the polynomials behind the method are taken, and at infinity. With the paper's 0, ±1 and ±2
# rounding errors come out more than twice as large. All of `_INPUT` and `_OUTPUT` is
# exact in bfloat16.
_POINTS = (0, 5 / 8, -5 / 8, 3 / 2, -3 / 2)


def _input_basis() -> NDArray[np.float64]:
    """Return B of the paper, transposed: what tiles are multiplied with from the left."""
    rows = [np.poly(_others(point))[::-1] for point in _POINTS]
    return np.array([np.pad(row, (0, 1)) for row in rows] + [np.poly(_POINTS)[::-1]])


def _kernel_basis() -> NDArray[np.float64]:
    """Return G of the paper: what kernels are multiplied with from the left."""
    rows = [np.power(point, range(3)) / np.prod([point - other for other in _others(point)])
            for point in _POINTS]
    return np.array([*rows, [0, 0, 1]])


def _output_basis() -> NDArray[np.float64]:
    """Return A of the paper, transposed: what products are multiplied with from the left."""
    columns = [np.power(point, range(_STEP)) for point in _POINTS]
    return np.array([*columns, [0] * (_STEP - 1) + [1]]).T


def _others(point: float) -> list[float]:
    return [other for other in _POINTS if other != point]


_INPUT, KERNEL, _OUTPUT = _input_basis(), _kernel_basis(), _output_basis()
LARGEST = 64  # pixels: a change of basis as one matrix grows with the square of the side
# As many multiply-adds take the time of one change of basis of a value and back, by precision.
# float32: fitted to 23 shapes with batches of 64 and 500 on a CPU with AVX2, where none that `pays`
# was slower by more than 2 %; the smallest feature maps gain more than it says. With AVX-512 it is
# about 105, and the few shapes at the edge take up to 1.2 times as long. bfloat16: fitted to 15
# shapes on a CPU that has it; none that `pays` was slower by more than 4 %.
_WORK_OF_A_CHANGE = {"float32": 55, "bfloat16": 120}


def work(shape: Shape, filters: int, padding: Padding, precision: str) -> int:
    """Return the multiply-adds of a plain convolution that would take as long, for one image.

    Args:
        shape: Height, width and channels of the input.
        filters: How many channels the output has.
        padding: As in Keras.
        precision: float32 or bfloat16.
    """
    rows, columns = (_tiles(_places(size, padding)) for size in shape[:2])
    channels = shape[2]
    return TILE * TILE * rows * columns * (
        channels * filters + _WORK_OF_A_CHANGE[precision] * (channels + filters))


def pays(shape: Shape, filters: int, padding: Padding, precision: str) -> bool:
    """Return whether it trains faster than TensorFlow's own convolution.

    Args:
        shape: Height, width and channels of the input.
        filters: How many channels the output has.
        padding: As in Keras.
        precision: float32 or bfloat16.
    """
    rows, columns = (_places(size, padding) for size in shape[:2])
    if min(rows, columns) < 1 or max(shape[:2]) > LARGEST:
        return False
    plain = KERNEL.shape[1]**2 * rows * columns * shape[2] * filters
    return work(shape, filters, padding, precision) < plain


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
