"""Pieces of HTML: escaped text, tables that a screen reader can walk through, lists of figures.

Every text of a person (names of classes, models and settings) goes through `text`. Knows nothing of
trainings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any


def text(value: Any) -> str:
    """Return a value as HTML that shows it letter by letter, also inside an attribute."""
    return escape(str(value), quote=True)


def table(
    caption: str, headers: Sequence[str], rows: Sequence[Sequence[Any]], numbers: bool = True
) -> str:
    """Return a table whose first column names the rows.

    Args:
        caption: What it shows.
        headers: Of the columns.
        rows: Values, as texts or numbers.
        numbers: Whether the columns after the first are figures, aligned to the right.
    """
    head = "".join(f'<th scope="col">{text(header)}</th>' for header in headers)
    body = "".join(f"<tr>{_cells(row)}</tr>\n" for row in rows)
    kind = ' class="numbers"' if numbers else ""
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}">'
            f"<table{kind}><caption>{text(caption)}</caption>\n"
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n")


def _cells(row: Sequence[Any]) -> str:
    first, *rest = row
    return f'<th scope="row">{text(first)}</th>' + "".join(
        f"<td>{text(value)}</td>" for value in rest)


def figures(values: Mapping[str, tuple[str, str]]) -> str:
    """Return tiles, each a name, its value and a line of explanation below, which may be empty."""
    tiles = "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(value)}"
        + (f"<small>{text(note)}</small>" if note else "") + "</dd></div>\n"
        for name, (value, note) in values.items())
    return f'<dl class="figures">\n{tiles}</dl>\n'


def folded(title: str, content: str) -> str:
    """Return content behind a title that opens it; printed it is always open."""
    return f"<details><summary>{text(title)}</summary>\n{content}</details>\n"


def figure(drawing: str, caption: str) -> str:
    """Return a drawing with its caption."""
    return f"<figure>\n{drawing}\n<figcaption>{text(caption)}</figcaption></figure>\n"
