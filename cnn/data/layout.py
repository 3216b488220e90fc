"""Finds out what a heap of files means: which are pictures, of which class, of which split.

Three layouts are understood, each also inside wrapper folders:

    cats/1.jpg  dogs/2.jpg                            class folders
    train/cats/1.jpg  val/cats/2.jpg  test/cats/3.jpg  splits of class folders
    any folders/1.jpg  labels.csv                     a table that names the files (see `tables`)

Works on names, and on the table where there is one: it does not know whether they come from a
folder or a zip, and opens no picture.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cnn.data.tables import SPLITS, TABLES, TEST, TRAIN, FileFinder, Row, read_table
from cnn.errors import BadInput

Skipped = tuple[str, str]  # name of a file or an empty folder, why it is not used

EMPTY = "the folder is empty"
MAX_FILES = 120_000  # 100,000 pictures, and what lies about beside them
MAX_CLASS_NAME = 100  # characters
# Some of these are refused later, but by the decoder, which can say what they are.
_PICTURES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif",
             ".heic", ".heif", ".avif", ".tif", ".tiff", ".svg")
_RUBBISH = ("__macosx", "thumbs.db", "desktop.ini")  # made by systems, not by people
# Control and text-direction characters and halves of characters: they make a name lie or crash.
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)  # there may be 100,000
class Entry:
    """One file of a folder or zip."""

    parts: tuple[str, ...]  # folders and file name, from `usable_parts`
    read: Callable[[], bytes]  # raises `BadInput` if this file, `Refused` if the source is no good


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that should be a picture of a class."""

    entry: Entry
    class_name: str
    split: str = ""  # the part that the source puts it in, as `tables` names them; "": none
    group: str = ""  # of pictures that belong together, as a table says


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


def arrange(
    entries: Iterable[Entry], table_decides: bool = False
) -> tuple[list[Candidate], list[Skipped]]:
    """Return the pictures with their classes and splits by name, and the files that are not used.

    Args:
        entries: All files of the source.
        table_decides: Whether it must be a table that says what they show. Defaults to a table if
            there is one, it names pictures that are there, and its headings say that it gives
            labels or the folders are no classes; and to folders otherwise.

    Raises:
        BadInput: If the folders or the table can be understood in more than one way, or not at all.
    """
    found, others = _sorted_out(entries)
    tables = [entry for entry in others if entry.parts[-1].lower().endswith(TABLES)]
    rows = _rows_of(tables[0], found, table_decides) if len(tables) == 1 else []
    if table_decides and not rows:
        raise BadInput("The table names no picture that is there.",
                       "Put it beside the pictures: one column of file names, one of labels.")
    skipped = [(path_of(entry), "it is not named like a picture") for entry in others
               if not (rows and entry is tables[0])]
    pictures: dict[tuple[str, ...], Entry] = {}
    for entry in found:
        if pictures.setdefault(entry.parts, entry) is not entry:
            skipped.append((path_of(entry), "there are two files of this name"))
    candidates, unused = _by_table(pictures, rows, tables[0]) if rows else _by_folders(pictures)
    fitting = [candidate for candidate in candidates if len(candidate.class_name) <= MAX_CLASS_NAME]
    skipped += [(path_of(candidate.entry), "the name of its class is too long")
                for candidate in candidates if len(candidate.class_name) > MAX_CLASS_NAME]
    _check_case(sorted({candidate.class_name for candidate in fitting}))
    return sorted(fitting, key=lambda one: one.entry.parts), [*skipped, *unused]


def path_of(entry: Entry) -> str:
    """Return the name of a file with its folders, as it can be shown anywhere."""
    return shown("/".join(entry.parts))


