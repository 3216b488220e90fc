"""`queue`: the runs that wait for their turn, their order, and how many may train at once."""

from __future__ import annotations

import argparse

from cnn.cli_commands.output import Output, table
from cnn.runs.manager import get_run, tend_queue
from cnn.runs.queue import set_slots, slots, waiting
from cnn.runs.steering import move_run


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to change."""
    parser.add_argument("--move", nargs=2, metavar=("RUN", "STEPS"),
                        help="move a waiting run by so many places: -1 is one forward")
    parser.add_argument("--slots", type=int, help="how many runs may train at once")
    parser.set_defaults(wrong_usage=parser.error)


def run(options: argparse.Namespace) -> Output:
    """Change what is asked for, and show the queue.

    Raises:
        NotFound: If a run does not wait.
        BadInput: If the number of slots is out of range.
    """
    tend_queue()
    if options.slots is not None:
        set_slots(options.slots)
    if options.move:
        name, steps = options.move
        try:
            move_run(name, int(steps))
        except ValueError:
            options.wrong_usage(f"STEPS must be a whole number. Received: {steps!r}.")
    order, number = waiting(), slots()
    at_once = "One run trains at a time." if number == 1 else f"{number} runs train at once."
    if not order:
        return Output({"slots": number, "waiting": []}, f"No run waits. {at_once}")
    rows = [(str(place), name, config.name if (config := get_run(name).config) else "")
            for place, name in enumerate(order, 1)]
    return Output({"slots": number, "waiting": order},
                  f"{at_once}\n{table(('>Place', 'Run', 'Model'), rows)}")
