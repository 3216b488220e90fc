"""Reads a table that says which file shows what: `file, label`, and perhaps split and group.

With or without a line of headings; commas, semicolons or tabs; UTF-8 with or without mark, UTF-16,
or the Western code page that spreadsheets still write. Knows text only: `layout` finds the files.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from cnn.errors import BadInput

TABLES = (".csv", ".tsv")
TRAIN, VALIDATION, TEST = "train", "val", "test"
# What folders and columns call the parts.
SPLITS = {"train": TRAIN, "training": TRAIN, "val": VALIDATION, "valid": VALIDATION,
          "validation": VALIDATION, "dev": VALIDATION, "test": TEST, "testing": TEST}
MAX_TABLE = 20 * 2**20  # bytes
# Headings by what they mean, small letters; the first that is there counts.
_HEADINGS = {
    "file": ("file", "filename", "file_name", "file name", "filepath", "file_path", "path", "image",
             "image_id", "image_name", "image_path", "img", "name", "id"),
    "label": ("label", "labels", "class", "class_name", "classname", "category", "target",
              "diagnosis", "dx", "species", "breed", "y"),
    "split": ("split", "set", "subset", "partition", "dataset"),
    "group": ("group", "group_id", "patient", "patient_id", "slide", "slide_id", "subject",
              "subject_id", "lesion_id", "case"),
}


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    file: str
    label: str
    split: str = ""
    group: str = ""


@dataclass(frozen=True)
class Table:
    """The lines of a table, and whether its headings say that they are files and labels."""

    rows: list[Row]
    sure: bool


def read_table(data: bytes, name: str, pictures: tuple[str, ...]) -> Table:
    """Return what a table says of files.

    Args:
        data: The whole file.
        name: Of the file, for messages.
        pictures: Endings of picture names, small letters: what tells a heading from a file.

    Raises:
        BadInput: If it is no table with a column of files and one of labels.
    """
    if len(data) > MAX_TABLE:
        raise BadInput(f"The table {name} is larger than {MAX_TABLE // 2**20} MB.",
                       "Leave only the columns for file, label, split and group.")
    text = unicodedata.normalize("NFC", _text(data))  # as file names are compared
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = [[cell.strip() for cell in line]
                 for line in csv.reader(text.splitlines(), delimiter=delimiter) if any(line)]
    except csv.Error as error:
        raise BadInput(f"The table {name} cannot be read ({error}).",
                       "Save it as CSV with two columns: file and label.") from error
    if not lines or len(lines[0]) < 2:
        raise BadInput(f"The table {name} has no second column.",
                       "It needs a column of file names and one of labels.")
    columns, body, sure = _columns(lines, pictures)
    return Table([_row(line, columns) for line in body if len(line) > columns["file"]], sure)


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _columns(
    lines: list[list[str]], pictures: tuple[str, ...]
) -> tuple[dict[str, int], list[list[str]], bool]:
    """Return which column means what, the lines below the headings, and whether these say so."""
    head = [cell.casefold() for cell in lines[0]]
    found = {meaning: place for meaning, words in _HEADINGS.items()
             if (place := _first(words, head)) is not None}
    is_file = any(cell.endswith(pictures) for cell in head)
    if not is_file and "file" in found and "label" in found:
        return found, lines[1:], True
    named = len(lines) > 1 and not is_file and any(
        cell.casefold().endswith(pictures) for cell in lines[1])
    body = lines[1:] if named else lines
    return _by_place(body), body, False


def _first(words: tuple[str, ...], head: list[str]) -> int | None:
    return next((head.index(word) for word in words if word in head), None)


def _by_place(body: list[list[str]]) -> dict[str, int]:
    """Without known headings: file, label, and behind them split or group."""
    columns, width = {"file": 0, "label": 1}, min(map(len, body), default=2)
    for place in range(2, min(width, 4)):
        values = {line[place].casefold() for line in body}
        meaning = "split" if values <= set(SPLITS) | {""} else "group"
        columns.setdefault(meaning, place)
    return columns


def _row(line: list[str], columns: dict[str, int]) -> Row:
    cells = {meaning: line[place] if place < len(line) else ""
             for meaning, place in columns.items()}
    return Row(cells["file"], cells.get("label", ""), cells.get("split", ""),
               cells.get("group", ""))


class FileFinder:
    """Finds the file that a table names: by its path, its name, or its name without ending.

    Args:
        paths: Of all files, folders separated by "/".
    """

    def __init__(self, paths: list[str]) -> None:
        self._keys: dict[str, str] = {}
        doubtful: set[str] = set()
        for path in paths:
            name = PurePosixPath(path)
            for key in {name.name, name.stem, str(name.with_suffix(""))} - {path}:
                if self._keys.setdefault(key, path) != path:
                    doubtful.add(key)
        for key in doubtful:
            del self._keys[key]
        self._keys |= {path: path for path in paths}

    def find(self, named: str) -> str | None:
        """Return the path of the file that is meant, or None if there is none or several."""
        return self._keys.get(named.replace("\\", "/").removeprefix("./"))
