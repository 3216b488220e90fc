"""`resume`: goes on with a run where its newest checkpoint is, or trains more epochs."""

from __future__ import annotations

import argparse

from cnn.api_records import run_record
from cnn.cli_commands.following import CTRL_C, follow
from cnn.cli_commands.output import Output, say
from cnn.runs.manager import get_run
from cnn.runs.steering import continue_run, resume_run


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which run, how, and `--detach`."""
    parser.add_argument("run", metavar="RUN", help="id of a run: python -m cnn runs")
    more = parser.add_mutually_exclusive_group()
    more.add_argument("--more-epochs", type=int, metavar="N",
                      help="train N epochs beyond those that are done; also for a finished run")
    more.add_argument("--learning-rate", type=float,
                      help="another one from here on, for a run that diverged")
    parser.add_argument("--detach", action="store_true",
                        help="do not wait: leave the run to itself")


def run(options: argparse.Namespace) -> Output:
    """Resume a run and, unless it is to be left to itself, wait for its result.

    Raises:
        CnnError: If the run cannot be resumed, or ends without a saved model.
    """
    told = get_run(options.run).folder.read_events()[1]
    if options.more_epochs is None:
        resumed = resume_run(options.run, options.learning_rate)
    else:
        resumed = continue_run(options.run, options.more_epochs)
    if options.detach:
        return Output(run_record(get_run(options.run)),
                      f"Run {options.run} goes on. Look at it: python -m cnn runs {options.run}")
    say(f"Run {options.run} goes on. {CTRL_C}")
    return follow(options.run, resumed.config.epochs if resumed.config else 0, told)
