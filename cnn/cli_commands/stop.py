"""`stop`: asks a run to stop and keep its best as a model; does not wait for it."""

from __future__ import annotations

import argparse

from cnn.api_records import run_record
from cnn.cli_commands.output import Output
from cnn.runs.manager import get_run
from cnn.runs.steering import finish_run, stop_run


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which run to stop."""
    parser.add_argument("run", metavar="RUN", help="its id: python -m cnn runs")


def run(options: argparse.Namespace) -> Output:
    """Ask the run to stop; of one that is paused or was interrupted, make a model of its best.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it has already ended with a model, or has nothing to make one of.
    """
    found = get_run(options.run)
    stop = finish_run if found.can_go_on and not found.status.model else stop_run
    stopping = stop(options.run)
    return Output(run_record(stopping), (
        f"The run {stopping.run_id} stops in a moment and saves the best so far. "
        f"Look at it: python -m cnn runs {stopping.run_id}"))
