"""`export`: a saved model in a format of other programs, checked against the original."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cnn.cli_commands.output import Output, ProgressLine, facts
from cnn.errors import BadInput
from cnn.exports.asking import export_to
from cnn.exports.formats import FORMATS


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which model, to which format, and where to."""
    parser.add_argument("name", metavar="NAME", help="of a saved model: python -m cnn models")
    parser.add_argument("--format", required=True, choices=FORMATS, help="; ".join(
        f"{form.name}: {form.title}, for {form.purpose}" for form in FORMATS.values()))
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.zip",
                        help="where to write the zip: network, labels, preprocessing, a program "
                             "that uses them, and a README")


def run(options: argparse.Namespace) -> Output:
    """Export the model.

    Raises:
        NotFound, Damaged: If it cannot be read.
        BadInput: If the target is not a zip or exists.
        Refused: If the format cannot hold it, or answers otherwise.
        Unavailable: If packages are missing, or the file cannot be written.
    """
    if options.out.exists():
        raise BadInput(f"{options.out} exists already.", "Choose another name, or delete it.")
    with ProgressLine() as line:
        record = export_to(options.name, options.format, options.out, line.steps)
    record = {**record, "written": str(options.out)}
    return Output(record, _text(record))


def _text(record: dict[str, Any]) -> str:
    compared = record["compared"]
    return facts((
        ("Model", record["model"]),
        ("Format", FORMATS[record["format"]].title),
        ("Compared", f"on {compared['count']} inputs, {compared['pictures']} of them picture "
                     "files"),
        ("Difference", f"{compared['largest']:.1e} of a probability at most; the same answer on "
                       f"{compared['same_answer']}"),
        ("Written", f"{record['written']}, {record['bytes'] / 2**20:.1f} MB"),
    ))