def _sorted_out(entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    pictures: list[Entry] = []
    others: list[Entry] = []
    for entry in entries:
        fits = entry.parts[-1].lower().endswith(_PICTURES)
        (pictures if fits else others).append(entry)
    return pictures, others


def _by_folders(found: dict[tuple[str, ...], Entry]) -> tuple[list[Candidate], list[Skipped]]:
    candidates, skipped = [], []
    for parts, entry, split in _split_folders(_unwrapped(found)):
        if len(parts) == 1:
            skipped.append((path_of(entry), "it is not in a class folder"))
        elif len(parts) == 2:
            candidates.append(Candidate(entry, parts[0], split))
        else:
            raise _ambiguous(f"{'/'.join(parts[:-1])} is a folder inside the class {parts[0]}")
    return candidates, skipped


def _rows_of(table: Entry, pictures: list[Entry], decides: bool) -> list[Row]:
    """Return the lines of a table if it says what pictures show that are there."""
    try:
        read = read_table(table.read(), path_of(table), _PICTURES)
    except BadInput:
        if decides:
            raise
        return []  # a list of something else beside class folders
    finder = FileFinder(["/".join(entry.parts) for entry in pictures])
    if not any(_find(finder, row, table) for row in read.rows):
        return []
    return read.rows if decides or read.sure or not _have_classes(pictures) else []


def _have_classes(pictures: list[Entry]) -> bool:
    try:
        candidates, _ = _by_folders({entry.parts: entry for entry in pictures})
    except BadInput:
        return False
    return len({one.class_name for one in candidates} - set(SPLITS)) > 1


def _find(finder: FileFinder, row: Row, table: Entry) -> str | None:
    beside = "/".join((*table.parts[:-1], row.file))
    return finder.find(beside) or finder.find(row.file)


def _by_table(
    found: dict[tuple[str, ...], Entry], rows: list[Row], table: Entry
) -> tuple[list[Candidate], list[Skipped]]:
    finder = FileFinder(["/".join(parts) for parts in found])
    skipped: list[Skipped] = []
    named: dict[str, Candidate] = {}
    doubtful: set[str] = set()
    told: set[str] = set()
    for row in rows:
        path = _find(finder, row, table)
        if path is None:
            skipped.append((shown(row.file), "the table names it, but it is not there"))
            continue
        told.add(path)
        candidate = Candidate(found[tuple(path.split("/"))], shown(row.label), _split_of(row.split),
                              shown(row.group))
        if not row.label:
            skipped.append((shown(path), "it has no label in the table"))
        elif named.setdefault(path, candidate) != candidate:
            doubtful.add(path)
    skipped += [(shown(path), "the table says two different things of it") for path in doubtful]
    skipped += [(path_of(entry), "the table does not name it") for parts, entry in found.items()
                if "/".join(parts) not in told]
    return [one for path, one in named.items() if path not in doubtful], skipped


def _split_of(word: str) -> str:
    known = SPLITS.get(word.casefold()) if word else ""
    if known is None:
        raise BadInput(f"The table has the split {shown(word)!r}, which is none of "
                       f"{', '.join(SPLITS)}.", "Name the parts train, val and test.")
    return known


def _unwrapped(found: dict[tuple[str, ...], Entry]) -> list[tuple[tuple[str, ...], Entry]]:
    """Take off the folders that hold everything, as long as class folders are left."""
    files = list(found.items())
    while (len({parts[0] for parts, _ in files if len(parts) > 1}) == 1
           and any(len(parts) > 2 for parts, _ in files)):
        files = [(parts[1:] if len(parts) > 1 else parts, entry) for parts, entry in files]
    return files


def _split_folders(
    files: list[tuple[tuple[str, ...], Entry]]
) -> list[tuple[tuple[str, ...], Entry, str]]:
    """Take off folders named after splits; say of each file which one it was under."""
    tops = {parts[0] for parts, _ in files if len(parts) > 1}
    splits = {top for top in tops if top.lower() in SPLITS}
    if not splits or all(len(parts) <= 2 for parts, _ in files):
        return [(parts, entry, "") for parts, entry in files]
    if splits != tops or all(SPLITS[top.lower()] == TEST for top in splits):
        raise _ambiguous(f"The folders {', '.join(sorted(tops))} stand side by side")
    return [(parts[1:], entry, SPLITS[parts[0].lower()]) if len(parts) > 1
            else (parts, entry, TRAIN) for parts, entry in files]


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
