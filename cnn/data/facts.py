"""What the report before a training is made of: the facts, the findings and their fixes.

Knows how they are shaped; `findings` judges, `preflight` gathers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.data.changes import Edit
from cnn.data.dataset import Labels
from cnn.data.duplicates import Pairs, linked_sets
from cnn.data.layout import Skipped

PROBLEM, WARNING, NOTE = "problem", "warning", "note"


@dataclass(frozen=True)
class Fix:
    """A change that would mend a finding."""

    name: str  # the kind of change
    words: str
    edit: Edit


@dataclass(frozen=True)
class Finding:
    """Something a person should know before training."""

    kind: str
    level: str  # PROBLEM, WARNING or NOTE
    message: str
    hint: str  # what it means or what to do
    sets: list[list[int]]  # items concerned, those that belong together in one list
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What is known of N images that are in use, training images first."""

    class_names: tuple[str, ...]
    labels: Labels  # (N,)
    in_test: NDArray[np.bool_]  # (N,)
    items: Labels  # (N,), places in the set's list
    side: int  # shortest side of a stored image, pixels
    spread: NDArray[np.float32]  # (N,), contrast
    equal: list[Labels]  # rows of each set of equal images
    near: Pairs  # rows of nearly equal images, one of each equal set
    groups: Labels | None = None  # (N,)
    widths: Labels | None = None  # (N,), of the originals
    heights: Labels | None = None
    skipped: tuple[Skipped, ...] = ()
    weighted: bool = False

    def places(self, rows: Iterable[int]) -> list[int]:
        """Return the items of some rows, ascending, each once."""
        return sorted({int(self.items[row]) for row in rows})

    def linked(self, pairs: Pairs) -> list[list[int]]:
        """Return pairs as sets of items."""
        return [self.places(rows) for rows in linked_sets(pairs)]

    def equal_pairs(self) -> Pairs:
        """Return all pairs of the first of each equal set with the others, and of neighbours.

        Each picture stands beside one of the other part and class, if its set has any.
        """
        pairs = [np.zeros((0, 2), np.int64)]
        for rows in self.equal:
            key = self.in_test[rows] * len(self.class_names) + self.labels[rows]
            ordered = rows[np.argsort(key, kind="stable")]
            pairs.append(np.stack([np.full(len(rows) - 1, ordered[0]), ordered[1:]], axis=1))
            pairs.append(np.stack([ordered[:-1], np.full(len(rows) - 1, ordered[-1])], axis=1))
        return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)
