"""Looks at pictures before they are imported: what is there, what size suits, what a split gives.

Decodes a few pictures only, spread over all of them. Knows nothing of pages.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from cnn.data.decoding import SIZES
from cnn.data.dividing import IN_TEST, SplitPlan, divide
from cnn.data.images import Pixels, decode_image, thumbnail
from cnn.data.importing import Source, source_of
from cnn.data.layout import Candidate, Entry, Skipped, arrange, path_of
from cnn.data.tables import TABLES, TEST
from cnn.errors import BadInput

# What is proposed: larger costs a network on a processor far more time than it brings.
_PROPOSED = (16, 24, 32, 48, 64)
_LOOKED_AT = 24  # pictures
_SHOWN = 4  # of these, kept for a preview
_LONGEST = 2 * SIZES[1]  # pixels of a preview's longest side: enough for every size to choose
_T = TypeVar("_T")


@dataclass(frozen=True)
class Look:
    """What is known of pictures before they are imported."""

    classes: dict[str, int]  # name: pictures
    skipped: list[Skipped]  # files that are no pictures of a class
    table: str  # the file that says what the pictures show; "": their folders do
    parts: dict[str, int]  # what the source calls its parts: pictures; nothing if it has none
    has_groups: bool  # whether a table says which pictures belong together
    sizes: list[tuple[int, int]]  # width, height of the pictures that were looked at
    size: int  # proposed height and width in pixels
    channels: int  # 1 if all that were looked at are grey
    samples: list[tuple[str, Pixels]]  # class and picture, to show what a way of resizing does
    files: list[Candidate]  # all pictures, to try ways to split on; they cannot be read any more

    @property
    def has_test(self) -> bool:
        """Whether the source says which pictures are for the test."""
        return TEST in self.parts


@dataclass(frozen=True)
class Tried:
    """What a way to split makes of pictures that are not imported yet."""

    train: int  # pictures, if all can be used
    test: int
    groups: dict[str, int]  # name: pictures, the largest first; nothing without groups
    alone: int  # pictures that are in no group


def look_at(source: Path | Source) -> Look:
    """Return what is there to import, without importing it.

    Args:
        source: What `import_images` takes, or a `Source`.

    Raises:
        BadInput: If the source is not understood.
        NotFound: If there is no such file or folder.
        Refused: If the source is a zip that is made to do harm.
    """
    found = source if isinstance(source, Source) else source_of(source)
    with found.opened as (entries, unsafe):
        files, unused = arrange(entries, found.table_decides)
        chosen = _spread(files, _LOOKED_AT)
        pictures = [(file.class_name, picture) for file in chosen
                    if (picture := _decoded(file)) is not None]
        tables = [path_of(entry) for entry in entries
                  if entry.parts[-1].lower().endswith(TABLES)]
    left_out = {path for path, _ in unused}
    sizes = [(picture.shape[1], picture.shape[0]) for _, picture in pictures]
    return Look(
        dict(sorted(Counter(file.class_name for file in files).items())), [*unsafe, *unused],
        next((path for path in tables if path not in left_out), ""),
        dict(Counter(file.split for file in files if file.split)),
        any(file.group for file in files),
        sizes, propose_size(sizes), _channels([picture for _, picture in pictures]),
        [(name, thumbnail(picture, _LONGEST)) for name, picture in _samples(pictures)],
        [replace(file, entry=Entry(file.entry.parts, _closed)) for file in files])


def _closed() -> bytes:
    raise BadInput("its source is closed")


def try_plan(look: Look, plan: SplitPlan) -> Tried:
    """Return what a way to split would make of pictures.

    Raises:
        BadInput: If it cannot be done with them.
    """
    numbers = {name: number for number, name in enumerate(look.classes)}
    labels = np.array([numbers[file.class_name] for file in look.files], np.int64)
    made = divide(look.files, labels, plan)
    test = int((made.split == IN_TEST).sum())
    sizes = np.zeros(0, np.int64) if made.groups is None else np.bincount(made.groups)
    groups = dict(zip(made.group_names, sizes.tolist(), strict=False))  # behind: those alone
    return Tried(len(labels) - test, test,
                 dict(sorted(groups.items(), key=lambda group: (-group[1], group[0]))),
                 len(sizes) - len(groups))


def size_reason(look: Look) -> str:
    """Return in words why a size is proposed."""
    if not look.sizes:
        return ""
    middle = int(statistics.median(min(size) for size in look.sizes))
    if middle > _PROPOSED[-1]:
        return (f"Half of the pictures have {middle} pixels and more on their short side. Beyond "
                f"{_PROPOSED[-1]} a network needs far more time and hardly gets better.")
    return (f"Half of the pictures have {middle} pixels or less on their short side: larger ones "
            "would be enlarged, which shows no more.")


def propose_size(sizes: Sequence[tuple[int, int]]) -> int:
    """Return the height and width to propose: what most pictures can fill, and 64 at most.

    Args:
        sizes: Width and height of some pictures. None: the largest is proposed.
    """
    if not sizes:
        return _PROPOSED[-1]
    middle = int(statistics.median(min(size) for size in sizes))
    return max((size for size in _PROPOSED if size <= middle), default=max(SIZES[0], middle))


def _spread(things: Sequence[_T], count: int) -> list[_T]:
    places = np.unique(np.linspace(0, len(things) - 1, min(count, len(things))).astype(int))
    return [things[place] for place in places.tolist()]


def _samples(pictures: list[tuple[str, Pixels]]) -> list[tuple[str, Pixels]]:
    """Return some pictures, first the least square one: on it ways of resizing differ most."""
    shapes = [picture.shape[:2] for _, picture in pictures]
    least = max(range(len(shapes)), key=lambda place: max(shapes[place]) / min(shapes[place]),
                default=0)
    others = [one for place, one in enumerate(pictures) if place != least]
    return [*pictures[least:least + 1], *_spread(others, _SHOWN - 1)]


def _decoded(file: Candidate) -> Pixels | None:
    try:
        return decode_image(file.entry.read())
    except BadInput:
        return None


def _channels(pictures: list[Pixels]) -> int:
    grey = all((picture == picture[..., :1]).all() for picture in pictures)
    return 1 if pictures and grey else 3
