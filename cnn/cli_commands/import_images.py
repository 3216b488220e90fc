"""`import`: makes a data set from class folders or a zip of them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from cnn.cli_commands.output import Output, ProgressLine, facts, number
from cnn.data.images import RESIZE_WAYS
from cnn.data.importing import ImportReport, import_images

SKIPPED_SHOWN = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to import and how."""
    parser.add_argument("source", metavar="FOLDER|ZIP", type=Path,
                        help="one folder per class, or train and test folders of those")
    parser.add_argument("--name", required=True, help="of the new data set")
    parser.add_argument("--size", type=int, default=64,
                        help="height and width in pixels (default: 64)")
    parser.add_argument("--how", choices=RESIZE_WAYS, default="crop",
                        help="how pictures come to that size (default: crop)")
    parser.add_argument("--channels", type=int, choices=(1, 3), default=3,
                        help="1 for grey, 3 for colour (default: 3)")
    parser.add_argument("--seed", type=int, default=0,
                        help="decides which pictures become the test images (default: 0)")
    parser.add_argument("--test-fraction", type=float, default=0.2,
                        help="share for the test where there is no test folder (default: 0.2)")


def run(options: argparse.Namespace) -> Output:
    """Import the pictures.

    Raises:
        CnnError: If too little can be used, the name is taken, or the source is not safe.
    """
    with ProgressLine() as line:
        report = import_images(
            options.source, options.name, (options.size, options.size), options.how,
            options.channels, options.seed, options.test_fraction, line.steps)
    return Output(asdict(report), _text(report))


def _text(report: ImportReport) -> str:
    lines = [facts((
        ("Data set", report.name),
        ("Training", number(report.train_count)),
        ("Test", number(report.test_count)),
        *((f"  {name}", number(count)) for name, count in report.kept.items()),
        ("Skipped", number(len(report.skipped)) if report.skipped else ""),
    ))]
    lines += [f"  {file}: {reason}" for file, reason in report.skipped[:SKIPPED_SHOWN]]
    if len(report.skipped) > SKIPPED_SHOWN:
        lines.append(f"  and {len(report.skipped) - SKIPPED_SHOWN} more")
    return "\n".join(lines)
