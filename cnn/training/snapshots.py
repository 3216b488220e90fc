"""Snapshots of a training: small files of the weights after some epochs, to look back at.

    snapshots/00012-<first 16 digits of its SHA-256>.npz    after epoch 12

A checkpoint is for going on and has everything in full; a snapshot is for people: kernels in half
precision, and what the network answered to the validation images. Each says by itself which network
it is of, so a damaged one takes no other along. At most 20 are kept, spread over the epochs, and
at most 64 MB. Needs no TensorFlow; knows no trainer and no run.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels
from cnn.errors import Damaged, NotFound, Refused, Unavailable
from cnn.files import TEMPORARY, atomic_write_bytes

FOLDER = "snapshots"
MOST_KEPT = 20
MOST_BYTES = 64 * 2**20  # of all snapshots of a run
FEWEST = 3  # of a network so large that fewer would fit, none are kept
SPARE = 2**30  # bytes that stay free: a checkpoint or a model needs the room more
_NAME = re.compile(r"(\d{5,})-([0-9a-f]{16})\.npz")
_HINT = "The other epochs are not affected. Delete this file from the run's folder."


@dataclass(frozen=True)
class About:
    """Which network a snapshot is of, and how pictures are brought to it."""

    architecture: str
    input_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    dataset: str
    resize: str
    dark_background: bool


@dataclass(frozen=True)
class Answers:
    """What a network answered to the n validation images, and what they are."""

    about: About
    answers: Labels  # int64 (n,)
    labels: Labels  # int64 (n,)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (K, K), row: true class, column: answer."""
        classes = len(self.about.class_names)
        cells = np.bincount(self.labels * classes + self.answers, minlength=classes**2)
        return cells.reshape(classes, classes)


def snapshot_bytes(
    weights: Sequence[Any], about: About, answers: Labels, labels: Labels
) -> bytes:
    """Return a snapshot as the bytes of an .npz file.

    Kernels are kept in half precision; vectors, such as the variances of batch normalisation, and
    what half precision cannot hold, in single precision.

    Args:
        weights: Arrays, in the order of `keras.Model.get_weights`.
        about: Which network they are of.
        answers: Classes that it gave the validation images, (n,).
        labels: Their true classes, (n,).
    """
    narrow = np.uint8 if len(about.class_names) <= 256 else np.uint16
    arrays: dict[str, Any] = {
        "about": np.array(json.dumps(asdict(about))), "answers": answers.astype(narrow),
        "labels": labels.astype(narrow)}
    arrays |= {f"weight/{place}": _narrowed(np.asarray(value))
               for place, value in enumerate(weights)}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _narrowed(value: NDArray[Any]) -> NDArray[Any]:
    if value.ndim < 2 or not np.all(np.abs(value) <= np.finfo(np.float16).max):
        return value.astype(np.float32)
    return value.astype(np.float16)


