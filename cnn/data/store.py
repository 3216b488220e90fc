"""Prepared data sets on disk: arrays and a description in one folder each.

    <store>/<name>/train_images.npy train_labels.npy test_images.npy test_labels.npy meta.json
    <store>/<name>/images.npy items.npz meta.json edits.json      an imported set (see `stock`)

A folder appears whole or not at all and never changes, but for `edits.json`. The arrays are mapped,
not read: opening a set takes milliseconds, and all processes share one copy in memory. This module
does not know where the images come from, nor how a damaged set could be made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from cnn import paths
from cnn.data.dataset import Dataset, Images, Labels
from cnn.data.dividing import sentence
from cnn.data.progress import Progress
from cnn.data.splits import Rows
from cnn.data.stock import IMPORTED, META, mapped, open_parts, read_summary
from cnn.errors import Damaged, NotFound, Unavailable
from cnn.files import TEMPORARY, atomic_path, atomic_write_json, read_json

STORE = "cnn-studio"  # folder of the store inside a data folder
_FORMAT = 1  # raise it when a set of the same sources would be stored otherwise
_CHUNK = 1024  # images copied at a time


@dataclass(frozen=True)
class Part:
    """Images and labels to be stored as one split: all of them, or only `rows`."""

    images: Images
    labels: Labels
    rows: Rows | None = None


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known about a set apart from its arrays."""

    kind: str  # built-in or imported
    title: str
    description: str
    licence: str
    source: str
    resize: str = "crop"  # this and the next as in `Dataset`
    dark_background: bool = False


@dataclass(frozen=True, kw_only=True)
class Meta(About):
    """What can be said about a stored set without opening its arrays."""

    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    train_count: int
    test_count: int
    fingerprint: str
    split: dict[str, Any] = field(default_factory=dict)  # how it was divided: `dividing.sentence`
    changes: int = 0  # how many edits there are
    imported: bool = False  # whether the files are those of an imported set


def data_folders() -> list[Path]:
    """Return the folders where data is looked for, in this order."""
    return list(dict.fromkeys((paths.data_dir(), paths.keras_cache_dir())))


def find(*names: str) -> Path | None:
    """Return the first of these files or folders that is in a data folder and can be read."""
    places = (folder / name for folder in data_folders() for name in names)
    return next((place for place in places if os.access(place, os.R_OK)), None)


def writable_folder(inside: str = "") -> Path:
    """Return the first data folder that can be written: a lab's shared one may be read-only.

    Args:
        inside: A folder in it to make and return instead. Defaults to none.

    Raises:
        Unavailable: If there is none.
    """
    for data_folder in data_folders():
        folder = data_folder / inside
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    raise Unavailable(
        f"No data folder can be written: {', '.join(map(str, data_folders()))}.",
        "Set CNN_DATA_DIR to a folder of your own that has free space.")


def set_folder(name: str) -> Path:
    """Return the folder of the stored set `name`.

    Raises:
        NotFound: If no set of this name is stored.
    """
    folder = find(f"{STORE}/{name}")
    if folder is None:
        raise NotFound(f"No data set named {name!r} is stored.")
    return folder


def stored_names() -> list[str]:
    """Return the names of all stored sets, sound or damaged, in alphabetical order."""
    names: set[str] = set()
    for folder in data_folders():
        if os.access(folder / STORE, os.R_OK):
            names.update(p.name for p in (folder / STORE).iterdir()
                         if p.is_dir() and not p.name.startswith("."))
    return sorted(names)


def read_meta(name: str) -> Meta:
    """Return the description of the stored set `name`.

    Raises:
        NotFound: If no set of this name is stored.
        Damaged: If its description is missing, unreadable or of another version.
    """
    folder = set_folder(name)
    try:
        values = read_json(folder / META)
        form = values.pop("format", None)
        if form not in (_FORMAT, IMPORTED):
            raise ValueError("meta.json is of another version")
        if form == IMPORTED:
            values |= {"imported": True, **read_summary(folder)}
        return _checked(values)
    except (NotFound, Damaged) as error:
        raise _damaged(folder, error.message) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, f"meta.json is wrong ({error})") from error


def _checked(values: dict[str, Any]) -> Meta:
    classes, shape = values.pop("class_names"), values.pop("image_shape")
    meta = Meta(class_names=tuple(classes), image_shape=tuple(shape), **values)
    numbers = (meta.train_count, meta.test_count, *meta.image_shape)
    if len(shape) != 3 or not all(type(n) is int and n > 0 for n in numbers):
        raise ValueError("its sizes")
    texts = (*meta.class_names, meta.kind, meta.title, meta.description, meta.licence,
             meta.source, meta.resize, meta.fingerprint)
    if not all(isinstance(text, str) for text in texts) or type(meta.dark_background) is not bool:
        raise ValueError("its texts")
    sentence(meta.split, meta.changes)  # fails if it cannot be said
    return meta


