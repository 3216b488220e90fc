"""`import`: makes a data set from class folders, a zip of them, or a table of files and labels."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from cnn.cli_commands.output import Output, ProgressLine, facts, number
from cnn.data.dividing import WAYS, SplitPlan
from cnn.data.importing import ImportReport, import_images
from cnn.data.looking import look_at
from cnn.errors import BadInput

SKIPPED_SHOWN = 10
_FITS = {"crop": "crop", "pad": "fit", "stretch": "stretch"}  # word: one of RESIZE_WAYS
_PROPOSED = "auto"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to import and how."""
    parser.add_argument("source", metavar="FOLDER|ZIP|CSV", type=Path,
                        help="one folder per class, train and test folders of those, or a table "
                             "of file and label beside the pictures")
    parser.add_argument("--name", required=True, help="of the new data set")
    parser.add_argument("--size", default=_PROPOSED, help="height and width in pixels, or auto: "
                        "what suits the pictures, 64 at most (default: auto)")
    parser.add_argument("--fit", choices=_FITS, default="crop",
                        help="cut pictures to a square, pad them with grey, or stretch them "
                             "(default: crop)")
    parser.add_argument("--channels", type=int, choices=(1, 3), default=3,
                        help="1 for grey, 3 for colour (default: 3)")
    parser.add_argument("--split", choices=WAYS, default="",
                        help="how test images are chosen (default: as the source says, else by "
                             "group if there are groups, else ratio)")
    parser.add_argument("--group", default="", metavar="REGEX",
                        help="pattern in file names; what its first bracket takes is the group, "
                             "whose pictures stay together, such as ^(.+)_IMG")
    parser.add_argument("--seed", type=int, default=0,
                        help="decides which pictures become the test images (default: 0)")
    parser.add_argument("--test-fraction", type=float, default=0.2,
                        help="share for the test where the source does not say (default: 0.2)")


def run(options: argparse.Namespace) -> Output:
    """Import the pictures.

    Raises:
        CnnError: If too little can be used, the name is taken, or the source is not safe.
    """
    plan = SplitPlan(options.split, options.test_fraction, options.seed, options.group)
    size = _size(options.size, options.source)
    with ProgressLine() as line:
        report = import_images(options.source, options.name, (size, size), _FITS[options.fit],
                               options.channels, plan, line.steps)
    return Output({**asdict(report), "size": size}, _text(report, size))


def _size(text: str, source: Path) -> int:
    if text == _PROPOSED:
        return look_at(source).size
    try:
        return int(text)
    except ValueError as error:
        raise BadInput(f"--size must be a whole number or {_PROPOSED}. Received: {text[:40]!r}.",
                       "For instance --size 64.") from error


def _text(report: ImportReport, size: int) -> str:
    lines = [facts((
        ("Data set", report.name),
        ("Size", f"{size}×{size}"),
        ("Training", number(report.train_count)),
        ("Test", number(report.test_count)),
        ("Split", report.split),
        *((f"  {name}", number(count)) for name, count in report.kept.items()),
        ("Skipped", number(len(report.skipped)) if report.skipped else ""),
    ))]
    lines += [f"  {file}: {reason}" for file, reason in report.skipped[:SKIPPED_SHOWN]]
    if len(report.skipped) > SKIPPED_SHOWN:
        lines.append(f"  and {len(report.skipped) - SKIPPED_SHOWN} more")
    lines.append(f"\nBefore you train: python -m cnn datasets {report.name} --report")
    return "\n".join(lines)
