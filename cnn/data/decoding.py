"""Brings pictures to the form of a data set and writes them one behind the other.

Files are read in order by one thread and decoded by several: Pillow works without Python's lock.
Only so many are on the way as the threads need, so memory does not grow with their number. Knows
files and pixels, not classes.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cnn.data.images import RESIZE_WAYS, Pixels, decode_image, resize, to_channels
from cnn.data.layout import Candidate, Skipped, path_of
from cnn.data.progress import Progress
from cnn.errors import BadInput

SIZES = (8, 512)  # smallest and largest height or width in pixels
_THREADS = min(4, os.cpu_count() or 1)
_AHEAD = 2 * _THREADS  # pictures that are read but not yet written


@dataclass(frozen=True)
class Way:
    """How each picture is brought to the form of the data set."""

    size: tuple[int, int]  # height, width in pixels
    how: str = "crop"  # one of RESIZE_WAYS
    channels: int = 3  # 1 (grey) or 3 (RGB)

    def __post_init__(self) -> None:
        low, high = SIZES
        if len(self.size) != 2 or not all(type(n) is int and low <= n <= high for n in self.size):
            raise BadInput(f"The size must be a height and a width from {low} to {high} pixels. "
                           f"Received: {self.size!r}.", "Choose for instance 64 x 64.")
        if self.how not in RESIZE_WAYS or self.channels not in (1, 3):
            raise BadInput(
                f"Pictures are resized by one of {', '.join(RESIZE_WAYS)} to 1 (grey) or 3 (RGB) "
                f"channels. Received: {self.how!r}, {self.channels!r}.", "Choose one of these.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every stored image."""
        return (*self.size, self.channels)

    def apply(self, picture: Pixels) -> Pixels:
        """Return a decoded picture in this form: what is stored, and what a preview shows."""
        return to_channels(resize(picture, self.size, self.how), self.channels)


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture that was written, and what its original was."""

    file: Candidate
    width: int  # pixels of the original, upright
    height: int
    bytes: int


@dataclass(frozen=True)
class Written:
    """What became of the files."""

    stored: list[Stored]  # in the order of the images
    broken: list[Skipped]
    digest: str  # sha256 of all pixels


@dataclass(frozen=True)
class _Decoded:
    pixels: bytes
    width: int
    height: int


def write_images(target: Path, files: list[Candidate], way: Way, progress: Progress) -> Written:
    """Write pictures as one `.npy` file; those that cannot be decoded are left out.

    Args:
        target: The new file.
        files: In the order in which the images shall stand.
        way: How they are resized.
        progress: Told before each picture; what it raises ends the work.

    Raises:
        OSError: If the disk is full or cannot be written. Bytes are written, not mapped: a full
            disk under a mapped file would kill the process.
        Refused: If the source turns out to be made to do harm.
    """
    stored: list[Stored] = []
    broken: list[Skipped] = []
    digest = hashlib.sha256()
    with target.open("wb") as out:
        _write_header(out, (len(files), *way.shape))
        for done, (file, size, made) in enumerate(_decoded(files, way)):
            progress("Reading pictures", done, len(files))
            if isinstance(made, BadInput):
                broken.append((path_of(file.entry), made.message))
                continue
            out.write(made.pixels)
            digest.update(made.pixels)
            stored.append(Stored(file, made.width, made.height, size))
        out.seek(0)
        _write_header(out, (len(stored), *way.shape))
        out.flush()
        os.fsync(out.fileno())
    return Written(stored, broken, digest.hexdigest())


def _write_header(out: BinaryIO, shape: tuple[int, ...]) -> None:
    # NumPy leaves room in it for any number of rows, so it can be written over in the end.
    np.lib.format.write_array_header_1_0(
        out, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _decoded(
    files: list[Candidate], way: Way
) -> Iterator[tuple[Candidate, int, _Decoded | BadInput]]:
    """Yield each file with its size in bytes and what was made of it, in order."""
    waiting: deque[tuple[Candidate, int, Future[_Decoded] | BadInput]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for file in files:
                waiting.append(_begun(file, way, pool))
                if len(waiting) > _AHEAD:
                    yield _ended(*waiting.popleft())
            while waiting:
                yield _ended(*waiting.popleft())
        finally:  # the reader may have had enough
            for _, _, work in waiting:
                if isinstance(work, Future):
                    work.cancel()


def _begun(
    file: Candidate, way: Way, pool: ThreadPoolExecutor
) -> tuple[Candidate, int, Future[_Decoded] | BadInput]:
    try:
        data = file.entry.read()
    except BadInput as error:
        return file, 0, error
    return file, len(data), pool.submit(_decode, data, way)


def _ended(
    file: Candidate, size: int, work: Future[_Decoded] | BadInput
) -> tuple[Candidate, int, _Decoded | BadInput]:
    if isinstance(work, BadInput):
        return file, size, work
    try:
        return file, size, work.result()
    except BadInput as error:
        return file, size, error


def _decode(data: bytes, way: Way) -> _Decoded:
    picture = decode_image(data)
    return _Decoded(way.apply(picture).tobytes(), picture.shape[1], picture.shape[0])
