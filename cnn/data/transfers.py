"""Downloads that the server does for all its visitors: started by one, seen and ended by any.

One thread for each data set, which downloads and prepares it; it goes on when its visitor leaves.
A server that dies leaves what has come, and the next try goes on from there. Knows no pages.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Literal

from cnn import paths
from cnn.data import catalogue
from cnn.data.progress import Cancelled
from cnn.errors import CnnError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Transfer:
    """How far a download is, or how the last one ended."""

    state: Literal["running", "ending", "done", "cancelled", "failed"]
    what: str = "Starting"  # is being done
    done: int = 0
    total: int = 0  # 0 if unknown
    error: CnnError | None = None  # of a failed one


class _Job:
    def __init__(self, name: str, size: int | None) -> None:
        self.transfer = Transfer("running")
        self._name, self._size = name, size
        self._cancelled = threading.Event()
        # A daemon: a server that is asked to end does not wait for it.
        self._thread = threading.Thread(target=self._run, name=f"download-{name}", daemon=True)
        self._thread.start()

    def lives(self) -> bool:
        return self.transfer.state in ("running", "ending")

    def cancel(self) -> None:
        self._cancelled.set()

    def _tell(self, what: str, done: int, total: int) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self.transfer = Transfer("running", what, done, total)

    def _run(self) -> None:
        try:
            catalogue.load(self._name, self._tell, self._size)
            self.transfer = Transfer("done")
        except Cancelled:
            self.transfer = Transfer("cancelled")
        except CnnError as error:
            self.transfer = Transfer("failed", error=error)
        except Exception:
            _LOG.exception("The download of %s failed", self._name)
            self.transfer = Transfer("failed", error=CnnError(
                "The download failed for a reason that is not known.",
                "Try again; the log of the server says more."))

    def shown(self) -> Transfer:
        transfer = self.transfer
        if transfer.state == "running" and self._cancelled.is_set():
            # It is asked at the next bytes; a silent server can keep it waiting for some seconds.
            return Transfer("ending", "Ending", transfer.done, transfer.total)
        return transfer


_LOCK = threading.Lock()
_JOBS: dict[tuple[str, str], _Job] = {}


def _key(name: str) -> tuple[str, str]:
    return str(paths.data_dir()), name


def start(name: str, size: int | None = None) -> None:
    """Begin to download and prepare a data set, unless that is under way.

    Args:
        name: One of `catalogue.all_names()`.
        size: As for `catalogue.load`.
    """
    with _LOCK:
        job = _JOBS.get(_key(name))
        if job is None or not job.lives():
            _JOBS[_key(name)] = _Job(name, size)


def look(name: str) -> Transfer | None:
    """Return how far the download of a data set is, or how the last one ended; None without one."""
    with _LOCK:
        job = _JOBS.get(_key(name))
    return job.shown() if job else None


def cancel(name: str) -> None:
    """Ask the download of a data set to end; what has come is kept for the next try."""
    with _LOCK:
        job = _JOBS.get(_key(name))
    if job:
        job.cancel()
