"""What the trainer of a run takes of this computer: memory and processor, read from outside.

A look takes a tenth of a millisecond, and nothing is asked of the trainer. A process that is gone,
or a folder that comes from another machine, has no figures. Knows nothing of who shows them.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import psutil

from cnn.runs.folder import Status

SECONDS_BETWEEN_SAMPLES = 1.0  # several viewers share one: a shorter span would say little
# The system's clock may be put right between two readings of when a process began. That a number is
# given to another process within a second of the first one's begin is out of the question.
_SAME_BEGIN = 1.0  # seconds
_MOST_KEPT = 32  # runs


@dataclass(frozen=True)
class Usage:
    """What a process takes now."""

    memory: int  # bytes that are resident
    cores: float  # busy ones, on average since the sample before (the first: since its start)


@dataclass(frozen=True)
class _Sample:
    when: float  # seconds since 1970
    busy: float  # seconds of processor time since the process began
    usage: Usage


class _Watch:
    """Samples of the trainers that somebody looks at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: dict[tuple[int, float], _Sample] = {}

    def look(self, pid: int, created: float) -> Usage | None:
        key, now = (pid, created), time.time()
        with self._lock:
            before = self._samples.get(key)
            if before and 0 <= now - before.when < SECONDS_BETWEEN_SAMPLES:
                return before.usage
            sample = _sample(pid, created, now, before)
            self._samples.pop(key, None)
            if sample is None:
                return None
            self._samples[key] = sample
            while len(self._samples) > _MOST_KEPT:
                self._samples.pop(next(iter(self._samples)))
            return sample.usage


def _sample(pid: int, created: float, now: float, before: _Sample | None) -> _Sample | None:
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) > _SAME_BEGIN:
            return None  # another process, which was given the same number
        memory, times = process.memory_info().rss, process.cpu_times()
    except (psutil.Error, OSError, ValueError):  # gone, or not ours to look at
        return None
    if not memory:  # a zombie
        return None
    busy = times.user + times.system
    when, spent = (before.when, before.busy) if before else (created, 0.0)
    cores = (busy - spent) / (now - when) if now > when else 0.0
    return _Sample(now, busy, Usage(memory, max(cores, 0.0)))


_watch = _Watch()  # of this process, for all who look


def read_usage(status: Status) -> Usage | None:
    """Return what a run's trainer takes, or None where that cannot be known. Never raises."""
    if status.pid <= 0:
        return None
    return _watch.look(status.pid, status.process_created)
