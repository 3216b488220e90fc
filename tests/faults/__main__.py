"""Runs fault scenarios and prints one table of what was lost.

    python -m tests.faults [NAME ...] [--count N] [--seed S]

Without names all of them, with their full counts: some hours. Exit status 1 if anything was lost.
Needs Linux: SIGKILL, processor affinity and, for disk_full, a tmpfs (root).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable

from benchmarks.report import machine, table
from tests.faults import damage, disk_full, interrupt_and_compare, kill_server, kill_trainer
from tests.faults.support import Tally, tell

# Each takes how often and a source of random numbers.
SCENARIOS: dict[str, tuple[Callable[[int, random.Random], list[Tally]], int]] = {
    module.__name__.rpartition(".")[2]: (module.run, module.COUNT)
    for module in (kill_trainer, kill_server, interrupt_and_compare, disk_full, damage)}
HEAD = ("scenario", "times", "what was looked at", "lost")


def main() -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"{', '.join(SCENARIOS)} (default: all)")
    parser.add_argument("--count", type=int, help="how often, in place of the full counts")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(SCENARIOS)):
        parser.error(f"no such scenario: {', '.join(unknown)}; known: {', '.join(SCENARIOS)}")
    if sys.platform != "linux":
        parser.error("the faults are made with means of Linux")
    tell(f"seed {options.seed}")
    tallies: list[Tally] = []
    for name in options.names or SCENARIOS:
        run, full = SCENARIOS[name]
        tell(f"{name}, {options.count or full} times")
        tallies += run(options.count or full, random.Random(options.seed))
    print(f"{machine()}\n\n{table(HEAD, [tally.row() for tally in tallies])}")
    for tally in tallies:
        for kind, what in tally.losses:
            print(f"- {tally.scenario}, {kind}: {what}")
    return 1 if any(tally.losses for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
