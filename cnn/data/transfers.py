"""Downloads that the server does for all its visitors, one at a time for each data set.

Each downloads and prepares a set. A server that dies leaves what has come, and the next try goes on
from there. Knows no pages.
"""

from __future__ import annotations

from cnn.data import catalogue
from cnn.data.jobs import Jobs, JobState, key_of_set
from cnn.data.progress import Progress

_JOBS = Jobs("download")


def start(name: str, size: int | None = None) -> None:
    """Begin to download and prepare a data set, unless that is under way.

    Args:
        name: One of `catalogue.all_names()`.
        size: As for `catalogue.load`.
    """
    def work(tell: Progress) -> None:
        catalogue.load(name, tell, size)  # whose result is opened by who needs it

    _JOBS.start(key_of_set(name), work)


def look(name: str) -> JobState | None:
    """Return how far the download of a data set is, or how the last one ended; None without one."""
    return _JOBS.look(key_of_set(name))


def cancel(name: str) -> None:
    """Ask the download of a data set to end; what has come is kept for the next try."""
    _JOBS.cancel(key_of_set(name))
