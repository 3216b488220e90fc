"""`set`: changes settings of a run while it trains, or before it is resumed."""

from __future__ import annotations

import argparse
from typing import Any

from cnn.api_records import run_record
from cnn.cli_commands.output import Output
from cnn.errors import BadInput
from cnn.models.defaults import switched_augmentation
from cnn.runs.manager import get_run
from cnn.runs.steering import change_run


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which run, and what can be changed."""
    parser.add_argument("run", metavar="RUN", help="its id: python -m cnn runs")
    parser.add_argument("--learning-rate", type=float, help="size of the steps from now on; with "
                        "a schedule, of what it falls from")
    parser.add_argument("--epochs", type=int, help="how many in all")
    parser.add_argument("--augmentation", action=argparse.BooleanOptionalAction,
                        help="whether training images are changed at random")


def run(options: argparse.Namespace) -> Output:
    """Ask for the changes.

    Raises:
        NotFound: If there is no such run.
        BadInput: If nothing is to be changed, or a value is out of range.
    """
    changes: dict[str, Any] = {name: getattr(options, name) for name in ("learning_rate", "epochs")
                               if getattr(options, name) is not None}
    config = get_run(options.run).config
    if options.augmentation is not None and config:
        changes["augmentation"] = switched_augmentation(config, options.augmentation)
    if not changes:
        raise BadInput("Nothing to change was given.",
                       "Give --learning-rate, --epochs or --augmentation.")
    changed = change_run(options.run, **changes)
    when = "from its next step on" if changed.active else "when it is resumed"
    return Output(run_record(changed), f"The run {changed.run_id} takes it over {when}.")
