"""Printing a benchmark: a Markdown table with the machine it was measured on.

`--write` puts the same text into docs/results.md, between the marks with its name,
so that the document never holds a figure that no script prints.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from cnn.hardware import has_bfloat16

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results.md"
PACKAGES = ("tensorflow", "keras", "streamlit", "numpy")


def machine() -> str:
    """Return the machine and the versions, in one line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines()
                 if line.startswith("model name")]
        cpu = names[0] if names else cpu
    cpu += " with bfloat16 instructions" if has_bfloat16() else ""
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
            f"Python {platform.python_version()}, {versions}; {datetime.now(UTC):%Y-%m-%d}")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def publish(name: str, command: str, body: str, write: bool) -> None:
    """Print a benchmark and, if asked, put it into docs/results.md.

    Args:
        name: Of the section's marks in the document.
        command: That measures this again.
        body: Markdown.
        write: Whether to change the document.

    Raises:
        SystemExit: If the document has no such section.
    """
    text = f"`{command}`\n\n{machine()}\n\n{body}"
    print(text)
    if not write:
        return
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    document = RESULTS.read_text(encoding="utf-8")
    if begin not in document or end not in document:
        raise SystemExit(f"docs/results.md has no section {name}")
    before, rest = document.split(begin)
    _, after = rest.split(end)
    RESULTS.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that knows --write."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the result into docs/results.md")
    return parser
