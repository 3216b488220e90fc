"""Shows a run in the terminal until it ends, and then its result: for `train` and `resume`."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from cnn.api_records import run_record
from cnn.cli_commands.output import (
    Output,
    ProgressLine,
    duration,
    facts,
    number,
    percent,
    say,
)
from cnn.errors import BadInput, CnnError
from cnn.runs.manager import RunInfo, get_run
from cnn.runs.steering import stop_run

SECONDS_BETWEEN_LOOKS = 0.2
CTRL_C = "Ctrl-C stops it and keeps the best so far."


def follow(run_id: str, epochs: int, position: int = 0) -> Output:
    """Show a run until it ends and return its result.

    Args:
        run_id: Of an active run.
        epochs: That it was asked for.
        position: Byte of its metrics from which on they are shown.

    Raises:
        CnnError: If it ends without a saved model.
    """
    return _result(_Follower(run_id, epochs, position).wait())


class _Follower:
    """Shows a run on standard error until it ends."""

    def __init__(self, run_id: str, epochs: int, position: int) -> None:
        self.run_id, self.epochs, self.position = run_id, epochs, position
        self.line = ProgressLine()
        self.stopping = False

    def wait(self) -> RunInfo:
        """Return the run when it has ended."""
        with self.line:
            while True:
                try:
                    run = get_run(self.run_id)  # before its events, so that none can be missed
                    self._show(run)
                    if not run.active:
                        return run
                    time.sleep(SECONDS_BETWEEN_LOOKS)
                except KeyboardInterrupt:
                    self._interrupted()

    def _interrupted(self) -> None:
        if self.stopping:
            raise CnnError(f"The run {self.run_id} goes on in the background.",
                           f"Look at it: python -m cnn runs {self.run_id}")
        self.stopping = True
        self.line.clear()
        with suppress(BadInput):  # it has ended by itself at this very moment
            stop_run(self.run_id)
        say("Stopping; the best so far will be saved. Ctrl-C again leaves it to the background.")

    def _show(self, run: RunInfo) -> None:
        events, self.position = run.folder.read_events(self.position)
        self.epochs = run.config.epochs if run.config else self.epochs  # it may be changed
        for event in events:
            if event["kind"] == "batch":
                self.line.show(self._batch_line(event))
            elif event["kind"] != "pins":  # those are for the run's page
                self.line.clear()
                say(self._line_of(event))
        if not events and run.status.stage != "training":
            self.line.show(run.status.stage)

    def _line_of(self, event: dict[str, Any]) -> str:
        if event["kind"] == "resume":
            return _place_of(event)
        return event["text"] if "text" in event else self._epoch_line(event)

    def _batch_line(self, event: dict[str, Any]) -> str:
        return (f"epoch {event['epoch']}/{self.epochs}  {event['batch']}/{event['batches']}  "
                f"loss {event['loss']:.4f}  accuracy {percent(event['accuracy'])}  "
                f"{event['images_per_second']:,.0f} images/s  "
                f"{_left(event['seconds_left'])}")

    def _epoch_line(self, event: dict[str, Any]) -> str:
        best = "  best so far" if event["best"] else ""
        return (f"epoch {event['epoch']}/{self.epochs}  loss {event['loss']:.4f}  "
                f"accuracy {percent(event['accuracy'])}  val_loss {event['val_loss']:.4f}  "
                f"val_accuracy {percent(event['val_accuracy'])}  "
                f"{duration(event['seconds'])}{best}")


def _place_of(resume: dict[str, Any]) -> str:
    epoch, batch = resume["epoch"], resume.get("batch", 0)
    if not epoch and not batch:
        return "Begins again: nothing was kept yet."
    return f"Goes on after epoch {epoch}" + (f", batch {batch}." if batch else ".")


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f"{duration(seconds)} left"


def _result(run: RunInfo) -> Output:
    if run.error:
        raise run.error
    status = run.status
    if status.state == "paused":
        return Output(run_record(run), f"The run {run.run_id} is paused. "
                                       f"Go on with it: python -m cnn resume {run.run_id}")
    if not status.model:
        raise CnnError(f"The run {run.run_id} ended without a model ({status.state}): "
                       f"{status.message}",
                       f"{status.hint} See: python -m cnn runs {run.run_id}".strip())
    record = run_record(run)
    asked = record["epochs_asked"]
    text = facts((
        ("Model", status.model),
        ("Test accuracy", f"{percent(status.test_accuracy)} of {number(status.test_n)} images"),
        ("Test loss", number(status.test_loss)),
        ("Best epoch", f"{status.best_epoch} of {status.epoch} "
                       f"(validation accuracy {percent(status.best_val_accuracy)})"),
        ("Ended early", f"{status.message.rstrip('.')}; {asked} epochs asked for. {status.hint}"
                        if status.message else ""),
        ("Parameters", number(status.parameters)),
        ("Time", duration(status.seconds)),
        ("Next", f"python -m cnn evaluate {status.model}"),
    ))
    return Output(record, text)
