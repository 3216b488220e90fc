"""The trainer process: one run, from its configuration to its saved model.

    python -m cnn.runs.worker RUN_FOLDER

Started by `manager`; waits for its turn, then puts together what `data`, `models`, `training`,
`evaluation` and `prediction` offer. What it tells of itself goes through `report`. It lives
here rather than in `cnn.training` so that the loop stays ignorant of folders.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from cnn.data.progress import Cancelled, until
from cnn.errors import BadInput, CnnError, Damaged
from cnn.files import is_disk_full
from cnn.hardware import run_in_background, start_tensorflow
from cnn.runs import queue
from cnn.runs.control import PAUSE, STOP, Control
from cnn.runs.folder import RunFolder, changes_told, epochs_told
from cnn.runs.looking_back import Keepsakes
from cnn.runs.pins import Pins
from cnn.runs.report import Report
from cnn.runs.wishes import Wishes
from cnn.training.events import (
    EVENT_KINDS,
    PAUSED,
    STOPPED_BY_HAND,
    ChangeEvent,
    Diverged,
    EpochEvent,
    Event,
    NoteEvent,
    ResumeEvent,
)

SECONDS_BETWEEN_TRIES = 0.5  # for a slot
SECONDS_FOR_THE_LOCK = 10.0
_OUTCOMES = {PAUSE: PAUSED, STOP: STOPPED_BY_HAND}


class Worker:
    """Carries one run through its stages."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.config, self.command = folder.read_config()
        self.report = Report(folder)
        self.wishes = Wishes(folder)
        self.history: list[dict[str, Any]] = []
        self.changes: list[str] = []
        self.pins: Pins | None = None
        self.keepsakes: Keepsakes | None = None
        self._trainer: Any = None
        self._followed: Control | None = None

    def wait_for_turn(self) -> FileLock | None:
        """Return the slot when it is this run's turn; None if somebody asked for its end before."""
        self.report.when_there_is_room(lambda: queue.enter(self.folder.run_id))
        while True:
            slot = queue.take_slot(self.folder.run_id)
            if slot:
                return slot
            if self.report.status.state != "queued":
                self.report.say(state="queued", stage="waiting for its turn")
            time.sleep(SECONDS_BETWEEN_TRIES)
            wish = self.wishes.look()
            if wish:
                queue.leave(self.folder.run_id)
                self._end_untrained(wish)
                return None

    def run(self) -> None:
        """Do the whole run; never raises for anything that can be said in the status."""
        process = psutil.Process()
        try:
            self.report.begin_sitting(process.pid, process.create_time())
            self.folder.hold_architecture()
            start_tensorflow()
            self._train_and_save()
        except Cancelled:  # while the data were loaded, perhaps for minutes
            self._end_untrained(self.wishes.look())
        except Diverged as error:
            self.report.end("diverged", error.message, error.hint)
        except CnnError as error:
            self.report.end("failed", error.message, error.hint)
        except Exception as error:
            traceback.print_exc()
            self.report.end("failed", *_explain(error))

    def poll(self) -> str:
        """Return how training is to end, if it is; apply what else was asked for."""
        wish = self.wishes.look()
        self.wishes.complain_to(self._note)
        if self.wishes.control is not self._followed:
            self._followed = self.wishes.control
            self._change_settings(self._followed)
        return _OUTCOMES.get(wish, "")

    def _change_settings(self, control: Control) -> None:
        try:
            wanted = control.applied_to(self._trainer.config)
        except BadInput as error:  # such as a schedule that does not go with the change
            self._note(str(error))
        else:
            if wanted != self._trainer.config:
                self._trainer.change(wanted)

    def _note(self, text: str) -> None:
        self._on_event(NoteEvent(self.report.status.epoch, text, self._trainer.elapsed()))

    def _end_untrained(self, wish: str) -> None:
        if wish == STOP and not self.folder.checkpoints.paths():
            self.report.end("stopped", "Cancelled before it began to train.")
        else:
            self.report.end("paused")

    def _train_and_save(self) -> None:
        self.report.say(stage="loading the data")
        dataset, data = self._load_data()
        self.report.say(stage="building the network", train_n=len(data.train_labels),
                        validation_n=len(data.val_labels), dataset_fingerprint=dataset.fingerprint)
        from cnn.models.build import build_model, float32_copy
        from cnn.models.summary import summarise
        from cnn.models.whitening import fit_whitening
        from cnn.training.loop import Trainer

        config, classes = self.config, len(dataset.class_names)
        summary = summarise(config.architecture, dataset.image_shape, classes)
        self.report.say(parameters=summary.parameters, multiply_adds=summary.multiply_adds)
        model = build_model(config.architecture, dataset.image_shape, classes,
                            config.seed, config.precision, training=True)
        fit_whitening(model, data.train_images)
        trainer = self._trainer = Trainer(
            model, config, data, self._on_event, self.poll, self._checkpoint)
        self.pins = Pins(self.folder.path, dataset, model)
        self.keepsakes = Keepsakes(self.folder, config.architecture, dataset, data.val_labels,
                                   self.report.log)
        self._go_on(trainer)
        self.report.say(stage="training")
        broken = self._train(trainer)
        progress = trainer.progress
        if progress.stopped == PAUSED:
            asked = "Its process was asked to end." if self.wishes.terminated else ""
            self.report.end("paused", asked)
            return
        self.report.say(stage="evaluating on the test images", best_epoch=progress.best_epoch,
                        best_val_accuracy=progress.best_val_accuracy)
        self._evaluate_and_save(float32_copy(model, config.architecture), dataset, data, broken)

    def _train(self, trainer: Any) -> Diverged | None:
        """Train; return how it diverged, if it did after an epoch that can be kept."""
        try:
            trainer.run()
        except Diverged as error:
            if not trainer.progress.best_epoch:
                raise
            trainer.progress.stopped = error.message
            return error
        finally:
            if self.keepsakes:
                self.keepsakes.finish()  # before anything says how training ended
        return None

    def _load_data(self) -> tuple[Any, Any]:
        from cnn.data.catalogue import load
        from cnn.training.data import training_data

        def show(what: str, done: int, total: int) -> None:
            share = f" {100 * done // total} %" if total else ""
            self.report.say_now_and_then(f"loading the data: {what}{share}")

        dataset = load(self.config.dataset, until(lambda: bool(self.wishes.look()), show))
        if self.report.status.dataset_fingerprint not in ("", dataset.fingerprint):
            raise BadInput(f"The data set {dataset.name} is not the one this run began with.",
                           "Bring those images back and resume it, or start a new run.")
        return dataset, training_data(dataset, self.config)

    def _on_event(self, event: Event) -> None:
        self.report.tell(event)
        if isinstance(event, ChangeEvent):
            self.changes.append(f"Epoch {event.epoch}: {event.text}")
        if isinstance(event, EpochEvent):
            self.history.append(asdict(event))
            self.report.log(
                f"epoch {event.epoch}/{self._trainer.config.epochs}  loss {event.loss:.4f}  "
                f"accuracy {event.accuracy:.4f}  val_loss {event.val_loss:.4f}  "
                f"val_accuracy {event.val_accuracy:.4f}  {event.seconds:.1f} s")
            if self.pins:
                self.pins.tell(event.epoch, self.report.tell)
            if self.keepsakes:
                self.keepsakes.keep(event.epoch, self._trainer.model, self._trainer.steps.answers)

    def _checkpoint(self) -> None:
        from cnn.training.checkpoint import checkpoint_bytes

        data, progress = checkpoint_bytes(self._trainer), self._trainer.progress
        self.report.when_there_is_room(
            lambda: self.folder.checkpoints.write(data, progress.epoch, progress.partial.batch),
            give_up=lambda: self.wishes.look() == STOP)
        self.report.say(seconds=self.report.seconds)

    def _go_on(self, trainer: Any) -> None:
        """Take over the newest checkpoint, if there is one."""
        from cnn.training.checkpoint import restore

        data, damaged = self.folder.checkpoints.read()
        if data is not None:
            restore(trainer, data)
        elif damaged:
            raise Damaged("No checkpoint of this run can be read.",
                          "Start the run again with the same settings.")
        elif not self.folder.metrics_file.is_file():
            return
        progress = trainer.progress
        if self.keepsakes:
            self.keepsakes.forget_after(progress.epoch)
        self.folder.end_torn_line()
        events = self._complete_events(progress.last)
        self.history = epochs_told(events, progress.epoch)
        self.changes = changes_told(events)
        self._on_event(ResumeEvent(progress.epoch, progress.seconds, progress.partial.batch,
                                   trainer.batches.count))
        self.report.say(epoch=progress.epoch, best_epoch=progress.best_epoch,
                        best_val_accuracy=max(progress.best_val_accuracy, 0.0))
        if damaged:
            self._note("The newest checkpoint was damaged: goes on from the one before it.")

    def _complete_events(self, last: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the events; tells of an epoch that was saved by a trainer that died before."""
        events, _ = self.folder.read_events()
        record = {"kind": EVENT_KINDS[EpochEvent], **last}
        if last and record not in events:
            self.report.tell(EpochEvent(**last))
            events.append(record)
        return events

    def _evaluate_and_save(
        self, model: Any, dataset: Any, data: Any, broken: Diverged | None
    ) -> None:
        from cnn.runs.result import calibrate_and_test, make_card, save_under_free_name

        config, stopped = self._trainer.config, self._trainer.progress.stopped
        tested = calibrate_and_test(model, dataset, data, config, self._trainer.progress.seconds)
        evaluation = tested.evaluation
        self.report.say(stage="saving the model", test_accuracy=evaluation.accuracy,
                        test_loss=evaluation.loss, test_n=evaluation.count)
        card = make_card(
            config, self.report.status, dataset, tested, command=self.command, stopped=stopped,
            run=self.folder.run_id, seconds=round(self.report.seconds, 1), changes=self.changes)
        name = self.report.when_there_is_room(
            lambda: save_under_free_name(model, card, self.history, tested))
        self.folder.checkpoints.keep_newest()
        state = "stopped" if stopped == STOPPED_BY_HAND else "diverged" if broken else "finished"
        self.report.end(state, stopped, broken.hint if broken else "", model=name)


def _explain(error: Exception) -> tuple[str, str]:
    """Return message and hint for an error that nobody expected."""
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return ("The computer ran out of memory.",
                "Try a smaller batch size, fewer training images or a smaller network.")
    if isinstance(error, OSError) and is_disk_full(error):
        return "The disk is full.", "Free some space and resume it."
    return (f"{type(error).__name__}: {str(error)[:300]}",
            "The run's log has the details. Please report this.")


def main(path: str) -> int:
    """Run the trainer for the run folder at `path`; returns the exit status."""
    folder = RunFolder(Path(path))
    try:
        lock = folder.lock().acquire(timeout=SECONDS_FOR_THE_LOCK)
    except Timeout:
        return 1  # another trainer has this run
    with lock:  # first of all: the lock is what "alive" means
        if folder.read_status().state not in ("starting", "queued"):
            return 1  # two people resumed it at once, and the other trainer has done it
        worker = Worker(folder)
        signal.signal(signal.SIGTERM, worker.wishes.terminate)
        slot = worker.wait_for_turn()
        if slot is None:
            return 0
        with slot:
            run_in_background()
            worker.run()
    return 0 if worker.report.status.state in ("finished", "stopped", "paused") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
