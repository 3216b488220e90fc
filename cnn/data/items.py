"""The list of the pictures of an imported set, in one compact file beside the images.

    items.npz   for each stored image: class, part, group, and of the original its name, part as
                given, width, height and bytes; and the files that were left out, with reasons

Written once at the import and never changed. Knows the file's form, not what is done with it.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels
from cnn.data.layout import Skipped
from cnn.errors import Damaged

FILE = "items.npz"


@dataclass(frozen=True)
class Places:
    """What opening a set needs: of each stored image class, part and group."""

    labels: Labels  # (N,)
    split: NDArray[np.int8]  # (N,), IN_TRAIN, IN_TEST or UNUSED
    groups: Labels | None  # (N,), None if the set has no groups
    held_back: NDArray[np.bool_]  # (N,), whether the source keeps it for validation


@dataclass(frozen=True)
class Items(Places):
    """Everything that is known of the originals."""

    names: tuple[str, ...]  # N, folders and file name as in the source
    group_names: tuple[str, ...]  # of the first groups; those behind have one picture each
    widths: NDArray[np.int64]  # (N,), pixels, upright
    heights: NDArray[np.int64]
    bytes: NDArray[np.int64]  # (N,), size of the file
    skipped: tuple[Skipped, ...]


def write_items(folder: Path, items: Items) -> None:
    """Write the list into the folder of a set that is being made."""
    files, reasons = zip(*items.skipped, strict=True) if items.skipped else ((), ())
    texts = {"names": items.names, "group_names": items.group_names,
             "skipped_files": files, "skipped_reasons": reasons}
    groups = np.zeros(0, np.int64) if items.groups is None else items.groups
    arrays: dict[str, Any] = {
        "labels": items.labels, "split": items.split, "groups": groups,
        "held_back": items.held_back, "widths": items.widths, "heights": items.heights,
        "bytes": items.bytes,
        **{name: _packed(text) for name, text in texts.items()}}
    with (folder / FILE).open("wb") as file:
        np.savez_compressed(file, **arrays)
        file.flush()
        os.fsync(file.fileno())


def read_places(folder: Path) -> Places:
    """Return what opening a set needs, and no names: in milliseconds, however many there are.

    Raises:
        Damaged: If the file cannot be read or contradicts itself.
    """
    with _Reader(folder) as reader:
        return reader.places()


def read_items(folder: Path) -> Items:
    """Return everything that is known of the originals.

    Raises:
        Damaged: If the file cannot be read or contradicts itself.
    """
    with _Reader(folder) as reader:
        places = reader.places()
        items = Items(
            places.labels, places.split, places.groups, places.held_back,
            names=reader.texts("names"), group_names=reader.texts("group_names"),
            widths=reader.array("widths"), heights=reader.array("heights"),
            bytes=reader.array("bytes"),
            skipped=tuple(zip(reader.texts("skipped_files"), reader.texts("skipped_reasons"),
                              strict=True)))
        lists = (items.names, items.widths, items.heights, items.bytes)
        if {len(part) for part in lists} != {len(places.labels)}:
            raise ValueError("its lists have different lengths")
        return items


class _Reader:
    """The open file; whatever goes wrong inside the block becomes `Damaged`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> _Reader:
        try:
            self._file = np.load(self._folder / FILE, allow_pickle=False)
        except Exception as error:
            raise self._damaged(error) from error
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._file.close()
        if isinstance(error, (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile)):
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> Damaged:
        return Damaged(f"{self._folder.name}/{FILE} cannot be read ({error}).",
                       "Remove this data set and import it again.")

    def array(self, name: str) -> NDArray[Any]:
        values: NDArray[Any] = self._file[name]
        return values

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self.array(name).astype(np.uint8).tobytes().decode().split("\n")[:-1])

    def places(self) -> Places:
        labels, split, groups, held = (
            self.array(name) for name in ("labels", "split", "groups", "held_back"))
        if not len(labels) == len(split) == len(held) or len(groups) not in (0, len(labels)):
            raise ValueError("its lists have different lengths")
        return Places(labels.astype(np.int64), split.astype(np.int8),
                      groups.astype(np.int64) if len(groups) else None, held.astype(bool))


def _packed(texts: Iterable[str]) -> NDArray[np.uint8]:
    # Each with a line's end behind it: an array of texts would take four bytes for each character
    # of the longest. No name has a line's end, and reasons lose theirs here.
    whole = "".join(" ".join(text.splitlines()) + "\n" for text in texts)
    return np.frombuffer(whole.encode(errors="replace"), np.uint8)
