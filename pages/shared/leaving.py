"""What a visit keeps on the disk, deleted some minutes after its last tab was closed.

Streamlit keeps what a visitor had until it needs the room, so nothing that waits for that to go is
sure to be deleted soon. The server looks here once a minute. Knows neither files nor widgets.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet

from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

STAYS_SECONDS = 180.0  # whose connection broke comes back to the same visit for two minutes
LOOK_SECONDS = 60.0


class Clearable(Protocol):
    """What keeps files for a visit."""

    def clear(self) -> None:
        """Delete them."""


class Visits:
    """Who keeps what, by the id of the visit."""

    def __init__(self) -> None:
        self._kept: dict[str, WeakSet[Clearable]] = {}
        self._gone_since: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, visit: str, thing: Clearable) -> None:
        """Note that something is cleared when a visit is over; it is not kept alive for that."""
        with self._lock:
            self._kept.setdefault(visit, WeakSet()).add(thing)

    def clear_ended(self, is_active: Callable[[str], bool], now: float) -> None:
        """Clear what visits kept that have been over for long enough.

        Args:
            is_active: Whether a visit still has a browser.
            now: Seconds, of a clock that does not jump.
        """
        for thing in self._take_ended(is_active, now):
            thing.clear()

    def _take_ended(self, is_active: Callable[[str], bool], now: float) -> list[Clearable]:
        with self._lock:
            gone = [visit for visit in self._kept if not is_active(visit)]
            self._gone_since = {visit: self._gone_since.get(visit, now) for visit in gone}
            over = [visit for visit in gone if now - self._gone_since[visit] >= STAYS_SECONDS]
            return [thing for visit in over for thing in self._kept.pop(visit)]


_visits = Visits()


def clear_when_left(thing: Clearable) -> None:
    """Clear something when the visit of now is over."""
    context = get_script_run_ctx()
    if context is not None:
        _visits.add(context.session_id, thing)


async def clear_what_was_left() -> None:
    """Look for visits that are over, for ever."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        is_active = get_instance().is_active_session
        await asyncio.to_thread(_visits.clear_ended, is_active, time.monotonic())
