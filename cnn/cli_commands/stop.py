"""`stop`: asks a run to stop and keep its best; does not wait for it."""

from __future__ import annotations

import argparse

from cnn.api_records import run_record
from cnn.cli_commands.output import Output
from cnn.runs.manager import stop_run


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which run to stop."""
    parser.add_argument("run", metavar="RUN", help="its id: python -m cnn runs")


def run(options: argparse.Namespace) -> Output:
    """Ask the run to stop.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it has already ended.
    """
    stopping = stop_run(options.run)
    return Output(run_record(stopping), (
        f"The run {stopping.run_id} stops in a moment and saves the best so far. "
        f"Look at it: python -m cnn runs {stopping.run_id}"))
