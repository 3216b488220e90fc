"""The files of one imported set: all images in one array, what each is, and what was changed since.

    images.npy  uint8 (N, height, width, channels), in the order of the files' names
    items.npz   what each image is (see `items`)
    meta.json   what it is called, its classes and counts, and how it was divided
    edits.json  changes, in order, and the counts and classes that they lead to

Parts, classes and changes are lists of rows and numbers, applied when the set is opened: the images
are written once and never again. Knows one folder, not where it lies or what it is called.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.changes import Edit, State, apply_all, balanced_weights
from cnn.data.dataset import Labels
from cnn.data.dividing import IN_TEST, IN_TRAIN
from cnn.data.items import Places, read_places
from cnn.data.rows import RowView
from cnn.errors import Damaged, NotFound
from cnn.files import atomic_write_json, read_json

IMAGES, EDITS, META = "images.npy", "edits.json", "meta.json"
IMPORTED = 2  # the format that the description names; built-in sets have 1


def mapped(path: Path, dtype: type, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array mapped from a file.

    Raises:
        ValueError: If the file holds another, or has a wrong length.
    """
    array = np.lib.format.open_memmap(path, mode="r")  # never unpickles
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise ValueError(f"{path.name} holds {array.dtype} {array.shape}, expected {shape}")
    if path.stat().st_size != array.offset + array.nbytes:
        raise ValueError(f"{path.name} has the wrong length")
    return np.asarray(array)  # a plain view: np.memmap is slow to index


def write_description(folder: Path, values: dict[str, Any]) -> None:
    """Write what is known of a set into its folder, which is being made."""
    atomic_write_json(folder / META, {"format": IMPORTED, **values})


def open_parts(folder: Path, image_shape: tuple[int, int, int]) -> dict[str, Any]:
    """Return what a `Dataset` needs of an imported set, changes applied.

    Raises:
        CnnError, ValueError, OSError: If a file is missing or does not fit the others.
    """
    places = read_places(folder)
    state = _changed(folder, places, read_edits(folder))
    images = mapped(folder / IMAGES, np.uint8, (len(state.labels), *image_shape))
    train, test = (np.flatnonzero(state.split == part) for part in (IN_TRAIN, IN_TEST))
    labels, groups = state.labels, state.groups
    weights = balanced_weights(labels[train], len(state.class_names)) if state.weighted else None
    return {
        "class_names": tuple(state.class_names),
        "train_images": RowView(images, train), "train_labels": labels[train],
        "test_images": RowView(images, test), "test_labels": labels[test],
        "train_groups": None if groups is None else groups[train],
        "held_back": _held_back(places.held_back[train], labels[train]),
        "class_weights": None if weights is None else tuple(weights.tolist()),
        "train_items": train, "test_items": test}


def _held_back(held: NDArray[np.bool_], labels: Labels) -> NDArray[np.bool_] | None:
    """Return what the source keeps for validation, if it does; never all of a class."""
    held &= np.isin(labels, labels[~held])
    return held if held.any() else None


def changed_state(folder: Path, edits: list[Edit]) -> State:
    """Return classes, parts and groups of all stored images after some changes.

    Raises:
        BadInput: If a change cannot be understood, or too little would be left.
        Damaged: If the files cannot be read.
    """
    return _changed(folder, read_places(folder), edits)


def _changed(folder: Path, places: Places, edits: list[Edit]) -> State:
    names = list(read_json(folder / META)["class_names"])
    if len(places.labels) and not 0 <= places.labels.min() <= places.labels.max() < len(names):
        raise Damaged(f"{folder.name}/items.npz has labels without a class.")
    return apply_all(State(names, places.labels, places.split, places.groups), edits)


def read_edits(folder: Path) -> list[Edit]:
    """Return the changes, in the order in which they are applied.

    Raises:
        Damaged: If their file cannot be read.
    """
    edits = _read(folder).get("edits", [])
    if not isinstance(edits, list):
        raise Damaged(f"{folder.name}/{EDITS} holds no list of changes.")
    return edits


def read_summary(folder: Path) -> dict[str, Any]:
    """Return what the changes make of the description; nothing if there are none.

    Raises:
        Damaged: If their file cannot be read.
    """
    summary = _read(folder).get("summary", {})
    if not isinstance(summary, dict):
        raise Damaged(f"{folder.name}/{EDITS} holds no summary.")
    return summary


def _read(folder: Path) -> dict[str, Any]:
    try:
        return read_json(folder / EDITS)
    except NotFound:
        return {}


def write_edits(folder: Path, edits: list[Edit]) -> None:
    """Put a new list of changes in place of the old one, once it is known that it can be applied.

    Raises:
        BadInput: If a change cannot be understood, or too little would be left.
        Damaged: If the files cannot be read.
        Unavailable: If the disk is full or cannot be written.
    """
    state = changed_state(folder, edits)
    if not edits:
        (folder / EDITS).unlink(missing_ok=True)
        return
    original = read_json(folder / META)["fingerprint"]
    text = original + json.dumps(edits, sort_keys=True)
    atomic_write_json(folder / EDITS, {"edits": edits, "summary": {
        "class_names": state.class_names,
        "train_count": int((state.split == IN_TRAIN).sum()),
        "test_count": int((state.split == IN_TEST).sum()),
        "changes": len(edits),
        "fingerprint": hashlib.sha256(text.encode()).hexdigest()}})
