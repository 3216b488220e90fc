"""`card`: the model card of a saved model, as Markdown."""

from __future__ import annotations

import argparse
from pathlib import Path

from cnn.cli_commands.output import Output
from cnn.files import atomic_write_bytes
from cnn.reports.model_card import model_card


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which model, and where to write the card."""
    parser.add_argument("name", metavar="NAME", help="of a saved model: python -m cnn models")
    parser.add_argument("--out", type=Path, metavar="FILE.md",
                        help="write it to this file (default: print it)")


def run(options: argparse.Namespace) -> Output:
    """Print the card, or write it.

    Raises:
        NotFound, Damaged: If the model cannot be read.
        Unavailable: If the file cannot be written.
    """
    text = model_card(options.name)
    if options.out is None:
        return Output({"model": options.name, "card": text, "written": None}, text.rstrip())
    atomic_write_bytes(options.out, text.encode())
    return Output({"model": options.name, "card": text, "written": str(options.out)},
                  f"Written: {options.out}")
