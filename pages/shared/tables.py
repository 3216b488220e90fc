"""Tables that a person takes along as CSV. Knows nothing of widgets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def as_percent(rows: Sequence[Mapping[str, Any]], *keys: str) -> list[dict[str, Any]]:
    """Return rows with these fractions times 100: no format of a column multiplies and rounds."""
    return [{**row, **{key: 100 * row[key] for key in keys}} for row in rows]


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows with the same keys as a CSV file that every spreadsheet reads.

    UTF-8 with the mark that Excel needs. Texts that a spreadsheet would run as a formula get an
    apostrophe in front: names of files and classes come from anybody.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _harmless(value) for key, value in row.items()})
    return text.getvalue().encode("utf-8-sig")


def _harmless(value: Any) -> Any:
    dangerous = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if dangerous else value
