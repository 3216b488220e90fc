"""Chooses whole groups of images to hold back, each class as nearly in proportion as that allows.

Works on class and group numbers alone; `splits` and `dividing` know what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cnn.errors import BadInput

Numbers = NDArray[np.int64]
Members = list[tuple[int, int]]  # of one group: class, images of that class


def hold_back_groups(
    labels: Numbers, groups: Numbers, fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Return which images to hold back: all of a group, or none.

    Groups are taken in random order, each if that brings the classes nearer to their shares. Every
    class keeps an image that is not held back, and has one that is wherever its groups allow it.

    Args:
        labels: Class of each image.
        groups: Group of each image, any whole numbers.
        fraction: Share of each class to hold back, above 0 and below 1.
        seed: Decides the order.

    Raises:
        BadInput: If no group can be held back.
    """
    names, codes = np.unique(groups, return_inverse=True)
    members = _members(labels, codes, len(names))
    sizes = np.bincount(labels).tolist() if len(labels) else []
    order = np.random.default_rng(seed).permutation(len(names)).tolist()
    held = [0] * len(sizes)
    chosen = np.zeros(len(names), bool)
    for group in order:
        if _fits(members[group], held, sizes) and _brings_nearer(
                members[group], held, sizes, fraction):
            chosen[group] = True
            _take(members[group], held)
    # A class whose groups are all large may have nothing yet: its smallest group, then.
    for group in sorted(order, key=lambda group: sum(count for _, count in members[group])):
        lacks = any(held[label] == 0 for label, _ in members[group])
        if lacks and not chosen[group] and _fits(members[group], held, sizes):
            chosen[group] = True
            _take(members[group], held)
    if not chosen.any():
        raise BadInput(
            f"{len(labels):,} images in {len(names):,} groups are too few to hold back a part of "
            f"{fraction:g} without dividing a group.",
            "At least one class needs images of two groups. Use finer groups, or split by ratio.")
    return chosen[codes]


def _members(labels: Numbers, codes: Numbers, count: int) -> list[Members]:
    classes = int(labels.max()) + 1 if len(labels) else 1
    pairs, counts = np.unique(codes * classes + labels, return_counts=True)
    members: list[Members] = [[] for _ in range(count)]
    for pair, number in zip(pairs.tolist(), counts.tolist(), strict=True):
        members[pair // classes].append((pair % classes, number))
    return members


def _fits(group: Members, held: list[int], sizes: list[int]) -> bool:
    return all(held[label] + count < sizes[label] for label, count in group)


def _brings_nearer(
    group: Members, held: list[int], sizes: list[int], fraction: float
) -> bool:
    gain = 0.0
    for label, count in group:
        missing = fraction * sizes[label] - held[label]
        gain += (missing**2 - (missing - count) ** 2) / sizes[label]
    return gain > 0


def _take(group: Iterable[tuple[int, int]], held: list[int]) -> None:
    for label, count in group:
        held[label] += count
