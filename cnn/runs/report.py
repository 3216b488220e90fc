"""What a trainer tells of itself: status, events and log, also across a disk that is full.

The only writer of these files while its trainer lives. Knows nothing of training.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cnn.errors import DiskFull
from cnn.runs.event_writer import EventWriter
from cnn.runs.folder import RunFolder, Status
from cnn.training.events import EpochEvent, Event

SECONDS_BETWEEN_TRIES = 0.5
SECONDS_BETWEEN_STAGES = 0.5


class Report:
    """Keeps the files of one run true.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.status: Status = folder.read_status()
        self._folder = folder
        self._events = EventWriter(folder.metrics_file)
        self._start = time.monotonic()
        self._said = 0.0

    @property
    def seconds(self) -> float:
        """Wall time of the run so far, over all sittings."""
        return time.monotonic() - self._start

    def begin_sitting(self, pid: int, process_created: float) -> None:
        """Let the clock of the run go on, for another trainer."""
        status = self.status
        self._start = time.monotonic() - status.seconds
        self.say(state="running", stage="starting TensorFlow", started=time.time(), pid=pid,
                 process_created=process_created, sittings=status.sittings + 1, ended=0.0,
                 message="", hint="")

    def say(self, **changes: Any) -> None:
        """Change fields of the status; where the disk is full, the next time says it."""
        self.status = replace(self.status, **changes)
        with suppress(DiskFull):
            self._folder.write_status(self.status)

    def say_now_and_then(self, stage: str) -> None:
        """Say what is being done, at most a few times a second."""
        if time.monotonic() - self._said > SECONDS_BETWEEN_STAGES:
            self._said = time.monotonic()
            self.say(stage=stage)

    def tell(self, event: Event) -> None:
        """Add an event to the metrics."""
        self._events.write(event)
        if isinstance(event, EpochEvent):
            best = {"best_epoch": event.epoch, "best_val_accuracy": event.val_accuracy}
            self.say(epoch=event.epoch, **(best if event.best else {}))

    def log(self, line: str) -> None:
        """Add a line to the log, if there is room."""
        with suppress(OSError):
            print(line, flush=True)  # noqa: T201

    def end(self, state: str, message: str = "", hint: str = "", model: str = "") -> None:
        """Say how it ended, as soon as there is room to say so."""
        self.status = replace(
            self.status, state=state, stage="", message=message, hint=hint,
            model=model or self.status.model, ended=time.time(), seconds=self.seconds)
        self.when_there_is_room(self._write_all)

    def _write_all(self) -> None:
        self._folder.write_status(self.status)
        if not self._events.flush():
            raise DiskFull("The last events are not written.")

    def when_there_is_room(
        self, write: Callable[[], Any], give_up: Callable[[], bool] = lambda: False
    ) -> Any:
        """Return what `write` does, as soon as the disk has room: nothing that was trained is lost.

        Args:
            write: Raises DiskFull while there is none.
            give_up: Asked while it waits; True leaves it, and None is returned.
        """
        stage = self.status.stage
        while True:
            try:
                done = write()
            except DiskFull as error:
                self.say(stage=f"waiting for room on the disk. {error}")
                if give_up():
                    return None
                time.sleep(SECONDS_BETWEEN_TRIES)
            else:
                if self.status.stage != stage:
                    self.say(stage=stage)
                return done
