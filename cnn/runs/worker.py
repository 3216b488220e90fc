"""The trainer process: one run, from its configuration to its saved model.

    python -m cnn.runs.worker RUN_FOLDER

Started by `manager`; puts together what `data`, `models`, `training`, `evaluation` and `prediction`
offer, and is the only writer of its run's status and metrics. It lives here rather than in
`cnn.training` so that the loop stays ignorant of folders.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
import traceback
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from cnn.errors import CnnError
from cnn.hardware import run_in_background, start_tensorflow
from cnn.models.defaults import averaged_views, worth_averaging
from cnn.runs.folder import RunFolder, epochs_told
from cnn.training.events import STOPPED_BY_HAND, Diverged, EpochEvent, Event, ResumeEvent

SECONDS_BETWEEN_STOP_CHECKS = 0.2
VERSIONS_IN_CARD = ("tensorflow", "keras", "numpy")


class Worker:
    """Carries one run through its stages and keeps its files true."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.config, self.command = folder.read_config()
        process = psutil.Process()
        status = folder.read_status()
        self.start = time.monotonic() - status.seconds  # of the sittings before
        self.status = replace(
            status, started=time.time(), pid=process.pid, sittings=status.sittings + 1,
            process_created=process.create_time())
        self.history: list[dict[str, Any]] = []
        self._terminated = False
        self._said = 0.0
        self._next_stop_check = 0.0
        self._stop = False

    def run(self) -> None:
        """Do the whole run; never raises for anything that can be said in the status."""
        try:
            self._say(state="running", stage="starting TensorFlow")
            start_tensorflow()
            self._train_and_save()
        except Diverged as error:
            self._end("diverged", error.message, error.hint)
        except CnnError as error:
            self._end("failed", error.message, error.hint)
        except Exception as error:
            traceback.print_exc()
            self._end("failed", *_explain(error))

    def terminate(self, *_: object) -> None:
        """Handle SIGTERM: the same as a stop by hand."""
        self._terminated = True

    def should_stop(self) -> bool:
        """Whether somebody asked for a stop; looks at the disk a few times a second at most."""
        now = time.monotonic()
        if now >= self._next_stop_check:
            self._next_stop_check = now + SECONDS_BETWEEN_STOP_CHECKS
            self._stop = self._stop or self._terminated or self.folder.stop_asked()
        return self._stop

    def _say(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        self.folder.write_status(self.status)

    def _end(self, state: str, message: str = "", hint: str = "", model: str = "") -> None:
        self._say(state=state, stage="", message=message, hint=hint, model=model,
                  ended=time.time(), seconds=time.monotonic() - self.start)

    def _train_and_save(self) -> None:
        self._say(stage="loading the data")
        dataset, data = self._load_data()
        self._say(stage="building the network", train_n=len(data.train_labels),
                  validation_n=len(data.val_labels))
        from cnn.models.build import build_model, float32_copy
        from cnn.models.summary import summarise
        from cnn.models.whitening import fit_whitening
        from cnn.training.loop import Trainer

        config, classes = self.config, len(dataset.class_names)
        summary = summarise(config.architecture, dataset.image_shape, classes)
        self._say(parameters=summary.parameters, multiply_adds=summary.multiply_adds)
        model = build_model(config.architecture, dataset.image_shape, classes,
                            config.seed, config.precision, training=True)
        fit_whitening(model, data.train_images)
        trainer = Trainer(model, config, data, self._on_event, self.should_stop,
                          lambda: self._checkpoint(trainer))
        self._resume(trainer)
        self._say(stage="training")
        broken = self._train(trainer)
        progress = trainer.progress
        self._say(stage="evaluating on the test images", best_epoch=progress.best_epoch,
                  best_val_accuracy=progress.best_val_accuracy)
        final = float32_copy(model, config.architecture)
        self._evaluate_and_save(final, dataset, data, progress, broken)

    def _train(self, trainer: Any) -> Diverged | None:
        """Train; return how it diverged, if it did after an epoch that can be kept."""
        try:
            trainer.run()
        except Diverged as error:
            if not trainer.progress.best_epoch:
                raise
            trainer.progress.stopped = error.message
            return error
        return None

    def _load_data(self) -> tuple[Any, Any]:
        from cnn.data.catalogue import load
        from cnn.data.splits import split_training
        from cnn.training.loop import TrainingData

        def show(what: str, done: int, total: int) -> None:
            share = f" {100 * done // total} %" if total else ""
            if time.time() - self._said > 0.5:
                self._said = time.time()
                self._say(stage=f"loading the data: {what}{share}")

        dataset = load(self.config.dataset, show)
        split = split_training(dataset.train_labels, self.config.validation_fraction,
                               self.config.train_images, self.config.seed)
        images, labels = dataset.train_images, dataset.train_labels
        return dataset, TrainingData(  # copies in memory: picking by index reads the map once
            images[split.train], labels[split.train],
            images[split.validation], labels[split.validation])

    def _on_event(self, event: Event) -> None:
        self.folder.append_event(event)
        if isinstance(event, EpochEvent):
            self.history.append(asdict(event))
            best = {"best_epoch": event.epoch, "best_val_accuracy": event.val_accuracy}
            self._say(epoch=event.epoch, **(best if event.best else {}))
            print(f"epoch {event.epoch}/{self.config.epochs}  loss {event.loss:.4f}  "  # noqa: T201
                  f"accuracy {event.accuracy:.4f}  val_loss {event.val_loss:.4f}  "
                  f"val_accuracy {event.val_accuracy:.4f}  {event.seconds:.1f} s", flush=True)

    def _checkpoint(self, trainer: Any) -> None:
        from cnn.training.checkpoint import save_checkpoint

        save_checkpoint(trainer, self.folder.checkpoint)
        self._say(seconds=time.monotonic() - self.start)

    def _resume(self, trainer: Any) -> None:
        """Go on where an earlier trainer died: after its last checkpoint, or from the start."""
        from cnn.training.checkpoint import restore_checkpoint

        if self.folder.checkpoint.is_file():
            restore_checkpoint(trainer, self.folder.checkpoint)
        elif not self.folder.metrics_file.is_file():
            return
        progress = trainer.progress
        self.folder.end_torn_line()
        events, _ = self.folder.read_events()
        self.history = epochs_told(events, progress.epoch)
        self._on_event(ResumeEvent(progress.epoch, progress.seconds))
        self._say(epoch=progress.epoch, best_epoch=progress.best_epoch,
                  best_val_accuracy=max(progress.best_val_accuracy, 0.0))

    def _evaluate_and_save(self, model: Any, dataset: Any, data: Any, progress: Any,
                           broken: Diverged | None) -> None:
        from cnn.evaluation.results import evaluate_predictions

        stopped = progress.stopped
        facts = self._calibrate(model, dataset, data, progress.seconds)
        probabilities = facts.pop("probabilities")
        evaluation = evaluate_predictions(probabilities, dataset.test_labels, dataset.class_names)
        self._say(stage="saving the model", test_accuracy=evaluation.accuracy,
                  test_loss=evaluation.loss, test_n=evaluation.count)
        card = replace(self._card(dataset, evaluation, stopped), **facts)
        name = self._save(model, card, evaluation)
        state = "stopped" if stopped == STOPPED_BY_HAND else "diverged" if broken else "finished"
        self._end(state, stopped, broken.hint if broken else "", model=name)

    def _calibrate(
        self, model: Any, dataset: Any, data: Any, training_seconds: float
    ) -> dict[str, Any]:
        """Divide the logits by the temperature that suits the validation images; test both ways."""
        from cnn.evaluation.calibration import (
            expected_calibration_error,
            fit_temperature,
            with_temperature,
        )
        from cnn.models.build import divide_logits
        from cnn.prediction.averaging import average_views
        from cnn.prediction.predictor import compile_network, predict_in_batches

        network = compile_network(model)

        def predict(images: Any) -> Any:
            return predict_in_batches(network, images)

        temperature = fit_temperature(predict(data.val_images), data.val_labels)
        begin = time.monotonic()
        before, labels = predict(dataset.test_images), dataset.test_labels
        seconds = time.monotonic() - begin
        after = with_temperature(before, temperature)
        changes = self.config.augmentation
        facts = {"probabilities": after, "temperature": temperature,
                 "calibration_error_before": expected_calibration_error(before, labels),
                 "calibration_error": expected_calibration_error(after, labels)}
        views = averaged_views(changes)
        if views and worth_averaging(views * seconds, training_seconds):
            averaged = average_views(predict, dataset.test_images, changes.flip)
            facts["averaged_test_accuracy"] = float((averaged.argmax(axis=1) == labels).mean())
        divide_logits(model, temperature)
        return facts

    def _save(self, model: Any, card: Any, evaluation: Any) -> str:
        """Save under the name asked for; if another run took it meanwhile, neither is lost."""
        from cnn.prediction.saved import free_name, save_model

        while True:
            name = free_name(card.name)
            try:
                save_model(model, replace(card, name=name), self.history, evaluation)
            except CnnError:
                if free_name(name) == name:  # still free: something else is wrong
                    raise
            else:
                return name

    def _card(self, dataset: Any, evaluation: Any, stopped: str) -> Any:
        from cnn.models.registry import get_architecture
        from cnn.prediction.saved import Card

        config, status = self.config, self.status
        return Card(
            name=config.name, architecture=config.architecture, dataset=dataset.name,
            class_names=list(dataset.class_names), input_shape=list(dataset.image_shape),
            resize=dataset.resize, test_accuracy=evaluation.accuracy, test_loss=evaluation.loss,
            test_n=evaluation.count, val_accuracy=status.best_val_accuracy,
            best_epoch=status.best_epoch, epochs=status.epoch, seed=config.seed,
            train_n=status.train_n, validation_n=status.validation_n,
            seconds=round(time.monotonic() - self.start, 1), parameters=status.parameters,
            multiply_adds=status.multiply_adds, command=self.command,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            dataset_fingerprint=dataset.fingerprint, run=self.folder.run_id,
            config=config.to_dict(), versions={n: version(n) for n in VERSIONS_IN_CARD},
            machine=f"{platform.machine()}, {os.cpu_count()} cores",
            needs_cnn=get_architecture(config.architecture).engine != "keras", stopped=stopped,
            dark_background=dataset.dark_background, sittings=status.sittings)


def _explain(error: Exception) -> tuple[str, str]:
    """Return message and hint for an error that nobody expected."""
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return ("The computer ran out of memory.",
                "Try a smaller batch size, fewer training images or a smaller network.")
    if isinstance(error, OSError) and error.errno == 28:
        return "The disk is full.", "Free some space and start again."
    return (f"{type(error).__name__}: {str(error)[:300]}",
            "The run's log has the details. Please report this.")


def main(path: str) -> int:
    """Run the trainer for the run folder at `path`; returns the exit status."""
    folder = RunFolder(Path(path))
    with folder.lock().acquire(timeout=10):  # first of all: the lock is what "alive" means
        if folder.read_status().state != "starting":
            return 1  # two people resumed it at once, and the other trainer has done it
        run_in_background()
        worker = Worker(folder)
        signal.signal(signal.SIGTERM, worker.terminate)
        worker.run()
    return 0 if worker.status.model else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
