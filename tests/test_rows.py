"""A view of some rows answers like the array of these rows."""

import numpy as np
import pytest

from cnn.data.rows import RowView

BASE = np.arange(7 * 2 * 3 * 1, dtype=np.uint8).reshape(7, 2, 3, 1)
ROWS = np.array([5, 0, 3, 6])
VIEW, ARRAY = RowView(BASE, ROWS), BASE[ROWS]


@pytest.mark.parametrize("key", [
    0, -1, np.int64(2), slice(1, 3), slice(None, None, 2), [2, 0],
    np.array([True, False, True, True]), np.array([], np.int64), (slice(None), 0, 0, 0),
    (2, slice(None), 1), (..., 0), (1,), (np.array([0, 2]), 1), (slice(0, 2), slice(None), [0, 2]),
    (np.array([[1], [3]]), np.array([[0, 1], [1, 0]]), np.array([[2], [0]])),
])
def test_indexing(key: object) -> None:
    assert np.array_equal(VIEW[key], ARRAY[key])


def test_it_looks_and_converts_like_an_array() -> None:
    assert (VIEW.shape, VIEW.ndim, VIEW.dtype, len(VIEW)) == (ARRAY.shape, 4, np.uint8, 4)
    assert (VIEW.size, VIEW.nbytes) == (ARRAY.size, ARRAY.nbytes)
    assert np.array_equal(np.asarray(VIEW), ARRAY)
    assert np.array_equal(np.concatenate([VIEW, VIEW]), np.concatenate([ARRAY, ARRAY]))
    assert np.array_equal(list(VIEW), ARRAY)
    assert np.asarray(VIEW, np.float32).dtype == VIEW.astype(np.float32).dtype == np.float32
    assert np.pad(VIEW, ((0, 0), (1, 1), (1, 1), (0, 0))).shape == (4, 4, 5, 1)


def test_one_image_is_not_copied() -> None:
    assert np.shares_memory(VIEW[1], BASE)


@pytest.mark.parametrize("place", [4, -5])
def test_there_is_nothing_behind_the_last_row(place: int) -> None:
    with pytest.raises(IndexError):
        VIEW[place]
