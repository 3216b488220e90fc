"""How commands speak: the result, plain tables, and progress on standard error.

The only place that knows terminals. Knows no command.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = "–"


@dataclass(frozen=True)
class Output:
    """The result of a command: for programs and for people."""

    value: Any  # JSON-ready
    text: str
    failed: bool = False  # nothing of what was asked for could be done


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns; a header that begins with ">" aligns its column to the right."""
    cells = [[header.lstrip(">") for header in headers], *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    lines = (
        "  ".join(cell.rjust(width) if header.startswith(">") else cell.ljust(width)
                  for header, cell, width in zip(headers, row, widths, strict=True)).rstrip()
        for row in cells)
    return "\n".join(lines)


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Return one line per label and value, values below each other; empty values are left out."""
    width = max(len(label) for label, _ in pairs)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in pairs if value)


def percent(fraction: float | None) -> str:
    """Return a fraction as per cent with two decimals."""
    return UNKNOWN if fraction is None else f"{100 * fraction:.2f} %"


def number(value: float | None) -> str:
    """Return a whole number with thousands separators, another with four decimals."""
    if value is None:
        return UNKNOWN
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def duration(seconds: float) -> str:
    """Return a time span in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def shape(sides: Sequence[int]) -> str:
    """Return the shape of an image or feature map."""
    return "×".join(str(side) for side in sides)


def say(text: str) -> None:
    """Write a line for the person to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class ProgressLine:
    """One line on standard error that is written over; nothing where no person watches.

    A context manager that clears the line in the end, however that comes.
    """

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._shown = ""

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, text: str) -> None:
        """Put `text` in place of what the line says."""
        text = text[: shutil.get_terminal_size().columns - 1]  # a wrapped line cannot be erased
        if self._watched and text != self._shown:
            sys.stderr.write("\r" + text.ljust(len(self._shown)))
            sys.stderr.flush()
            self._shown = text

    def clear(self) -> None:
        """Leave an empty line behind, at its beginning."""
        if self._shown:
            self.show("")
            sys.stderr.write("\r")

    def steps(self, what: str, done: int, total: int) -> None:
        """Show the progress of work on data; fits `cnn.data.progress.Progress`."""
        self.show(f"{what} {100 * done // total} %" if total else what)
