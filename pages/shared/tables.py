"""Tables that a person takes along as CSV. Knows nothing of widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnn.tables import csv_text


def as_percent(rows: Sequence[Mapping[str, Any]], *keys: str) -> list[dict[str, Any]]:
    """Return rows with these fractions times 100: no format of a column multiplies and rounds."""
    return [{**row, **{key: 100 * row[key] for key in keys}} for row in rows]


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows with the same keys as a CSV file that every spreadsheet reads.

    UTF-8 with the mark that Excel needs.
    """
    return csv_text(rows).encode("utf-8-sig")
