"""Sums over the batches of one epoch, how fast they went, and how long the rest will take.

Knows numbers only: neither models nor events.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from cnn.training.progress import Partial

PRIOR_SHARE = 0.2  # of an epoch: how much the pace of the epoch before counts at the start of one
VALIDATION_COST = 1 / 3  # of a training step, per image, until it has been measured


class Pace:
    """Seconds per training image, steady from an epoch's first batches on.

    The first step of a process is left out: TensorFlow builds its graph in it. At the start of an
    epoch the pace of the one before still counts, like a fifth of an epoch of images.

    Args:
        images: In an epoch.
        validation_images: Looked at after each epoch.
    """

    def __init__(self, images: int, validation_images: int) -> None:
        self._images, self._validation_images = images, validation_images
        self._prior = 0.0  # seconds per image; 0: unknown
        self._seconds, self._seen = 0.0, 0
        self._rest = 0.0
        self._warm = False

    def add(self, seconds: float, images: int) -> None:
        """Count a step."""
        if self._warm:
            self._seconds += seconds
            self._seen += images
        self._warm = True

    def end_epoch(self, rest: float) -> None:
        """Let a new epoch begin, after so many seconds of validating and saving."""
        self._prior = self.per_image
        self._seconds, self._seen = 0.0, 0
        self._rest = rest

    @property
    def per_image(self) -> float:
        """Seconds per training image; 0 if nothing is known yet."""
        weight = PRIOR_SHARE * self._images if self._prior else 0.0
        images = self._seen + weight
        return (self._seconds + weight * self._prior) / images if images else 0.0

    def seconds_left(self, images_left: int, ends_left: int) -> float | None:
        """Estimate how long so many images and ends of epochs will take; None: not known yet."""
        if not self.per_image:
            return None
        rest = self._rest or (
            self.per_image * self._validation_images * VALIDATION_COST)
        return self.per_image * images_left + rest * ends_left


@dataclass(frozen=True)
class Since:
    """What happened since the last event."""

    images: int
    loss: float  # mean
    accuracy: float
    seconds: float


class Meter:
    """Sums of one epoch, from its first batch in whatever sitting.

    Args:
        epoch: Counted from 1.
        partial: What earlier sittings did of it.
    """

    def __init__(self, epoch: int, partial: Partial) -> None:
        self.epoch = epoch
        self.batch, self.seen, self.right = partial.batch, partial.seen, partial.right
        self._loss = partial.loss
        self._last = time.monotonic()
        self._start = self._last - partial.seconds
        self._told, self._told_at = partial, self._last

    def add(self, loss: float, right: int, images: int) -> float:
        """Count a step that has just ended; return its seconds."""
        now = time.monotonic()
        seconds, self._last = now - self._last, now
        self.batch += 1
        self.seen += images
        self.right += right
        self._loss += loss * images
        return seconds

    @property
    def partial(self) -> Partial:
        """What is done so far."""
        return Partial(self.batch, self.seen, self.right, self._loss, self._last - self._start)

    @property
    def mean_loss(self) -> float:
        """Over all images so far."""
        return self._loss / self.seen

    @property
    def mean_accuracy(self) -> float:
        """Over all images so far."""
        return self.right / self.seen

    @property
    def speed(self) -> float:
        """Images per second, without validation."""
        return self.seen / max(self._last - self._start, 1e-9)

    @property
    def seconds_since_told(self) -> float:
        """How long ago `tell` was called."""
        return self._last - self._told_at

    def tell(self) -> Since:
        """Return what happened since the last call."""
        before, seconds = self._told, max(self.seconds_since_told, 1e-9)
        self._told, self._told_at = self.partial, self._last
        images = self.seen - before.seen
        return Since(images, (self._loss - before.loss) / images,
                     (self.right - before.right) / images, seconds)
