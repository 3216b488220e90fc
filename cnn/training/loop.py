"""The training loop: batches in, events out, best weights kept.

It knows a Keras model, arrays and a `RunConfig`. It does not know run folders, pages or where its
events go, and it never touches the test split. An own loop instead of `keras.Model.fit`: it answers
a stop within one batch, depends on (seed, epoch, batch) alone, and lets `tf-nn` train the same way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from cnn.config import RunConfig
from cnn.data.batches import Batches
from cnn.training.data import TrainingData
from cnn.training.events import (
    PAUSED,
    STOPPED_BY_HAND,
    BatchEvent,
    ChangeEvent,
    Diverged,
    EpochEvent,
    NoteEvent,
    OnEvent,
)
from cnn.training.meter import Meter, Pace
from cnn.training.progress import Partial, Progress
from cnn.training.steps import Steps

SECONDS_BETWEEN_EVENTS = 0.25
PLATEAU_FACTOR = 0.5
LOWEST_RATE = 1e-6


class Trainer:
    """Trains one model as its configuration says.

    Args:
        model: Functional Keras model with a "logits" layer, from `cnn.models.build`.
        config: The run's configuration.
        data: The arrays; validation is already separate.
        on_event: Called with each event, in order, from the training thread.
        poll: Asked before training and after every batch. STOPPED_BY_HAND or PAUSED ends it there;
            "" goes on. It may call `change`.
        save: Called after each whole epoch, before its event, and where a poll ends training; may
            keep the trainer's state.
    """

    def __init__(
        self,
        model: Any,
        config: RunConfig,
        data: TrainingData,
        on_event: OnEvent,
        poll: Callable[[], str] = lambda: "",
        save: Callable[[], None] = lambda: None,
    ) -> None:
        self.model = model
        self.config = config
        self.data = data
        self.on_event = on_event
        self.poll = poll
        self.save = save
        self.progress = Progress()
        # What the optimizer is told is what it gets, also where there are fewer images than that.
        size = min(config.batch_size, len(data.train_labels))
        self.steps = Steps(model, replace(config, batch_size=size), data.class_weights)
        self.batches = Batches(data.train_images, data.train_labels, size, config.augmentation,
                               config.seed)
        self._pace = Pace(len(data.train_labels), len(data.val_labels))
        self._batch = 0  # done in the epoch that is under way
        self._start = time.monotonic()

    def run(self) -> Progress:
        """Train to the end, a stop or a pause, and leave the best weights in the model.

        Goes on after what `progress` counts: nothing, or the epochs and batches of a restored
        checkpoint.

        Raises:
            Diverged: If the loss is no longer a number; the best weights are in the model then too.
        """
        self._start = time.monotonic() - self.progress.seconds
        self._batch = self.progress.partial.batch
        try:
            wish = self._first_wish()
            # The rule comes first: a restored checkpoint may be of the epoch at which it ends.
            while not wish and self.progress.epoch < self.config.epochs and not self._stop_early():
                wish = self._run_epoch(self.progress.epoch + 1)
            self.progress.stopped = self.progress.stopped or wish
        finally:
            if self.progress.best_weights:
                self.model.set_weights(self.progress.best_weights)
        return self.progress

    def adopt(self, config: RunConfig, progress: Progress) -> None:
        """Take over configuration and progress of an earlier sitting from its checkpoint."""
        self.config, self.progress = config, progress
        self.batches.augmentation = config.augmentation

    def change(self, config: RunConfig) -> None:
        """Go on with another learning rate, number of epochs or augmentation, and tell of each."""
        before, self.config = self.config, config
        if config.learning_rate != before.learning_rate:
            falls = config.schedule != "constant"  # then the next step follows it
            if not falls:
                self.steps.learning_rate = config.learning_rate
            self._tell_change(f"Learning rate set to {config.learning_rate:.2g}"
                              f"{', from which it falls to zero' if falls else ''}.")
        if config.epochs != before.epochs:
            if config.epochs > before.epochs:  # a person wants more: patience begins anew
                self.progress.better_epoch = self.progress.epoch
            self._tell_change(f"Epochs set to {config.epochs}, from {before.epochs}.")
        if config.augmentation != before.augmentation:
            self.batches.augmentation = config.augmentation
            switched = "on" if config.augmentation.active else "off"
            self._tell_change(f"Augmentation switched {switched}.")

    def validate(self) -> tuple[float, float]:
        """Return cross-entropy and accuracy on the validation images, with the present weights."""
        return self.steps.evaluate(self.data.val_images, self.data.val_labels)

    def elapsed(self) -> float:
        """Seconds since training began."""
        return time.monotonic() - self._start

    def _first_wish(self) -> str:
        """Return a wish that can be followed before the first step: a stop needs a best epoch."""
        wish = self.poll()
        if wish == PAUSED:
            self.save()
        return wish if wish == PAUSED or self.progress.best_epoch else ""

    def _tell_change(self, text: str) -> None:
        self.on_event(ChangeEvent(self.progress.epoch + 1, self._batch, self.batches.count, text,
                                  self.elapsed()))

    def _run_epoch(self, epoch: int) -> str:
        """Train and validate one epoch; return the wish that ended it before, if one did."""
        meter = Meter(epoch, self.progress.partial)
        for batch in self.batches.of(epoch, meter.batch):
            self._follow_schedule(epoch, meter.batch)
            loss, right = self.steps.train(batch.images, batch.labels, batch.transforms)
            _check_finite(
                loss, f"The loss became {loss} in epoch {epoch}, batch {meter.batch + 1}.")
            self._pace.add(meter.add(loss, right, len(batch.labels)), len(batch.labels))
            self._batch = meter.batch
            self._tell_batch(meter)
            wish = self.poll()
            if wish:
                self._leave(meter, wish)
                return wish
        begin = time.monotonic()
        self._finish_epoch(meter, *self.validate())
        self._pace.end_epoch(time.monotonic() - begin)
        return ""

    def _leave(self, meter: Meter, wish: str) -> None:
        self.progress.partial = meter.partial
        self.progress.seconds = self.elapsed()
        self.save()
        if wish == STOPPED_BY_HAND and not self.progress.best_epoch:
            self._finish_epoch(meter, *self.validate())  # keep what was learned so far

    def _follow_schedule(self, epoch: int, batches_done: int) -> None:
        if self.config.schedule == "linear":
            done = (epoch - 1) * self.batches.count + batches_done
            share = 1 - done / (self.config.epochs * self.batches.count)
            self.steps.learning_rate = self.config.learning_rate * share

    def _tell_batch(self, meter: Meter) -> None:
        whole = meter.batch == self.batches.count
        if meter.seconds_since_told < SECONDS_BETWEEN_EVENTS and not whole:
            return
        since = meter.tell()
        images, epochs_after = len(self.data.train_labels), self.config.epochs - meter.epoch
        self.on_event(BatchEvent(
            meter.epoch, meter.batch, self.batches.count, since.loss, since.accuracy,
            self.steps.learning_rate, since.images / since.seconds, self.elapsed(),
            self._pace.seconds_left(images * (epochs_after + 1) - meter.seen, epochs_after + 1)))

    def _finish_epoch(self, meter: Meter, val_loss: float, val_accuracy: float) -> None:
        _check_finite(val_loss, f"The validation loss became {val_loss} in epoch {meter.epoch}.")
        progress = self.progress
        progress.epoch, progress.partial = meter.epoch, Partial()
        best = (val_accuracy, -val_loss) > (progress.best_val_accuracy, -progress.best_val_loss)
        if best:
            self._keep_best(meter.epoch, val_loss, val_accuracy)
        event = EpochEvent(
            meter.epoch, meter.mean_loss, meter.mean_accuracy, val_loss, val_accuracy,
            self.steps.learning_rate, meter.speed, self.elapsed(), best)
        note = self._follow_plateau(meter.epoch, val_loss)
        progress.seconds, progress.last = self.elapsed(), asdict(event)
        self._batch = 0
        if meter.batch == self.batches.count:
            self.save()  # before the event: an epoch that is reported is safe
        self.on_event(event)
        if note:
            self.on_event(note)

    def _keep_best(self, epoch: int, val_loss: float, val_accuracy: float) -> None:
        if val_accuracy > self.progress.best_val_accuracy:
            self.progress.better_epoch = epoch
        self.progress.best_epoch = epoch
        self.progress.best_val_loss = val_loss
        self.progress.best_val_accuracy = val_accuracy
        self.progress.best_weights = self.model.get_weights()

    def _follow_plateau(self, epoch: int, val_loss: float) -> NoteEvent | None:
        progress, patience = self.progress, self.config.reduce_on_plateau
        if val_loss < progress.lowest_val_loss:
            progress.lowest_val_loss, progress.epochs_since_lowest = val_loss, 0
            return None
        progress.epochs_since_lowest += 1
        if not patience or progress.epochs_since_lowest < patience or epoch >= self.config.epochs:
            return None
        rate = max(self.steps.learning_rate * PLATEAU_FACTOR, LOWEST_RATE)
        self.steps.learning_rate = rate
        progress.epochs_since_lowest = 0
        return NoteEvent(epoch, f"Validation loss no lower for {patience} epochs: "
                         f"learning rate now {rate:.2g}.", self.elapsed())

    def _stop_early(self) -> bool:
        epoch, patience = self.progress.epoch, self.config.early_stopping
        if not patience or epoch - self.progress.better_epoch < patience:
            return False
        self.progress.stopped = f"no better validation accuracy for {patience} epochs"
        text = f"Stopped early: {self.progress.stopped}."
        self.on_event(NoteEvent(epoch, text, self.elapsed()))
        return True


def _check_finite(loss: float, message: str) -> None:
    if not math.isfinite(loss):
        raise Diverged(message, "Try a learning rate ten times lower.")
