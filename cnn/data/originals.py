"""The official files of published data sets: which are here, getting them, taking a person's copy.

They lie in a data folder under the names that Keras gives them, so that neither downloads what the
other has. Knows nothing of what is in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cnn.data.download import RemoteFile, download, received
from cnn.data.layout import shown
from cnn.data.progress import Progress, bytes_in_words
from cnn.data.store import find, writable_folder
from cnn.errors import BadInput, NotFound
from cnn.files import atomic_path, disk_error, move, need_space

_CHUNK = 2**20


def missing(files: Sequence[RemoteFile]) -> tuple[RemoteFile, ...]:
    """Return those of `files` that are in no data folder."""
    return tuple(file for file in files if find(file.name) is None)


def needs(files: Sequence[RemoteFile]) -> str:
    """Return in words what has to be downloaded, "" if nothing."""
    lacking = missing(files)
    if not lacking:
        return ""
    what = lacking[0].name if len(lacking) == 1 else f"{len(lacking)} files"
    size = bytes_in_words(sum(file.size for file in lacking))
    return f"Downloads {what} ({size}) at first use."


def kept(files: Sequence[RemoteFile]) -> int:
    """Return how many bytes of the missing files are here from a download that was broken off.

    Raises:
        Unavailable: If no data folder can be written.
    """
    folder = writable_folder()
    return sum(received(file, folder) for file in missing(files))


def fetch(files: Sequence[RemoteFile], progress: Progress) -> list[Path]:
    """Return where the files are, after downloading those that are missing.

    Raises:
        Unavailable: If one has to be downloaded and cannot be.
    """
    lacking = missing(files)
    if lacking:
        download(lacking, writable_folder(), progress)
    return [path for file in files if (path := find(file.name))]


def set_aside(files: Sequence[RemoteFile]) -> None:
    """Give those of `files` that are here another name, so that they are downloaded anew.

    Raises:
        Unavailable: If the folder cannot be written.
    """
    for file in files:
        path = find(file.name)
        if path:
            move(path, path.with_name(f"{path.name}.damaged"))


def take_path(files: Sequence[RemoteFile], path: Path, progress: Progress) -> None:
    """Copy a person's own copy of one or all of `files` into the data folder.

    Args:
        files: What is looked for.
        path: One of the files, whatever its name, or a folder that holds them by their names.
        progress: Told how much is copied.

    Raises:
        NotFound: If there is no such file or folder.
        BadInput: If it is not one of the files, or the folder holds none.
        Unavailable: If the disk is full or cannot be written.
    """
    sources = [path]
    if path.is_dir():
        names = [file.name.rpartition("/")[2] for file in files]
        sources = [path / name for name in names if (path / name).is_file()]
        if not sources:
            raise BadInput(f"{shown(str(path))} holds none of {', '.join(names)}.",
                           "Give the file itself, or the folder in which it is.")
    for source in sources:
        try:
            with source.open("rb") as file:
                take(files, file, source.name, progress)
        except OSError as error:
            raise NotFound(f"{shown(str(source))} cannot be read ({error.strerror or error}).",
                           "Check the path: it must be a file on this computer.") from error


def take(
    files: Sequence[RemoteFile], source: BinaryIO, name: str, progress: Progress
) -> RemoteFile:
    """Copy an open file into the data folder if it is one of `files`; return which.

    Args:
        files: What it may be.
        source: Can be read and sought.
        name: What the person calls it.
        progress: Told how much is copied.

    Raises:
        BadInput: If it is none of them; nothing is stored then.
        Unavailable: If the disk is full or cannot be written.
    """
    size = source.seek(0, 2)
    source.seek(0)
    file = next((file for file in files if file.size == size), None)
    if file is None:
        raise _not_official(name, f"it has {size:,} bytes", files)
    folder = writable_folder()
    target = folder / file.name
    need_space(folder, size)
    try:
        with atomic_path(target) as temporary:
            if _copy(source, temporary, f"Copying {shown(name)}", size, progress) != file.sha256:
                raise _not_official(name, "its bytes are others (SHA-256)", files)
    except OSError as error:
        raise disk_error(target, error) from error
    return file


def _not_official(name: str, why: str, files: Sequence[RemoteFile]) -> BadInput:
    wanted = ", ".join(f"{file.name.rpartition('/')[2]} ({file.size:,} bytes)" for file in files)
    return BadInput(
        f"{shown(name)} is not an official file of this data set: {why}.",
        f"Wanted: {wanted}. A copy that was packed anew is another file; a folder or zip of "
        "pictures can be imported as a data set of your own.")


def _copy(source: BinaryIO, target: Path, what: str, size: int, progress: Progress) -> str:
    digest, done = hashlib.sha256(), 0
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
            done += len(chunk)
            progress(what, done, size)
    return digest.hexdigest()
