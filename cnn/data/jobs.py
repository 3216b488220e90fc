"""Work that the server does for all its visitors: begun by one, seen and ended by any.

One thread for each piece of work, which goes on when its visitor leaves. Knows nothing of what is
done, nor of pages.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

from cnn import paths
from cnn.data.progress import Cancelled, Progress
from cnn.errors import CnnError

_LOG = logging.getLogger(__name__)


def key_of_set(name: str) -> tuple[str, str]:
    """Return the key of work on a data set in the present data folder."""
    return str(paths.data_dir()), name


@dataclass(frozen=True)
class JobState:
    """How far a piece of work is, or how it ended."""

    state: Literal["running", "ending", "done", "cancelled", "failed"]
    what: str = "Starting"  # is being done
    done: int = 0
    total: int = 0  # 0 if unknown
    error: CnnError | None = None  # of what failed
    result: Any = None  # of what is done
    seconds: float = 0.0  # since `what` began

    @property
    def lives(self) -> bool:
        """Whether it is still at work."""
        return self.state in ("running", "ending")


class _Job:
    def __init__(self, noun: str, work: Callable[[Progress], Any]) -> None:
        self._state = JobState("running")
        self._noun, self._work = noun, work
        self._cancelled = threading.Event()
        self._what, self._begin = "", time.monotonic()
        # A daemon: a server that is asked to end does not wait for it.
        self._thread = threading.Thread(target=self._run, name=noun, daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        self._cancelled.set()

    def _tell(self, what: str, done: int, total: int) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        work = what.partition(",")[0]  # what is behind it is the time left
        if work != self._what:
            self._what, self._begin = work, time.monotonic()
        self._state = JobState("running", what, done, total,
                               seconds=time.monotonic() - self._begin)

    def _run(self) -> None:
        try:
            self._state = JobState("done", result=self._work(self._tell))
        except Cancelled:
            self._state = JobState("cancelled")
        except CnnError as error:
            self._state = JobState("failed", error=error)
        except Exception:
            _LOG.exception("The %s failed", self._noun)
            self._state = JobState("failed", error=CnnError(
                f"The {self._noun} failed for a reason that is not known.",
                "Try again; the log of the server says more."))

    def shown(self) -> JobState:
        state = self._state
        if state.state == "running" and self._cancelled.is_set():
            # It is asked at the next step; a silent server can keep it waiting for some seconds.
            return JobState("ending", "Ending", state.done, state.total)
        return state


class Jobs:
    """All work of one kind, each piece under a key of its own.

    Args:
        noun: What a piece is called in messages, such as "download".
    """

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._lock = threading.Lock()
        self._jobs: dict[Hashable, _Job] = {}

    def start(self, key: Hashable, work: Callable[[Progress], Any]) -> bool:
        """Begin a piece of work, unless one under this key is under way; return whether it began.

        Args:
            key: Whose work it is.
            work: Is given a progress function, which raises `Cancelled` when it shall end.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.shown().lives:
                return False
            self._jobs[key] = _Job(self._noun, work)
            return True

    def look(self, key: Hashable) -> JobState | None:
        """Return how far it is, or how the last one ended; None without one."""
        with self._lock:
            job = self._jobs.get(key)
        return job.shown() if job else None

    def cancel(self, key: Hashable) -> None:
        """Ask it to end, if there is any."""
        with self._lock:
            job = self._jobs.get(key)
        if job:
            job.cancel()

    def forget(self, key: Hashable) -> None:
        """Forget how it ended; what is under way is not forgotten."""
        with self._lock:
            job = self._jobs.get(key)
            if job and not job.shown().lives:
                del self._jobs[key]

    def known(self) -> list[Any]:
        """Return the keys of all work that is under way or has ended and is not forgotten."""
        with self._lock:
            return list(self._jobs)
