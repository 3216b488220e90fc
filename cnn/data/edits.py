"""Changes a person makes to an imported set: recorded beside its images, and taken back at will.

Joins the store, which knows where a set lies, with `stock`, which applies the changes.
"""

from __future__ import annotations

from pathlib import Path

from cnn.data import store
from cnn.data.changes import Edit, check_edit
from cnn.data.progress import silent
from cnn.data.stock import read_edits, write_edits
from cnn.errors import BadInput


def edits(name: str) -> list[Edit]:
    """Return the changes of a data set, oldest first; a set that cannot be changed has none.

    Raises:
        NotFound: If no set of this name is stored.
        Damaged: If its files cannot be read.
    """
    return read_edits(store.set_folder(name)) if store.read_meta(name).imported else []


def apply_edit(name: str, edit: Edit) -> None:
    """Change an imported set; `undo_edit` takes it back. The images stay as they are on disk.

    Args:
        name: Of the set.
        edit: One of the records that `cnn.data.changes` describes.

    Raises:
        BadInput: If the set is not an imported one, the change cannot be understood, or too little
            would be left.
        NotFound: If no set of this name is stored.
        Damaged: If its files cannot be read.
        Unavailable: If the disk is full or cannot be written.
    """
    check_edit(edit)
    with store.preparing(name, silent):
        folder = _changeable(name)
        write_edits(folder, [*read_edits(folder), edit])


def undo_edit(name: str, number: int | None = None) -> Edit:
    """Take a change back and return it.

    Args:
        name: Of the set.
        number: Which, counted from 1 in `edits`. Defaults to the newest.

    Raises:
        BadInput: If there is no such change, or a later one cannot do without it.
        NotFound: If no set of this name is stored.
        Damaged: If its files cannot be read.
        Unavailable: If the disk is full or cannot be written.
    """
    with store.preparing(name, silent):
        folder = _changeable(name)
        made = read_edits(folder)
        place = len(made) if number is None else number
        if not 1 <= place <= len(made):
            raise BadInput(f"{name} has {len(made)} changes; there is no number {place}.",
                           "Only changes that are listed can be taken back.")
        undone = made.pop(place - 1)
        try:
            write_edits(folder, made)
        except BadInput as error:
            raise BadInput(f"Change {place} cannot be taken back before a later one: "
                           f"{error.message}", "Take back the newest change first.") from error
        return undone


def _changeable(name: str) -> Path:
    if not store.read_meta(name).imported:
        raise BadInput(f"The data set {name!r} cannot be changed.",
                       "Only sets can that were imported with this version of CNN Studio.")
    return store.set_folder(name)
