"""How long work on data tells its caller how far it is, and how its caller ends it.

Knows nothing of pages or bars.
"""

from __future__ import annotations

from collections.abc import Callable

# What is being done, steps done, steps in all or 0. It may raise `Cancelled`: the work is asked
# several times a second whether it shall go on, and leaves nothing half done behind.
Progress = Callable[[str, int, int], None]


class Cancelled(Exception):
    """Raised by a progress function to end the work, because a person asked for that."""


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody: the progress of a caller who did not ask."""


def bytes_in_words(count: float) -> str:
    """Return an amount of bytes: "5 kB", "1.2 MB", "163 MB"; a MB has 2**20 bytes."""
    if count < 2**20:
        return f"{count / 2**10:.0f} kB"
    mega = count / 2**20
    return f"{mega:.1f} MB" if mega < 9.95 else f"{mega:.0f} MB"


def time_left(seconds: float) -> str:
    """Return how long something will still take, roughly: "40 s left", "12 min left"."""
    if seconds < 90:
        return f"{seconds:.0f} s left"
    minutes = seconds / 60
    return f"{minutes:.0f} min left" if minutes < 90 else f"{minutes / 60:.1f} h left"
