"""`report`: one training, or several side by side, as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from cnn.cli_commands.output import Output
from cnn.errors import BadInput
from cnn.files import atomic_write_bytes
from cnn.reports.html_report import html_report


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to report on, and where to."""
    parser.add_argument("names", nargs="+", metavar="NAME",
                        help="of a saved model, or the id of a run; several are compared")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.html",
                        help="where to write the report; it needs no other file")


def run(options: argparse.Namespace) -> Output:
    """Write the report.

    Raises:
        NotFound, Damaged: If a model or run cannot be read.
        BadInput: If they cannot be compared, or the file is no HTML.
        Unavailable: If the file cannot be written.
    """
    if options.out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"The report is HTML. Received: --out {options.out}.",
                       f"Try --out {options.out.with_suffix('.html')}.")
    data = html_report(options.names).encode()
    atomic_write_bytes(options.out, data)
    record = {"names": options.names, "written": str(options.out), "bytes": len(data)}
    return Output(record, f"Written: {options.out}")
