"""Chooses whole groups of images to hold back, each class as nearly in proportion as that allows.

Works on class and group numbers alone; `splits` and `dividing` know what they are for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnn.errors import BadInput

Numbers = NDArray[np.int64]
Members = list[tuple[int, int]]  # of one group: class, images of that class

_ROUNDS = 4
_GAIN = 1e-9  # less is rounding, and could turn a group for ever


def hold_back_groups(
    labels: Numbers, groups: Numbers, fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Return which images to hold back: all of a group, or none.

    Groups are gone through in random order, and each taken, or put back in a later round, if that
    brings the classes nearer to their shares. Every class keeps an image that is not held back, and
    has one that is wherever its groups allow it.

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
    for _ in range(_ROUNDS):
        if not _round(order, members, held, sizes, fraction, chosen):
            break
    # A class whose groups are all large may have nothing yet: its smallest group, then.
    for group in sorted(order, key=lambda group: sum(count for _, count in members[group])):
        lacks = any(held[label] == 0 for label, _ in members[group])
        if lacks and not chosen[group] and _fits(members[group], held, sizes):
            _turn(group, members[group], held, chosen)
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


def _round(
    order: list[int], members: list[Members], held: list[int], sizes: list[int], fraction: float,
    chosen: NDArray[np.bool_],
) -> bool:
    """Take or put back each group where that helps; return whether any was."""
    turned = False
    for group in order:
        sign = -1 if chosen[group] else 1
        gain = 0.0
        for label, count in members[group]:
            missing = fraction * sizes[label] - held[label]
            gain += (missing**2 - (missing - sign * count) ** 2) / sizes[label]
        if gain > _GAIN and (sign < 0 or _fits(members[group], held, sizes)):
            _turn(group, members[group], held, chosen)
            turned = True
    return turned


def _turn(group: int, members: Members, held: list[int], chosen: NDArray[np.bool_]) -> None:
    """Take a group, or put it back."""
    sign = -1 if chosen[group] else 1
    for label, count in members:
        held[label] += sign * count
    chosen[group] = not chosen[group]
