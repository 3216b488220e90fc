"""Whose turn it is: runs wait in order for a slot, with files and locks and no process of its own.

    <runs>/.queue/<run id>.json   {"place": number}: waits; the lowest place is first
    <runs>/.queue/slot-1.lock     held by the trainer that has this slot, for as long as it lives
    <runs>/.queue/settings.json   {"slots": number}

A waiting trainer is a small process that holds its run's lock and has not started TensorFlow. When
a trainer dies in whatever way, the system frees its slot and the first that waits takes it: nobody
needs to be told. Knows nothing of what a trainer does.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cnn.errors import BadInput, CnnError, NotFound
from cnn.files import atomic_write_json, locked, read_json
from cnn.paths import runs_dir
from cnn.runs.folder import RunFolder

MOST_SLOTS = 16


def _folder() -> Path:
    return runs_dir() / ".queue"


def _marker(run_id: str) -> Path:
    return _folder() / f"{run_id}.json"


def enter(run_id: str) -> None:
    """Join the queue at its end; a run that is in it keeps its place."""
    if not _marker(run_id).is_file():
        atomic_write_json(_marker(run_id), {"place": time.time()})


def leave(run_id: str) -> None:
    """Leave the queue."""
    with suppress(OSError):
        _marker(run_id).unlink()


def waiting() -> list[str]:
    """Return the ids of the runs that wait, first the next."""
    places = []
    for path in _folder().glob("*.json"):  # settings.json is no run
        if (runs_dir() / path.stem).is_dir():
            places.append((_place(path), path.stem))
    return [run_id for _, run_id in sorted(places)]


def _place(path: Path) -> float:
    try:
        return float(read_json(path)["place"])
    except (CnnError, KeyError, TypeError, ValueError):  # edited by hand: it waits, at the end
        return time.time()


def is_first(run_id: str) -> bool:
    """Whether no trainer that lives waits before this run's."""
    for other in waiting():
        if other == run_id:
            return True
        with suppress(CnnError):  # a damaged run is listed with its error and holds up nobody
            if RunFolder(runs_dir() / other).is_alive():
                return False
    return True


def move(run_id: str, steps: int) -> None:
    """Move a waiting run towards the front (steps below 0) or the end of the queue.

    Raises:
        NotFound: If it does not wait.
    """
    with locked(_folder() / "order.lock"):
        order = waiting()
        if run_id not in order:
            raise NotFound(f"The run {run_id} does not wait in the queue.",
                           f"These do: {', '.join(order) or 'none'}.")
        places = [_place(_marker(other)) for other in order]
        before = order.index(run_id)
        order.insert(min(max(before + steps, 0), len(order) - 1), order.pop(before))
        for other, place in zip(order, places, strict=True):
            if _marker(other).is_file():  # it may have got its turn meanwhile
                atomic_write_json(_marker(other), {"place": place})


def slots() -> int:
    """Return how many runs may train at once."""
    try:
        number = read_json(_folder() / "settings.json")["slots"]
    except (CnnError, KeyError):
        return 1
    return number if isinstance(number, int) and 1 <= number <= MOST_SLOTS else 1


def set_slots(number: int) -> None:
    """Set how many runs may train at once; those that train go on.

    Raises:
        BadInput: If the number is out of range.
    """
    if not 1 <= number <= MOST_SLOTS:
        raise BadInput(f"slots must be a whole number from 1 to {MOST_SLOTS}. "
                       f"Received: {number!r}.", "1 is quickest: runs share the processor.")
    atomic_write_json(_folder() / "settings.json", {"slots": number})


def take_slot(run_id: str) -> FileLock | None:
    """Return a slot for a run if it is its turn and one is free; keep it until the trainer ends."""
    if not is_first(run_id):
        return None
    _folder().mkdir(parents=True, exist_ok=True)
    for number in range(1, slots() + 1):
        slot = FileLock(_folder() / f"slot-{number}.lock")
        with suppress(Timeout):
            slot.acquire(timeout=0)
            leave(run_id)
            return slot
    return None
