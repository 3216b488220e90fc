"""The list of the pictures of an imported set, in one compact file beside the images.

    items.npz   for each stored image: class, part, group, and of the original its name, part as
                given, width, height and bytes; and the files that were left out, with reasons

Written once at the import and never changed. Knows the file's form, not what is done with it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels
from cnn.data.layout import Skipped
from cnn.errors import Damaged

FILE = "items.npz"
_NUMBERS = ("labels", "split", "groups", "widths", "heights", "bytes")
_TEXTS = ("names", "given", "group_names", "skipped_files", "skipped_reasons")


@dataclass(frozen=True)
class Places:
    """What opening a set needs: of each stored image class, part and group."""

    labels: Labels  # (N,)
    split: NDArray[np.int8]  # (N,), IN_TRAIN, IN_TEST or UNUSED
    groups: Labels | None  # (N,), None if the set has no groups


@dataclass(frozen=True)
class Items(Places):
    """Everything that is known of the originals."""

    names: tuple[str, ...]  # N, folders and file name as in the source
    given: tuple[str, ...]  # N, the part the source put it in: train, val, test or ""
    group_names: tuple[str, ...]  # of the first groups; those behind have one picture each
    widths: NDArray[np.int64]  # (N,), pixels, upright
    heights: NDArray[np.int64]
    bytes: NDArray[np.int64]  # (N,), size of the file
    skipped: tuple[Skipped, ...]


def write_items(folder: Path, items: Items) -> None:
    """Write the list into the folder of a set that is being made."""
    files, reasons = zip(*items.skipped, strict=True) if items.skipped else ((), ())
    texts = {"names": items.names, "given": items.given, "group_names": items.group_names,
             "skipped_files": files, "skipped_reasons": reasons}
    groups = np.zeros(0, np.int64) if items.groups is None else items.groups
    numbers = {"labels": items.labels, "split": items.split, "groups": groups,
               "widths": items.widths, "heights": items.heights, "bytes": items.bytes}
    with (folder / FILE).open("wb") as file:
        np.savez_compressed(file, **numbers,
                            **{name: _packed(text) for name, text in texts.items()})


def read_places(folder: Path) -> Places:
    """Return classes, parts and groups alone: in milliseconds, whatever the names are.

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
        texts = {name: _unpacked(reader.array(name)) for name in _TEXTS}
        sizes = {name: reader.array(name) for name in ("widths", "heights", "bytes")}
        count = len(places.labels)
        if any(len(part) != count for part in (texts["names"], texts["given"], *sizes.values())):
            raise ValueError("its lists have different lengths")
        skipped = tuple(zip(texts.pop("skipped_files"), texts.pop("skipped_reasons"), strict=True))
        return Items(places.labels, places.split, places.groups, skipped=skipped, **texts, **sizes)


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

    def array(self, name: str) -> NDArray[np.int64]:
        return self._file[name]

    def places(self) -> Places:
        labels, split, groups = (self.array(name) for name in _NUMBERS[:3])
        if not len(labels) == len(split) or len(groups) not in (0, len(labels)):
            raise ValueError("its lists have different lengths")
        return Places(labels.astype(np.int64), split.astype(np.int8),
                      groups.astype(np.int64) if len(groups) else None)


def _packed(texts: Iterable[str]) -> NDArray[np.uint8]:
    # Each with a line's end behind it: an array of texts would take four bytes for each character
    # of the longest. No name has a line's end, and reasons lose theirs here.
    whole = "".join(" ".join(text.splitlines()) + "\n" for text in texts)
    return np.frombuffer(whole.encode(errors="replace"), np.uint8)


def _unpacked(data: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(data.astype(np.uint8).tobytes().decode().split("\n")[:-1])
