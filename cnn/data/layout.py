"""Finds out what a heap of files means: which are pictures, of which class, of which split.

Three layouts are understood, each also inside wrapper folders:

    cats/1.jpg  dogs/2.jpg                            class folders
    train/cats/1.jpg  val/cats/2.jpg  test/cats/3.jpg  splits of class folders; val joins train

Works on names alone: it does not know whether they come from a folder or a zip, and opens nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cnn.errors import BadInput

Skipped = tuple[str, str]  # name of a file, why it is not used

MAX_FILES = 100_000
_SPLITS = {"train": False, "training": False, "val": False, "valid": False, "validation": False,
           "test": True, "testing": True}
# Some of these are refused later, but by the decoder, which can say what they are.
_PICTURES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif",
             ".heic", ".heif", ".avif", ".tif", ".tiff", ".svg")
_RUBBISH = ("__macosx", "thumbs.db", "desktop.ini")  # made by systems, not by people
# Control and text-direction characters and halves of characters: they make a name lie or crash.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Entry:
    """One file of a folder or zip."""

    parts: tuple[str, ...]  # folders and file name, from `usable_parts`
    read: Callable[[], bytes]  # raises `BadInput` if this file, `Refused` if the source is no good


@dataclass(frozen=True)
class Candidate:
    """A file that should be a picture of a class."""

    entry: Entry
    class_name: str
    in_test: bool


def shown(name: str) -> str:
    """Return a file name as it can be shown and stored anywhere."""
    return UNSAFE.sub("?", name)[:200]


def usable_parts(name: str) -> tuple[str, ...]:
    """Return the folders and file name of a relative path; nothing for files made by systems.

    Raises:
        BadInput: If the path leads out of its folder or has characters that make it lie.
    """
    normal = unicodedata.normalize("NFC", name).replace("\\", "/")
    parts = tuple(part for part in normal.split("/") if part != ".")
    outside = any(part in ("", "..") for part in parts) or re.match("[A-Za-z]:", normal)
    if outside or UNSAFE.search(normal):
        raise BadInput("its name is not safe")
    if any(part.startswith(".") or part.lower() in _RUBBISH for part in parts):
        return ()
    return parts


def arrange(entries: Iterable[Entry]) -> tuple[list[Candidate], list[Skipped]]:
    """Return the pictures with their classes and splits, and the files that are not used.

    Raises:
        BadInput: If the folders can be understood in more than one way.
    """
    skipped: list[Skipped] = []
    found: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        if not entry.parts[-1].lower().endswith(_PICTURES):
            skipped.append((shown("/".join(entry.parts)), "it is not named like a picture"))
        elif entry.parts in found:
            skipped.append((shown("/".join(entry.parts)), "there are two files of this name"))
        else:
            found[entry.parts] = entry
    candidates = []
    for parts, entry, in_test in _split_folders(_unwrapped(found)):
        if len(parts) == 1:
            skipped.append((shown("/".join(entry.parts)), "it is not in a class folder"))
        elif len(parts) == 2:
            candidates.append(Candidate(entry, parts[0], in_test))
        else:
            raise _ambiguous(f"{'/'.join(parts[:-1])} is a folder inside the class {parts[0]}")
    _check_case(sorted({candidate.class_name for candidate in candidates}))
    return candidates, skipped


def _unwrapped(found: dict[tuple[str, ...], Entry]) -> list[tuple[tuple[str, ...], Entry]]:
    """Take off the folders that hold everything, as long as class folders are left."""
    files = list(found.items())
    while (len({parts[0] for parts, _ in files if len(parts) > 1}) == 1
           and any(len(parts) > 2 for parts, _ in files)):
        files = [(parts[1:] if len(parts) > 1 else parts, entry) for parts, entry in files]
    return files


def _split_folders(
    files: list[tuple[tuple[str, ...], Entry]]
) -> list[tuple[tuple[str, ...], Entry, bool]]:
    """Take off folders named after splits; say of each file whether it was under test."""
    tops = {parts[0] for parts, _ in files if len(parts) > 1}
    splits = {top for top in tops if top.lower() in _SPLITS}
    if not splits or all(len(parts) <= 2 for parts, _ in files):
        return [(parts, entry, False) for parts, entry in files]
    if splits != tops or all(_SPLITS[top.lower()] for top in splits):
        raise _ambiguous(f"The folders {', '.join(sorted(tops))} stand side by side")
    return [(parts[1:], entry, _SPLITS[parts[0].lower()]) if len(parts) > 1
            else (parts, entry, False) for parts, entry in files]


def _ambiguous(what: str) -> BadInput:
    return BadInput(
        f"It is not clear which folders are the classes: {shown(what)}.",
        "Put the pictures of each class into one folder named after it; put class folders into "
        "train and test folders only if you have divided them yourself.")


def _check_case(class_names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in class_names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise BadInput(f"The class folders {other!r} and {name!r} differ only in case.",
                           "Give each class one name.")
