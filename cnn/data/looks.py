"""What was worked out about the images of a data set, kept on disk so that it is done once.

    <store>/.looks/<beginning of the fingerprint>/<name>.npz

A changed set has another fingerprint, so nothing kept is ever out of date. All of it can be made
again: what cannot be written is kept in memory while this process lives, and what cannot be read is
as if it were not there. Knows nothing of what the arrays mean.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.store import STORE, data_folders, writable_folder
from cnn.errors import CnnError
from cnn.files import TEMPORARY, atomic_path

_FOLDER = ".looks"  # the dot keeps it out of the list of data sets
_KEPT = 40  # fingerprints; each change to an imported set makes another
_MOST_IN_MEMORY = 16  # looks that could not be written
Arrays = dict[str, NDArray[Any]]
_in_memory: dict[tuple[str, str], Arrays] = {}


def find(fingerprint: str, name: str) -> Arrays | None:
    """Return what was kept under a name for the data set of this fingerprint, if anything was."""
    for folder in data_folders():
        path = folder / STORE / _FOLDER / _folder_name(fingerprint) / f"{name}.npz"
        # A damaged file can fail in many ways, and is made again whichever it was.
        with suppress(Exception), np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    return _in_memory.get((fingerprint, name))


def keep(fingerprint: str, name: str, arrays: Arrays) -> None:
    """Keep arrays for `find`.

    Args:
        fingerprint: Of the data set.
        name: Of what they are, as a file may be called.
        arrays: Of numbers or fixed-length text; nothing that would need pickling.
    """
    try:
        shelf = writable_folder(f"{STORE}/{_FOLDER}")
        with atomic_path(shelf / _folder_name(fingerprint) / f"{name}.npz") as temporary, \
                temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except (CnnError, OSError):  # a full disk, or a shared folder that may only be read
        _in_memory[fingerprint, name] = arrays
        for oldest in list(_in_memory)[:-_MOST_IN_MEMORY]:
            del _in_memory[oldest]
    else:
        _clear_out(shelf)


def _folder_name(fingerprint: str) -> str:
    return fingerprint[:32]


def _clear_out(shelf: Path) -> None:
    """Remove what belongs to the fingerprints that were written longest ago."""
    with suppress(OSError):
        folders = [path for path in shelf.iterdir() if not path.name.startswith(TEMPORARY)]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in folders[_KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)
