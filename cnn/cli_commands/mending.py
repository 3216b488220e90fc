"""`datasets NAME --report`, `--fix` and `--undo`: what may be wrong with a set, and mending it."""

from __future__ import annotations

import argparse
import json

from cnn.cli_commands.output import Output, ProgressLine, facts, number, shape, table
from cnn.data.catalogue import describe
from cnn.data.changes import Edit, edit_sentence
from cnn.data.edits import apply_edit, edits, undo_edit
from cnn.data.facts import Finding
from cnn.data.preflight import Preflight, find_fix, item_names, preflight
from cnn.errors import BadInput

_SETS_SHOWN, _FILES_SHOWN, _SKIPPED_SHOWN = 5, 4, 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to look for and what to change."""
    parser.add_argument("--report", action="store_true",
                        help="look for copies, leaks into the test, blank and tiny pictures, "
                             "rare classes")
    parser.add_argument("--fix", action="append", default=[], metavar="FINDING[:FIX]|JSON",
                        help="mend what the report found, such as leaks or leaks:together, or make "
                             'a change of your own, such as {"kind": "drop", "items": [3]}')
    parser.add_argument("--undo", nargs="?", type=int, const=0, metavar="NUMBER",
                        help="take back a change by its number (default: the newest)")


def is_asked(options: argparse.Namespace) -> bool:
    """Return whether any of these options was given."""
    return options.report or bool(options.fix) or options.undo is not None


def run(name: str | None, options: argparse.Namespace) -> Output:
    """Take back, change and look through one data set, in this order.

    Raises:
        CnnError: If there is no such set, or it cannot be changed so.
    """
    if name is None:
        raise BadInput("--report, --fix and --undo need the name of a data set.",
                       "For instance: python -m cnn datasets my-pictures --report")
    describe(name)  # says which names there are
    said = []
    if options.undo is not None:
        undone = undo_edit(name, options.undo or None)
        said.append(f"Taken back: {edit_sentence(undone)}.")
    for wanted in options.fix:
        said.append(f"Changed: {_mend(name, wanted)}.")
    return _output(name, said, _look(name) if options.report else None)


def _look(name: str) -> Preflight:
    with ProgressLine() as line:
        return preflight(name, line.steps)


def _mend(name: str, wanted: str) -> str:
    edit: Edit
    if wanted.lstrip().startswith("{"):
        try:
            edit = json.loads(wanted)
        except ValueError as error:
            raise BadInput(f"--fix is no JSON ({error}).",
                           'For instance {"kind": "drop", "items": [3, 14]}.') from error
    else:
        edit = find_fix(_look(name), wanted).edit
    apply_edit(name, edit)
    return edit_sentence(edit)


def _output(name: str, said: list[str], report: Preflight | None) -> Output:
    info = describe(name)
    changes = edits(name) if info.image_shape else []
    value = {
        "name": name, "classes": list(info.classes), "image_shape": info.image_shape,
        "train_count": info.train_count, "test_count": info.test_count, "split": info.split,
        "changes": changes, "said": said, "report": report.to_dict() if report else None}
    lines = [*said, facts((
        ("Data set", info.title), ("About", info.description),
        ("Size", shape(info.image_shape or ())), ("Classes", ", ".join(info.classes[:20])),
        ("Training", number(info.train_count)), ("Test", number(info.test_count)),
        ("Split", info.split)))]
    lines += [f"Change {place}  {edit_sentence(edit)}" for place, edit in enumerate(changes, 1)]
    if report:
        lines += ["", *_report_lines(report)]
    return Output(value, "\n".join(lines))


def _report_lines(report: Preflight) -> list[str]:
    lines = [table(("Class", ">Training", ">Test"), [
        (name, number(train), number(test)) for name, (train, test) in report.classes.items()])]
    names = item_names(report.name)
    if not report.findings:
        lines += ["", "Nothing was found that stands in the way of a training."]
    for finding in report.findings:
        lines += ["", *_finding_lines(report, finding, names)]
    if not report.complete:
        lines += ["", "There are so many near copies that not all were looked for."]
    return lines


def _finding_lines(report: Preflight, finding: Finding, names: list[str]) -> list[str]:
    lines = [f"{finding.level.upper()}  {finding.kind}: {finding.message} {finding.hint}"]
    for items in finding.sets[:_SETS_SHOWN]:
        more = f" and {len(items) - _FILES_SHOWN} more" if len(items) > _FILES_SHOWN else ""
        lines.append("  " + ", ".join(names[item] for item in items[:_FILES_SHOWN]) + more)
    if len(finding.sets) > _SETS_SHOWN:
        lines.append(f"  and {len(finding.sets) - _SETS_SHOWN:,} more")
    if finding.kind == "skipped":
        lines += [f"  {file}: {reason}" for file, reason in report.skipped[:_SKIPPED_SHOWN]]
    lines += [f"  --fix {finding.kind}:{fix.name}  {fix.words}" for fix in finding.fixes]
    return lines
