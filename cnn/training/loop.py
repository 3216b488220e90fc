"""The training loop: batches in, events out, best weights kept.

It knows a Keras model, arrays and a `RunConfig`. It does not know run folders, pages or where its
events go, and it never touches the test split. An own loop instead of `keras.Model.fit`: it answers
a stop within one batch, depends on (seed, epoch, batch) alone, and lets `tf-nn` train the same way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cnn.config import RunConfig
from cnn.data.batches import Batches
from cnn.data.dataset import Images, Labels
from cnn.training.events import (
    STOPPED_BY_HAND,
    BatchEvent,
    Diverged,
    EpochEvent,
    NoteEvent,
    OnEvent,
)
from cnn.training.steps import Steps

SECONDS_BETWEEN_EVENTS = 0.25
PLATEAU_FACTOR = 0.5
LOWEST_RATE = 1e-6


@dataclass(frozen=True)
class TrainingData:
    """Arrays for one run, images as uint8 (N, H, W, C) in 0..255."""

    train_images: Images
    train_labels: Labels
    val_images: Images
    val_labels: Labels


@dataclass
class Progress:
    """How far training is, and the best so far."""

    epoch: int = 0  # finished epochs
    best_epoch: int = 0  # highest validation accuracy, then lowest loss; 0: none finished yet
    better_epoch: int = 0  # the last with a higher validation accuracy than all before
    best_val_accuracy: float = -1.0
    best_val_loss: float = float("inf")
    best_weights: list[Any] = field(default_factory=list)
    lowest_val_loss: float = float("inf")
    epochs_since_lowest: int = 0
    seconds: float = 0.0  # of training so far, over all sittings
    stopped: str = ""  # why it ended before the last epoch asked for


class Trainer:
    """Trains one model as its configuration says.

    Args:
        model: Functional Keras model with a "logits" layer, from `cnn.models.build`.
        config: The run's configuration.
        data: The arrays; validation is already separate.
        on_event: Called with each event, in order, from the training thread.
        should_stop: Asked after every batch; True ends training as soon as possible.
        on_epoch: Called after each whole epoch, before its event; may save the trainer's state.
    """

    def __init__(
        self,
        model: Any,
        config: RunConfig,
        data: TrainingData,
        on_event: OnEvent,
        should_stop: Callable[[], bool] = lambda: False,
        on_epoch: Callable[[], None] = lambda: None,
    ) -> None:
        self.model = model
        self.config = config
        self.data = data
        self.on_event = on_event
        self.should_stop = should_stop
        self.on_epoch = on_epoch
        self.progress = Progress()
        # What the optimizer is told is what it gets, also where there are fewer images than that.
        size = min(config.batch_size, len(data.train_labels))
        self.steps = Steps(model, replace(config, batch_size=size))
        self.batches = Batches(data.train_images, data.train_labels, size, config.augmentation,
                               config.seed)
        self._start = time.monotonic()

    def run(self) -> Progress:
        """Train to the end, or to a stop, and leave the best weights in the model.

        Goes on after the epochs that `progress` counts: none, or those of a restored checkpoint.

        Raises:
            Diverged: If the loss is no longer a number; the best weights are in the model then too.
        """
        self._start = time.monotonic() - self.progress.seconds
        try:
            # The rule comes first: a restored checkpoint may be of the epoch at which it ends.
            while self.progress.epoch < self.config.epochs and not self._stop_early():
                if not self._run_epoch(self.progress.epoch + 1):
                    self.progress.stopped = STOPPED_BY_HAND
                    break
        finally:
            if self.progress.best_weights:
                self.model.set_weights(self.progress.best_weights)
        return self.progress

    def validate(self) -> tuple[float, float]:
        """Return cross-entropy and accuracy on the validation images, with the present weights."""
        return self.steps.evaluate(self.data.val_images, self.data.val_labels)

    def _run_epoch(self, epoch: int) -> bool:
        """Train and validate one epoch; return False if a stop came before its end."""
        meter = _Meter(self, epoch)
        for batch in self.batches.of(epoch):
            self._follow_schedule(epoch, meter.batch)
            loss, right = self.steps.train(batch.images, batch.labels, batch.transforms)
            _check_finite(
                loss, f"The loss became {loss} in epoch {epoch}, batch {meter.batch + 1}.")
            meter.add(loss, right, len(batch.labels))
            if self.should_stop():
                if not self.progress.best_epoch:  # keep what the first epoch has learned so far
                    self._finish_epoch(meter, *self.validate())
                return False
        val_loss, val_accuracy = self.validate()
        self._finish_epoch(meter, val_loss, val_accuracy)
        return True

    def _follow_schedule(self, epoch: int, batches_done: int) -> None:
        if self.config.schedule == "linear":
            done = (epoch - 1) * self.batches.count + batches_done
            share = 1 - done / (self.config.epochs * self.batches.count)
            self.steps.learning_rate = self.config.learning_rate * share

    def _finish_epoch(self, meter: _Meter, val_loss: float, val_accuracy: float) -> None:
        _check_finite(val_loss, f"The validation loss became {val_loss} in epoch {meter.epoch}.")
        progress = self.progress
        progress.epoch = meter.epoch
        best = (val_accuracy, -val_loss) > (progress.best_val_accuracy, -progress.best_val_loss)
        if best:
            self._keep_best(meter.epoch, val_loss, val_accuracy)
        event = EpochEvent(
            meter.epoch, meter.mean_loss, meter.mean_accuracy, val_loss, val_accuracy,
            self.steps.learning_rate, meter.epoch_speed, self.elapsed(), best)
        note = self._follow_plateau(meter.epoch, val_loss)
        progress.seconds = self.elapsed()
        if meter.batch == self.batches.count:
            self.on_epoch()  # before the event: an epoch that is reported is safe
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

    def elapsed(self) -> float:
        """Seconds since training began."""
        return time.monotonic() - self._start


def _check_finite(loss: float, message: str) -> None:
    if not math.isfinite(loss):
        raise Diverged(message, "Try a learning rate ten times lower.")


class _Meter:
    """Sums of one epoch, and the events that show them."""

    def __init__(self, trainer: Trainer, epoch: int) -> None:
        self.trainer, self.epoch = trainer, epoch
        self.batch = 0
        self.start = self.last = time.monotonic()
        self.seen = self.right = 0
        self.loss = 0.0
        self.epoch_speed = 0.0  # images per second, without validation
        self._shown = (0, 0, 0.0)  # seen, right, loss at the last event

    @property
    def mean_loss(self) -> float:
        return self.loss / self.seen

    @property
    def mean_accuracy(self) -> float:
        return self.right / self.seen

    def add(self, loss: float, right: int, count: int) -> None:
        self.batch += 1
        self.seen += count
        self.right += right
        self.loss += loss * count
        now = time.monotonic()
        self.epoch_speed = self.seen / max(now - self.start, 1e-9)
        if now - self.last >= SECONDS_BETWEEN_EVENTS or self.batch == self.trainer.batches.count:
            self._emit(now)

    def _emit(self, now: float) -> None:
        seen, right, loss = self._shown
        count = self.seen - seen
        self.trainer.on_event(BatchEvent(
            self.epoch, self.batch, self.trainer.batches.count,
            (self.loss - loss) / count, (self.right - right) / count,
            self.trainer.steps.learning_rate, count / max(now - self.last, 1e-9),
            self.trainer.elapsed(), self._seconds_left(now)))
        self._shown, self.last = (self.seen, self.right, self.loss), now

    def _seconds_left(self, now: float) -> float:
        """Estimate from this epoch's pace, validation counted as a third of a training image."""
        data = self.trainer.data
        total = len(data.train_labels) + len(data.val_labels) / 3
        pace = (now - self.start) / self.seen
        epochs_after = self.trainer.config.epochs - self.epoch
        return pace * (total * (epochs_after + 1) - self.seen)
