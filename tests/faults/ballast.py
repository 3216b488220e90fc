"""Filling a small disk to its last byte, and emptying it again. Needs POSIX.

Knows nothing of runs.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FILE = "ballast"
LARGEST, SMALLEST = 2**24, 1  # bytes taken at a time


def fill_disk(place: Path) -> None:
    """Take all the room that is left where `place` is, also what was freed since the last call."""
    step = LARGEST
    with (place / FILE).open("ab", buffering=0) as file:
        while step >= SMALLEST:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), step)
            except OSError:
                step //= 2


def empty_disk(place: Path) -> None:
    """Give the room back."""
    with suppress(FileNotFoundError):
        (place / FILE).unlink()
