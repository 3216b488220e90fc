"""Architectures that a person named and kept: one file each, in a folder of its own.

    <folder>/<name>.json   a document, see `documents`

The registry asks here for what it does not know itself. A file that is damaged never hides the
others. Nothing is ever written over: a run that trains now, or is resumed later, has its own copy.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cnn.errors import BadInput, CnnError, Damaged, NotFound
from cnn.files import atomic_write_json, check_name, disk_error, locked, read_json
from cnn.models import registry
from cnn.models.documents import Document, document_from_dict
from cnn.paths import architectures_dir

MOST_BYTES = 2**18  # of a file: 200 layers written in full have a fifth of it
ENDING = ".json"
# Words after `python -m cnn architectures`.
ACTIONS = ("show", "code", "add", "delete")


@dataclass(frozen=True)
class Own:
    """One file: the architecture in it, or why it cannot be used."""

    name: str
    architecture: registry.Architecture | None
    error: CnnError | None = None


def list_own() -> list[Own]:
    """Return all named architectures by name; damaged ones come with their error."""
    folder = architectures_dir()
    with suppress(OSError):
        return [_entry(path.stem) for path in sorted(folder.glob(f"*{ENDING}"))
                if not path.name.startswith(".")]
    return []


def _entry(name: str) -> Own:
    try:
        return Own(name, read_own(name))
    except CnnError as error:
        return Own(name, None, error)


def own_names() -> list[str]:
    """Return the names of those that can be used."""
    return [own.name for own in list_own() if own.architecture]


def read_own(name: str) -> registry.Architecture:
    """Return a named architecture.

    Raises:
        NotFound: If there is no file of that name.
        Damaged: If it holds no architecture.
    """
    path = _path(name)
    try:
        stat = path.stat()
    except OSError as error:
        raise NotFound(f"There is no architecture {name!r}.") from error
    return _read(path, (stat.st_mtime_ns, stat.st_size, stat.st_ino))


def _path(name: str) -> Path:
    try:
        return architectures_dir() / f"{check_name(name, 'architecture name')}{ENDING}"
    except BadInput as error:
        raise NotFound(f"There is no architecture {name[:80]!r}.") from error


@lru_cache(maxsize=256)
def _read(path: Path, version: tuple[int, ...]) -> registry.Architecture:
    try:
        return read_document(path).architecture(path.stem)
    except BadInput as error:
        raise Damaged(f"The architecture {path.stem!r} cannot be used: {error.message}",
                      error.hint or f"Mend or delete {path}.") from error


def read_document(path: Path) -> Document:
    """Return the document in a file, wherever it lies.

    Raises:
        NotFound: If there is no such file.
        BadInput, Damaged: If it holds no architecture.
    """
    return document_from_dict(_small_json(path))


def read_document_bytes(data: bytes, name: str) -> Document:
    """Return the document in the bytes of a file that somebody gives.

    Args:
        data: The file.
        name: What it is called, for messages.

    Raises:
        BadInput: If it holds no architecture.
    """
    _check_size(name, len(data))
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{name[:80]} is not JSON.",
                       "Choose the file of an architecture.") from error
    return document_from_dict(value)


def _check_size(name: str, size: int) -> None:
    if size > MOST_BYTES:
        raise BadInput(f"{name[:80]} has {size:,} bytes; the file of an architecture has at "
                       f"most {MOST_BYTES:,}.", "Choose the file of an architecture.")


def _small_json(path: Path) -> dict[str, Any]:
    with suppress(OSError):
        _check_size(path.name, path.stat().st_size)
    return read_json(path)


def proposed_name(path: Path) -> str:
    """Return the name that a file gives itself, else the file's own.

    Raises:
        NotFound, BadInput, Damaged: As `read_document` does.
    """
    name = _small_json(path).get("name")
    return name if isinstance(name, str) and name else path.stem


def check_new_name(name: str) -> str:
    """Return `name` if an architecture can be kept under it.

    Raises:
        BadInput: If it is no safe name, means something else, or is taken.
    """
    check_name(name, "architecture name")
    if name in ACTIONS or name in registry.built_in_names():
        raise BadInput(f"The name {name!r} is taken by this program.", "Choose another name.")
    if _path(name).exists():
        raise BadInput(f"An architecture {name!r} exists already.",
                       "Choose another name; nothing is ever overwritten.")
    return name


def free_own_name(name: str) -> str:
    """Return `name`, or `name-2`, `name-3` and so on: the first that is free."""
    taken = set(registry.built_in_names()) | set(ACTIONS)
    if name in taken:
        name = f"my-{name}"[:64]
    candidate, number = name, 2
    while _path(candidate).exists():
        ending = f"-{number}"
        candidate, number = name[: 64 - len(ending)] + ending, number + 1
    return candidate


def save_own(name: str, document: Document) -> registry.Architecture:
    """Keep an architecture under a name and return it.

    Raises:
        BadInput: If the name cannot be used.
        Unavailable: If the disk is full or the folder cannot be written.
    """
    folder = architectures_dir()
    with locked(folder / ".lock"):  # two people at once: the second is told
        check_new_name(name)
        atomic_write_json(_path(name), document.to_dict(name))
    return read_own(name)


def delete_own(name: str) -> None:
    """Delete a named architecture, a damaged one too; models and runs made with it stay.

    Raises:
        NotFound: If there is none; one of this program cannot be deleted.
        Unavailable: If the folder cannot be written.
    """
    if name in registry.built_in_names():
        raise NotFound(f"{name!r} is part of this program and cannot be deleted.",
                       "Only architectures that were made here can.")
    path = _path(name)
    try:
        path.unlink()
    except FileNotFoundError as error:
        own = ", ".join(entry.name for entry in list_own()) or "none"
        raise NotFound(f"There is no architecture {name!r}.",
                       f"Made here: {own}.") from error
    except OSError as error:
        raise disk_error(path, error) from error
