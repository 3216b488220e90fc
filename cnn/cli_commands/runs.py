"""`runs`: all training runs, or everything about one; what can be done with them: `run_actions`."""

from __future__ import annotations

import argparse
from typing import Any

from cnn.api_records import run_detail, runs_record
from cnn.cli_commands import run_actions
from cnn.cli_commands.output import UNKNOWN, Output, duration, facts, number, percent, table
from cnn.runs.folder import STATES
from cnn.runs.manager import RunInfo, get_run

LOG_LINES = 15  # of a run that failed


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which run to show, and what can be done with it."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="show this run (default: list all)")
    run_actions.add_options(parser)


def run(options: argparse.Namespace) -> Output:
    """List all runs, show one, or do something with one.

    Raises:
        NotFound: If there is no such run.
        CnnError: If what was asked for cannot be done.
    """
    done = run_actions.act(options)
    if done:
        return done
    if options.run:
        chosen = get_run(options.run)
        record = run_detail(chosen)
        return Output(record, _detail(chosen, record))
    record = runs_record()
    return Output(record, _list(record["runs"]))


def _list(runs: list[dict[str, Any]]) -> str:
    if not runs:
        return ("There are no runs yet. Start one: "
                "python -m cnn train --dataset digits --architecture base --epochs 5")
    return table(
        ("Run", "State", "Data", "Architecture", ">Epoch", ">Validation", ">Test", ">Time",
         "Title"),
        [(run["run"], "damaged" if run["error"] else run["state"], run["dataset"] or UNKNOWN,
          run["architecture"] or UNKNOWN, f"{run['epochs']}/{run['epochs_asked'] or UNKNOWN}",
          percent(run["val_accuracy"]), percent(run["test_accuracy"]), duration(run["seconds"]),
          run["title"])
         for run in runs])


def _detail(run: RunInfo, record: dict[str, Any]) -> str:
    if run.error:
        return f"The run {run.run_id} is damaged.\n{run.error}"
    last = record["last_epoch"]
    lines = facts((
        ("Run", run.run_id),
        ("Title", record["title"]),
        ("Note", record["note"].replace("\n", " ")),
        ("State", f"{record['state']}: {record['stage'] or STATES[record['state']]}"),
        ("Why", f"{record['message']} {record['hint']}".strip()),
        ("Data", record["dataset"]),
        ("Architecture", f"{record['architecture']}, {number(record['parameters'])} parameters"),
        ("Epochs", f"{record['epochs']} of {record['epochs_asked']}"),
        ("Last epoch", f"loss {number(last['loss'])}, accuracy {percent(last['accuracy'])}, "
                       f"val_loss {number(last['val_loss'])}, "
                       f"val_accuracy {percent(last['val_accuracy'])}" if last else ""),
        ("Best epoch", f"{record['best_epoch']}, validation accuracy "
                       f"{percent(record['val_accuracy'])}" if record["best_epoch"] else ""),
        ("Overfitting", record["overfitting"] or ""),
        ("To try", " ".join(record["remedies"])),
        ("Test", f"accuracy {percent(record['test_accuracy'])}, "
                 f"loss {number(record['test_loss'])}, "
                 f"{number(record['test_n'])} images" if record["test_n"] else ""),
        ("Time", duration(record["seconds"])),
        ("Model", record["name"] if record["saved"] else ""),
        ("Command", record["command"]),
    ))
    log = run.folder.log_tail(LOG_LINES) if record["state"] in ("failed", "interrupted") else ""
    return f"{lines}\n\nEnd of its log:\n{log}" if log else lines
