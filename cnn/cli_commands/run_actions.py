"""What `runs` can do besides showing: label, delete, restore, export, import and verify."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnn.api_records import run_record
from cnn.cli_commands.output import Output
from cnn.cli_commands.trash import (
    add_trash_options,
    empty_trash,
    list_trash,
    said_of_deletion,
)
from cnn.errors import BadInput
from cnn.runs.archive import Contents, export_run, import_run, verify_archive
from cnn.runs.labels import write_label
from cnn.runs.manager import get_run
from cnn.runs.trash import delete_run, deleted_runs, title_of
from cnn.trash import DAYS_KEPT

_FILE = "FILE.zip"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the actions; one at a time, and each does its work instead of showing."""
    parser.add_argument("--title", metavar="TEXT", help="give the run a title; '' removes it")
    parser.add_argument("--note", metavar="TEXT", help="give the run a note; '' removes it")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--delete", action="store_true",
                       help=f"delete the run; it can be restored for {DAYS_KEPT} days")
    group.add_argument("--restore", action="store_true", help="bring a deleted run back")
    add_trash_options(group, "run")
    group.add_argument("--export", metavar=_FILE, type=Path,
                       help="write the run to a zip that another installation can import")
    group.add_argument("--import", metavar=_FILE, type=Path, dest="import_",
                       help="take in a run that was exported")
    group.add_argument("--verify", metavar=_FILE, type=Path,
                       help="check such a zip without importing it")


def act(options: argparse.Namespace) -> Output | None:
    """Do the action that was asked for; None if none was.

    Raises:
        CnnError: If it cannot be done.
    """
    chosen = next((name for name in _ACTIONS if getattr(options, name)), None)
    if options.title is not None or options.note is not None:
        if chosen:
            raise BadInput("--title and --note go with no other action.", "Give them alone.")
        return _label(options)
    return _ACTIONS[chosen](options) if chosen else None


def _run_of(options: argparse.Namespace, action: str) -> str:
    if not options.run:
        raise BadInput(f"{action} needs the id of a run.", "See: python -m cnn runs")
    return str(options.run)


def _label(options: argparse.Namespace) -> Output:
    run_id = _run_of(options, "--title or --note")
    label = write_label(run_id, options.title, options.note)
    said = f"The run {run_id} is called {label.title!r}." if label.title else \
        f"The run {run_id} has no title."
    return Output(run_record(get_run(run_id)), "\n".join(filter(None, (said, label.note))))


def _delete(options: argparse.Namespace) -> Output:
    run_id = _run_of(options, "--delete")
    kept = delete_run(run_id)
    return Output({"run": run_id, "deleted": kept}, said_of_deletion(
        "run", run_id, f"runs {kept} --restore"))


def _restore(options: argparse.Namespace) -> Output:
    run_id = deleted_runs().restore(_run_of(options, "--restore"))
    return Output(run_record(get_run(run_id)), f"The run {run_id} is back.")


def _export(options: argparse.Namespace) -> Output:
    run_id = _run_of(options, "--export")
    contents = export_run(run_id, options.export)
    return Output(_contents(contents, options.export), (
        f"The run {run_id} is in {options.export}: {_amount(contents)}. Its saved model is not."))


def _import(options: argparse.Namespace) -> Output:
    run = get_run(import_run(options.import_))
    more = f" It can be resumed: python -m cnn resume {run.run_id}" \
        if run.status.state == "interrupted" else ""
    return Output(run_record(run), f"The run {run.run_id} is here, {run.status.state}.{more}")


def _verify(options: argparse.Namespace) -> Output:
    contents = verify_archive(options.verify)
    return Output(_contents(contents, options.verify), (
        f"{options.verify} is whole: the run {contents.run_id}, exported {contents.exported}, "
        f"{_amount(contents)}, every sum right."))


def _contents(contents: Contents, path: Path) -> dict[str, Any]:
    return {"run": contents.run_id, "file": str(path), "exported": contents.exported,
            "bytes": contents.size, "files": {
                name: {"bytes": size, "sha256": digest}
                for name, (size, digest) in contents.files.items()}}


def _amount(contents: Contents) -> str:
    return f"{len(contents.files)} files, {contents.size / 2**20:.1f} MB"


_ACTIONS: dict[str, Callable[[argparse.Namespace], Output]] = {
    "delete": _delete, "restore": _restore,
    "trash": lambda options: list_trash(deleted_runs(), "run", title_of),
    "empty_trash": lambda options: empty_trash(deleted_runs()),
    "export": _export, "import_": _import, "verify": _verify}
