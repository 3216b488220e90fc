"""`pause`: asks a run to keep everything and free the memory; does not wait for it."""

from __future__ import annotations

import argparse

from cnn.api_records import run_record
from cnn.cli_commands.output import Output
from cnn.runs.steering import pause_run


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which run to pause."""
    parser.add_argument("run", metavar="RUN", help="its id: python -m cnn runs")


def run(options: argparse.Namespace) -> Output:
    """Ask the run to pause.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it is not training.
    """
    pausing = pause_run(options.run)
    return Output(run_record(pausing), (
        f"The run {pausing.run_id} pauses after its present step. "
        f"Go on with it: python -m cnn resume {pausing.run_id}"))
