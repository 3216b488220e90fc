"""What `runs` and `models` say of deleting: of one, of all that are deleted, of emptying."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from cnn.cli_commands.output import Output, number, table
from cnn.trash import DAYS_KEPT, Deleted, Trash


def add_trash_options(parser: argparse._ActionsContainer, what: str) -> None:
    """Add the options to list the deleted ones and to be rid of them."""
    parser.add_argument("--trash", action="store_true", help=f"list the deleted {what}s")
    parser.add_argument("--empty-trash", action="store_true", help="delete them for good")


def said_of_deletion(what: str, name: str, restore: str) -> str:
    """Return that one is deleted, and the command that brings it back."""
    return (f"The {what} {name} is deleted. For {DAYS_KEPT} days this brings it back: "
            f"python -m cnn {restore}")


def list_trash(
    trash: Trash, key: str, title: Callable[[Deleted], str] | None = None
) -> Output:
    """Return the deleted ones, the last deleted first.

    Args:
        trash: That they are in.
        key: Of their names, for programs.
        title: What a person called one. Defaults to not saying so.
    """
    value, rows = [], []
    for one in trash.entries():
        titles = {"title": title(one)} if title else {}
        value.append({key: one.name, **titles, "deleted": one.deleted, "ends": one.ends})
        rows.append((one.name, _day(one.deleted), _day(one.ends), *titles.values()))
    names = (trash.what.capitalize(), "Deleted", "Kept until", *(["Title"] if title else []))
    return Output({"deleted": value},
                  table(names, rows) if rows else f"No {trash.what} is deleted.")


def empty_trash(trash: Trash) -> Output:
    """Delete them for good, and return how many there were."""
    gone = trash.empty()
    return Output({"removed": gone}, f"Deleted for good: {number(gone)}.")


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))