class Snapshots:
    """The snapshots in one folder.

    Args:
        folder: Theirs; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def epochs(self) -> list[int]:
        """Return the epochs that there are snapshots of, by their names, the first epoch first."""
        return sorted(self._paths())

    def size(self) -> int:
        """Return how many bytes all of them have."""
        total = 0
        for path in self._paths().values():
            with suppress(OSError):
                total += path.stat().st_size
        return total

    def path(self, epoch: int) -> Path:
        """Return the file of an epoch.

        Raises:
            NotFound: If there is none.
        """
        paths = self._paths()
        if epoch not in paths:
            known = ", ".join(map(str, sorted(paths))) or "none"
            raise NotFound(f"There is no snapshot of epoch {epoch}.", f"There are: {known}.")
        return paths[epoch]

    def write(self, epoch: int, data: bytes) -> None:
        """Keep the snapshot of an epoch; of too many, the one leaves that is missed least.

        Raises:
            Refused: If the network is too large for them.
            Unavailable: If there is little room on the disk, or the folder cannot be written.
        """
        most = min(MOST_KEPT, MOST_BYTES // len(data))
        if most < FEWEST:
            raise Refused(f"No snapshots are kept: one of this network has {len(data) / 2**20:.0f} "
                          f"MB, and {MOST_BYTES // 2**20} MB are for all.")
        self._need_room(len(data))
        self._sweep()
        before = self._paths().get(epoch)
        target = self.folder / f"{epoch:05d}-{_digest(data)}.npz"
        atomic_write_bytes(target, data)
        if before is not None and before != target:
            before.unlink(missing_ok=True)
        while len(kept := self.epochs()) > most:
            self._remove(least_missed(kept))

    def forget_after(self, epoch: int) -> None:
        """Remove those of later epochs: the training goes on from here on another way."""
        for later in self.epochs():
            if later > epoch:
                self._remove(later)

    def answers(self, epoch: int) -> Answers:
        """Return what the network answered to the validation images after an epoch.

        Raises:
            NotFound: If there is no snapshot of it.
            Damaged: If it cannot be read.
        """
        path = self.path(epoch)
        try:
            with np.load(path, allow_pickle=False) as file:
                return _answers(file)
        except _BROKEN as error:
            raise _damaged(epoch, path) from error

    def read(self, epoch: int) -> tuple[About, list[NDArray[np.float32]]]:
        """Return which network the snapshot of an epoch is of, and its weights.

        Raises:
            NotFound: If there is no snapshot of it.
            Damaged: If it is not what was written.
        """
        path = self.path(epoch)
        try:
            data = path.read_bytes()
            if _digest(data) != path.stem.partition("-")[2]:
                raise _damaged(epoch, path)
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                count = sum(name.startswith("weight/") for name in file.files)
                weights = [file[f"weight/{place}"].astype(np.float32) for place in range(count)]
                return _about(file), weights
        except _BROKEN as error:
            raise _damaged(epoch, path) from error

    def _paths(self) -> dict[int, Path]:
        found = []
        with suppress(OSError):
            found = [(match, path) for path in self.folder.iterdir()
                     if (match := _NAME.fullmatch(path.name))]
        return {int(match[1]): path for match, path in found}

    def _remove(self, epoch: int) -> None:
        try:
            self.path(epoch).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"An old snapshot cannot be removed ({error.strerror}).") from error

    def _need_room(self, size: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < size + SPARE:
            raise Unavailable("No snapshot is kept: less than "
                              f"{SPARE // 2**30} GB of the disk would stay free.")

    def _sweep(self) -> None:
        """Delete what writers that died have left; only one trainer of a run lives at a time."""
        for path in self.folder.glob(f"{TEMPORARY}*"):
            with suppress(OSError):
                path.unlink()


def least_missed(epochs: Sequence[int]) -> int:
    """Return the epoch without which the others are spread best; never the first or the last.

    Of several, the latest: in its first epochs a network changes most.
    """
    gaps = {epochs[place]: epochs[place + 1] - epochs[place - 1]
            for place in range(1, len(epochs) - 1)}
    return min(gaps, key=lambda epoch: (gaps[epoch], -epoch))


_BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


def _about(file: Any) -> About:
    told = json.loads(str(file["about"]))
    height, width, channels = (int(size) for size in told["input_shape"])
    names = tuple(str(name) for name in told["class_names"])
    return About(str(told["architecture"]), (height, width, channels), names,
                 str(told["dataset"]), str(told["resize"]), bool(told["dark_background"]))


def _answers(file: Any) -> Answers:
    found = Answers(_about(file), file["answers"].astype(np.int64), file["labels"].astype(np.int64))
    classes = len(found.about.class_names)
    numbers = np.concatenate([found.answers, found.labels])
    if found.answers.shape != found.labels.shape or not numbers.size or numbers.max() >= classes:
        raise ValueError("answers to other images")
    return found


def _damaged(epoch: int, path: Path) -> Damaged:
    return Damaged(f"The snapshot of epoch {epoch} is damaged.",
                   f"{_HINT} It is {path.name}.")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
