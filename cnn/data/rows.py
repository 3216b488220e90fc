"""Some rows of an array that is mapped from disk, looked up only when they are asked for.

Stands in for an array of images wherever data code reads one: `len`, `shape`, indexing and
conversion by NumPy. Choosing other rows never rewrites the images, which is what makes a changed
data set cheap and every change reversible. Knows nothing of what the rows mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


class RowView:
    """The rows `rows` of `base`, in that order.

    Args:
        base: An array with at least one axis; never written to.
        rows: int64, positions along its first axis.
    """

    def __init__(self, base: NDArray[Any], rows: NDArray[np.int64]) -> None:
        self.base, self.rows = base, rows
        self.dtype, self.ndim = base.dtype, base.ndim
        self.shape = (len(rows), *base.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> Any:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
        if first is Ellipsis or first is None:
            return np.asarray(self)[key]
        chosen = self.rows[first]
        if isinstance(first, np.ndarray) and rest:  # the other indices go along with this one
            return self.base[(chosen, *rest)]
        if not rest:
            return self.base[chosen]
        return self.base[chosen][rest if np.ndim(chosen) == 0 else (slice(None), *rest)]

    def __iter__(self) -> Iterator[Any]:
        return (self.base[row] for row in self.rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("the rows lie apart on disk: an array of them is always a copy")
        values: NDArray[Any] = self.base[self.rows]
        return values if dtype is None else values.astype(dtype, copy=False)

    @property
    def size(self) -> int:
        """How many values there are."""
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        """How many bytes an array of them would take."""
        return self.size * self.dtype.itemsize

    def astype(self, dtype: Any) -> NDArray[Any]:
        """Return the rows as an array of another type."""
        return np.asarray(self).astype(dtype)
