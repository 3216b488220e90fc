"""Finds images that are equal, and images that are nearly so, among tens of thousands.

Nearly: the same picture saved again, resized, or made a little brighter. Two 64-bit difference
hashes (does it get brighter to the right, and downwards, on a grid of 8 x 8?) bring the candidates,
found by cutting the hash in pieces, one of which two near hashes must share. A candidate counts if
also its mean colour and its pixels on a grid of 16 x 16 agree. Knows arrays only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.progress import Progress

Pairs = NDArray[np.int64]  # (M, 2), the smaller row first
Hashes = NDArray[np.uint64]

MAX_PAIRS = 200_000  # found pairs, after which the search ends: the set is one crowd
_CHUNK = 4_000_000  # values of the images that are looked at together
_PIECES = (11, 11, 11, 11, 10, 10)  # bits; hashes that differ in fewer bits than these share one
_NEAR = len(_PIECES) - 1  # bits of the first hash that may differ
_NEAR_DOWN = 10  # bits of the second
_NEAR_COLOUR = 12.0  # of 255, mean of each channel
# Correlation of the pixels. Copies saved as JPEG reach 0.999; the most alike of 4,600 different
# blood cells, all of them light discs on black, reach 0.990.
_ALIKE = 0.992
_STEP = 1.5  # of 255: less is noise, not "brighter"
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_BLOCK = 256  # rows of one comparison of all with all
_PART = 20_000  # candidates whose pixels are compared together


@dataclass(frozen=True)
class Prints:
    """What is kept of every image for comparing."""

    exact: NDArray[np.uint64]  # (N, 2), hash of all pixels
    right: Hashes  # (N,)
    down: Hashes  # (N,)
    small: NDArray[np.float32]  # (N, 256), mean 0, length 1
    colour: NDArray[np.float32]  # (N, 3), 0 to 255
    spread: NDArray[np.float32]  # (N,), standard deviation of the liveliest channel, 0 to 127.5


def take_prints(images: Any, progress: Progress, done: int = 0, total: int = 0) -> Prints:
    """Return what is needed to compare images, reading them once.

    Args:
        images: uint8 (N, H, W, C), an array or a `RowView`.
        progress: Told how many were looked at.
        done: How many of `total` were before.
        total: Defaults to the number of images.
    """
    height, width = images.shape[1:3]
    grids = {size: (_averaging(height, size[0]), _averaging(width, size[1]).T)
             for size in ((8, 9), (9, 8), (16, 16))}
    parts = []
    step = max(1, _CHUNK // int(np.prod(images.shape[1:])))
    for start in range(0, len(images), step):
        progress("Comparing pictures", done + start, total or len(images))
        parts.append(_prints_of(np.asarray(images[start:start + step]), grids))
    return join([Prints(*part) for part in parts])


def join(parts: list[Prints]) -> Prints:
    """Return the prints of several arrays of images as those of one."""
    return Prints(*(np.concatenate([getattr(part, name) for part in parts])
                    for name in Prints.__dataclass_fields__))


def _averaging(size: int, cells: int) -> NDArray[np.float32]:
    """Return the matrix (cells, size) that averages pixels over equal cells."""
    edges = np.linspace(0, size, cells + 1)
    places = np.arange(size)
    low, high = edges[:-1, None], edges[1:, None]
    covered = np.clip(np.minimum(high, places + 1) - np.maximum(low, places), 0, None)
    return (covered / covered.sum(1, keepdims=True)).astype(np.float32)


def _prints_of(images: NDArray[np.uint8], grids: dict[Any, Any]) -> tuple[NDArray[Any], ...]:
    exact = np.frombuffer(b"".join(
        hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images), np.uint64)
    values = images.astype(np.float32)
    grey = values @ _GREY if images.shape[3] == 3 else values[..., 0]

    def on(size: tuple[int, int]) -> NDArray[np.float32]:
        down, across = grids[size]
        return down @ grey @ across

    small = on((16, 16)).reshape(len(images), -1)
    small = small - small.mean(1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)
    colour = np.broadcast_to(values.mean((1, 2)), (len(images), 3))
    return (exact.reshape(-1, 2), _bits(np.diff(on((8, 9)), axis=2)),
            _bits(np.diff(on((9, 8)), axis=1)), small.astype(np.float32), np.array(colour),
            values.std((1, 2)).max(1))


def _bits(steps: NDArray[np.float32]) -> Hashes:
    packed = np.packbits((steps > _STEP).reshape(len(steps), 64), axis=1)
    return packed.view(np.uint64).ravel()


def equal_sets(prints: Prints) -> list[NDArray[np.int64]]:
    """Return the rows of each set of equal images, ascending, in the order of their first rows."""
    _, codes, counts = np.unique(prints.exact, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(codes.ravel(), kind="stable")
    sets = np.split(order, np.cumsum(counts)[:-1])
    return sorted((rows for rows in sets if len(rows) > 1), key=lambda rows: int(rows[0]))


def near_pairs(prints: Prints, rows: NDArray[np.int64], progress: Progress) -> tuple[Pairs, bool]:
    """Return the pairs of nearly equal images among some rows, and whether these are all.

    Args:
        prints: Of all images.
        rows: Which to compare: of equal images one, and none that is blank.
        progress: Told how far the search is.
    """
    found: list[Pairs] = []
    count = 0
    for candidates in _candidates(prints.right[rows], progress):
        for start in range(0, len(candidates), _PART):
            pairs = _verified(prints, rows[candidates[start:start + _PART]])
            found.append(pairs)
            count += len(pairs)
            if count >= MAX_PAIRS:
                return np.concatenate(found)[:MAX_PAIRS], False
    return np.concatenate([np.zeros((0, 2), np.int64), *found]), True


def _verified(prints: Prints, pairs: Pairs) -> Pairs:
    one, other = pairs.T
    pairs = pairs[np.bitwise_count(prints.down[one] ^ prints.down[other]) <= _NEAR_DOWN]
    one, other = pairs.T
    pairs = pairs[np.abs(prints.colour[one] - prints.colour[other]).max(1) <= _NEAR_COLOUR]
    one, other = pairs.T
    alike = np.einsum("ij,ij->i", prints.small[one], prints.small[other]) >= _ALIKE
    return np.sort(pairs[alike], axis=1)


def _candidates(hashes: Hashes, progress: Progress) -> Iterator[Pairs]:
    """Yield all pairs whose hashes differ in few bits, each once."""
    starts = np.cumsum((0, *_PIECES[:-1]))
    masks = [np.uint64(((1 << size) - 1) << int(start))
             for start, size in zip(starts, _PIECES, strict=True)]
    buckets = [_buckets(hashes & mask) for mask in masks]
    work = sum(len(bucket) ** 2 for piece in buckets for bucket in piece)
    if work > len(hashes) ** 2:  # hashes that agree everywhere: one round of all with all is less
        masks, buckets = [np.uint64(0)], [[np.arange(len(hashes))]]
        work = len(hashes) ** 2
    done = 0
    for piece, buckets_of_piece in enumerate(buckets):
        for bucket in buckets_of_piece:
            progress("Searching near copies", done, work)
            done += len(bucket) ** 2
            yield from _near_in(bucket, hashes, masks[:piece])


def _buckets(keys: Hashes) -> list[NDArray[np.int64]]:
    """Return the rows of each key that several have."""
    order = np.argsort(keys, kind="stable")
    cuts = np.flatnonzero(np.diff(keys[order])) + 1
    return [rows for rows in np.split(order, cuts) if len(rows) > 1]


def _near_in(
    bucket: NDArray[np.int64], hashes: Hashes, before: list[np.uint64]
) -> Iterator[Pairs]:
    inside = hashes[bucket]
    for start in range(0, len(bucket), _BLOCK):
        differ = inside[start:start + _BLOCK, None] ^ inside[None, start:]
        near = np.bitwise_count(differ) <= _NEAR
        one, other = np.nonzero(near)
        upper = other > one
        one, other = one[upper], other[upper]
        bits = differ[one, other]
        new = np.ones(len(bits), bool)
        for mask in before:  # a pair that shares an earlier piece was found there
            new &= (bits & mask) != 0
        if new.any():
            yield np.stack([bucket[start + one[new]], bucket[start + other[new]]], axis=1)


def linked_sets(pairs: Pairs) -> list[list[int]]:
    """Return the sets of rows that are linked by pairs, directly or through others."""
    parent: dict[int, int] = {}

    def root(row: int) -> int:
        while (above := parent.setdefault(row, row)) != row:
            parent[row] = parent.get(above, above)
            row = above
        return row

    for one, other in pairs.tolist():
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    sets: dict[int, list[int]] = {}
    for row in sorted(parent):
        sets.setdefault(root(row), []).append(row)
    return list(sets.values())
