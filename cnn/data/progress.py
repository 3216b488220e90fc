"""How long work on data tells its caller how far it is, and how its caller ends it.

Knows nothing of pages or bars.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# What is being done, steps done, steps in all or 0. It may raise `Cancelled`: the work is asked
# several times a second whether it shall go on, and leaves nothing half done behind.
Progress = Callable[[str, int, int], None]

_FIRST_ESTIMATE = 2.0  # seconds of work before anything is said of the rest


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


def until(cancel: Callable[[], bool], progress: Progress) -> Progress:
    """Return a progress that ends the work as soon as `cancel` says so.

    Args:
        cancel: Asked whenever the work tells how far it is.
        progress: Told the same.
    """
    def tell(what: str, done: int, total: int) -> None:
        if cancel():
            raise Cancelled
        progress(what, done, total)

    return tell


def with_time_left(
    progress: Progress, clock: Callable[[], float] = time.monotonic
) -> Progress:
    """Return a progress that also says how long the rest takes, once that can be known.

    Args:
        progress: Told what is being done with that behind it: "Reading pictures, 40 s left".
        clock: Seconds that only grow. Defaults to the system's.
    """
    work, begin = "", 0.0

    def tell(what: str, done: int, total: int) -> None:
        nonlocal work, begin
        now = clock()
        if what != work:
            work, begin = what, now
        passed = now - begin
        known = 0 < done < total and passed >= _FIRST_ESTIMATE
        rest = f", {time_left(passed * (total - done) / done)}" if known else ""
        progress(what + rest, done, total)

    return tell