def _damaged(folder: Path, reason: str) -> Damaged:
    return Damaged(f"The stored data set {folder.name!r} is damaged: {reason.rstrip('.')}.",
                   f"Remove it and import it again. It is in {folder}.")


def open_set(name: str) -> Dataset:
    """Return the stored set `name`, its arrays mapped from disk.

    Raises:
        NotFound: If no set of this name is stored.
        Damaged: If a file is missing or does not fit the others.
    """
    meta, folder = read_meta(name), set_folder(name)
    try:
        parts = open_parts(folder, meta.image_shape) if meta.imported else _parts(folder, meta)
    except Exception as error:  # a flipped bit in a header can end in many kinds
        raise _damaged(folder, str(error)) from error
    return Dataset(name, fingerprint=meta.fingerprint, resize=meta.resize,
                   dark_background=meta.dark_background, split=sentence(meta.split, meta.changes),
                   **parts)


def _parts(folder: Path, meta: Meta) -> dict[str, Any]:
    parts: dict[str, Any] = {"class_names": meta.class_names}
    for split, count in (("train", meta.train_count), ("test", meta.test_count)):
        images, labels = f"{split}_images", f"{split}_labels"
        parts[images] = mapped(folder / f"{images}.npy", np.uint8, (count, *meta.image_shape))
        parts[labels] = mapped(folder / f"{labels}.npy", np.int64, (count,))
        low, high = int(parts[labels].min()), int(parts[labels].max())
        if low < 0 or high >= len(meta.class_names):
            raise ValueError(f"{labels}.npy has labels from {low} to {high}")
    return parts


def lock_path(name: str) -> Path:
    """Return the lock that is held while the set `name` is made or changed."""
    return writable_folder(STORE) / f".{name}.lock"


@contextmanager
def preparing(name: str, progress: Progress) -> Iterator[None]:
    """Keep other processes and threads from making the set `name` while the block runs.

    Raises:
        Unavailable: If no data folder can be written.
    """
    lock = FileLock(lock_path(name))
    while True:
        try:
            lock.acquire(timeout=1)
            break
        except Timeout:
            progress(f"Waiting for another process that prepares {name}", 0, 0)
        except OSError as error:
            raise Unavailable(f"The data folder cannot be locked: {error}.",
                              "Set CNN_DATA_DIR to a folder of your own.") from error
    try:
        yield
    finally:
        lock.release()


def write_set(
    name: str, class_names: tuple[str, ...], train: Part, test: Part, about: About
) -> None:
    """Store a set under `name`, in place of a damaged one; call it inside `preparing`.

    Args:
        name: A name that `cnn.files.check_name` accepts.
        class_names: What the labels stand for.
        train: The training split.
        test: The test split.
        about: What else to say about it.

    Raises:
        Unavailable: If the disk is full or cannot be written.
    """
    target = writable_folder(STORE) / name
    with atomic_path(target) as folder:
        folder.mkdir()
        digest = hashlib.sha256(json.dumps(class_names).encode())
        counts = [_write_part(folder, split, part, digest)
                  for split, part in (("train", train), ("test", test))]
        known = {"class_names": class_names, "image_shape": train.images.shape[1:],
                 "train_count": counts[0], "test_count": counts[1],
                 "fingerprint": digest.hexdigest(), **asdict(about)}
        atomic_write_json(folder / META, {"format": _FORMAT, **known})
        shutil.rmtree(target, ignore_errors=True)


def _write_part(folder: Path, split: str, part: Part, digest: Any) -> int:
    rows = np.arange(len(part.labels)) if part.rows is None else part.rows
    _write_rows(folder / f"{split}_images.npy", part.images, rows, digest)
    _write_rows(folder / f"{split}_labels.npy", part.labels.astype(np.int64), rows, digest)
    return len(rows)


def _write_rows(path: Path, array: NDArray[Any], rows: Rows, digest: Any) -> None:
    """Write some rows of an array that may be larger than the memory, and add them to the hash."""
    shape = (len(rows), *array.shape[1:])
    digest.update(f"{path.stem} {array.dtype.str} {shape}".encode())
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {
            "descr": array.dtype.str, "fortran_order": False, "shape": shape})
        for start in range(0, len(rows), _CHUNK):
            data = array[rows[start:start + _CHUNK]].tobytes()
            digest.update(data)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())


def remove_set(name: str) -> None:
    """Delete the stored set `name`, sound or damaged.

    Raises:
        NotFound: If no set of this name is stored.
        Unavailable: If it cannot be deleted.
    """
    folder = set_folder(name)
    # Renamed first: half a deleted folder would be a damaged set.
    rubbish = folder.with_name(f"{TEMPORARY}removed-{os.getpid()}-{name}")
    try:
        folder.replace(rubbish)
        shutil.rmtree(rubbish)
    except OSError as error:
        raise Unavailable(f"The data set {name!r} cannot be removed ({error.strerror}).",
                          "Check that nothing uses it and that you may write to it.") from error
