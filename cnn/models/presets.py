"""Presets by time: from how long a person wants to wait to the best run that fits in here.

Pure functions of measured speeds and the sizes of a data set. Nothing is measured or started here.

For each kind of images there is a family of networks, from the weakest to the strongest. A stronger
one is taken as soon as the time is enough for the epochs from which on it is worth its price; what
time is left goes into more epochs. If even the weakest does not fit, it learns from fewer images.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cnn.config import RunConfig
from cnn.errors import BadInput
from cnn.models.defaults import default_config
from cnn.models.speeds import Expected, Speeds, expected_time, held_back_count
from cnn.models.summary import fits, summarise

# Values that a training step keeps until its backward pass: 1.7 GiB, and with TensorFlow, Keras and
# the data of CIFAR-10 a run stays below 3 GB.
_BYTES_OF_A_STEP = 1.7 * 2**30
_BATCHES = (2000, 1000, 500, 250, 125, 64, 32, 16, 8, 4, 2, 1)
_SMALL_BATCH = 250  # smaller ones only where memory or few images ask for it
# Steps of a training, as long as batches are not smaller than this. Validation accuracy on CIFAR-10
# of speedrun-small hardly depended on either: 79.8 % after 72 steps of 500, 79.3 % after 144 of 250
# with half the rate; 88.3 % after 450 of 500.
_LEAST_STEPS = 400
_BATCHES_IN_AN_EPOCH = 4  # at least, or batch normalisation sees the same few images each time
_LEAST_IMAGES_PER_CLASS = 20  # where the time is short; fewer is no training
_SMALL_SET = 10_000  # images; a set of half of them gets twice the epochs
_MOST_EPOCHS = 100


@dataclass(frozen=True)
class Preset:
    """How long a person wants to wait."""

    name: str  # on the command line
    title: str
    seconds: float  # from start to saved model; infinite: as long as it is useful


PRESETS = {preset.name: preset for preset in (
    Preset("1m", "1 minute", 60), Preset("5m", "5 minutes", 300),
    Preset("20m", "20 minutes", 1200), Preset("best", "Best", math.inf))}


@dataclass(frozen=True)
class Candidate:
    """A network and the epochs that make sense with it on some ten thousand images."""

    architecture: str
    least: int  # from here on it is better than the one before it
    useful: int  # from here on more epochs bring next to nothing
    learning_rate: float = 0.0  # 0: that of its recipe


_FAMILIES = (
    # Its recipe's rate of 0.12 is for longer trainings: on CIFAR-10, 2 epochs of 16,431 images in
    # batches of 250, validation accuracy was 77.6 % with it and 80.5 % with 0.24 (one run each).
    # Of speedrun-deep 16 epochs brought 94.25 % of the test images of CIFAR-10, 40 brought 94.96 %,
    # one run each; the second also with a cutout of 0.3125 instead of 0.25, and in bfloat16.
    (Candidate("speedrun-small", 2, 24, learning_rate=0.24), Candidate("speedrun", 4, 16),
     Candidate("speedrun-deep", 12, 40)),
    (Candidate("base", 3, 30), Candidate("batchnorm", 20, 60)),  # of images below 9×9
    (Candidate("dense", 3, 60),),  # of images below 4×4
)
_OF_ANY_OTHER = (3, 60)  # least and useful epochs of a network that a person chose


@dataclass(frozen=True)
class Plan:
    """What a preset means here."""

    config: RunConfig
    train_n: int  # images trained on
    expected: Expected
    remark: str = ""  # what the person should know before the start


def find_preset(text: str) -> Preset:
    """Return the preset called "5m", "5 minutes", "5min" or the like.

    Raises:
        BadInput: If there is none.
    """
    plain = text.strip().lower()
    found = re.fullmatch(r"(\d+) ?(m|min|minutes?)", plain)
    name = f"{found[1]}m" if found else plain
    if name not in PRESETS:
        raise BadInput(f"There is no preset {text[:80]!r}.",
                       f"Choose one of: {', '.join(PRESETS)}.")
    return PRESETS[name]


def candidates(
    input_shape: tuple[int, int, int], classes: int, architecture: str = ""
) -> tuple[Candidate, ...]:
    """Return the networks to choose from, the weakest first.

    Args:
        input_shape: Height, width and channels of the images.
        classes: How many classes there are.
        architecture: The only one to choose, if a person has.

    Raises:
        BadInput: If `architecture` cannot take such images.
        NotFound: If there is no such architecture.
    """
    if architecture:
        summarise(architecture, input_shape, classes)
        known = (c for family in _FAMILIES for c in family if c.architecture == architecture)
        return (next(known, Candidate(architecture, *_OF_ANY_OTHER)),)
    for family in _FAMILIES:
        fitting = tuple(c for c in family if fits(c.architecture, input_shape, classes))
        if fitting:
            return fitting
    return _FAMILIES[-1]


def to_measure(chosen: tuple[Candidate, ...]) -> list[str]:
    """Return the networks whose speed must be measured, so that that of all is known.

    The largest of three follows from the second, which saves the slowest measurement.
    """
    return [candidate.architecture for candidate in chosen[:2]]


def plan(
    preset: Preset, speeds: Speeds, dataset: str, train_count: int, test_count: int, name: str,
    architecture: str = "",
) -> Plan:
    """Return the best run that fits into the time of a preset.

    Args:
        preset: One of `PRESETS`.
        speeds: Measured on this computer for the images of the data set.
        dataset: Name of the data set.
        train_count: Images of its training split, before a validation part is taken off.
        test_count: Images of its test split.
        name: Of the model to save.
        architecture: The only one to choose, if a person has.

    Raises:
        BadInput: If `architecture` was not measured, or cannot take such images.
    """
    maker = _Planner(speeds, dataset, train_count, test_count, name)
    chosen = candidates(speeds.input_shape, speeds.classes, architecture)
    for candidate in reversed(chosen):
        for config in maker.from_most_epochs(candidate):
            expected = maker.expect(config)
            if expected.typical <= preset.seconds:
                return Plan(config, maker.images, expected)
    return maker.with_fewer_images(chosen[0], preset)


class _Planner:
    """Makes configurations for one data set on this computer."""

    def __init__(
        self, speeds: Speeds, dataset: str, train_count: int, test_count: int, name: str
    ) -> None:
        self.speeds, self.dataset, self.name = speeds, dataset, name
        self.counts = (train_count, test_count)
        held_back = held_back_count(train_count, RunConfig.validation_fraction, speeds.classes)
        self.images = max(train_count - held_back, 1)

    def expect(self, config: RunConfig) -> Expected:
        """Return the expected time of a configuration."""
        expected = expected_time(config, self.speeds, *self.counts)
        if expected is None:
            raise BadInput(f"How fast {config.architecture} is here was not measured.",
                           "Measure again.")
        return expected

    def from_most_epochs(self, candidate: Candidate) -> Iterator[RunConfig]:
        """Yield configurations with all images, from the longest training on."""
        least, useful = self.epochs(candidate)
        for epochs in range(useful, least - 1, -1):
            yield self.config(candidate, epochs, self.images)

    def epochs(self, candidate: Candidate) -> tuple[int, int]:
        """Return the least and the most epochs that make sense: more of them for fewer images."""
        factor = max(1.0, _SMALL_SET / self.images)
        return (min(math.ceil(candidate.least * factor), _MOST_EPOCHS),
                min(math.ceil(candidate.useful * factor), _MOST_EPOCHS))

    def config(self, candidate: Candidate, epochs: int, images: int) -> RunConfig:
        """Return a configuration for training on so many of the images."""
        usual = default_config(candidate.architecture, self.dataset, self.name)
        return replace(
            usual, learning_rate=candidate.learning_rate or usual.learning_rate, epochs=epochs,
            batch_size=self.batch_size(candidate, epochs, images),
            train_images=0 if images == self.images else images, precision=self.speeds.precision)

    def batch_size(self, candidate: Candidate, epochs: int, images: int) -> int:
        """Return the largest batch that memory, data and the number of steps allow."""
        summary = summarise(
            candidate.architecture, self.speeds.input_shape, self.speeds.classes)
        kept = 4 * summary.values  # bytes for one image
        usual = default_config(candidate.architecture, self.dataset, self.name).batch_size
        most = min(usual, _BYTES_OF_A_STEP / kept, images / _BATCHES_IN_AN_EPOCH,
                   max(epochs * images / _LEAST_STEPS, _SMALL_BATCH))
        return usual if usual <= most else next((n for n in _BATCHES if n <= most), 1)

    def with_fewer_images(self, candidate: Candidate, preset: Preset) -> Plan:
        """Return a plan with as many images as fit into the time, but enough to learn from."""
        least_epochs, _ = self.epochs(candidate)
        low = min(_LEAST_IMAGES_PER_CLASS * self.speeds.classes, self.images)
        high = self.images
        while high - low > max(1, self.images // 1000):  # low fits, or is the least; high does not
            middle = (low + high) // 2
            expected = self.expect(self.config(candidate, least_epochs, middle))
            low, high = (middle, high) if expected.typical <= preset.seconds else (low, middle)
        config = self.config(candidate, least_epochs, low)
        expected = self.expect(config)
        remark = (f"Learns from {low:,} of {self.images:,} images: all do not fit into this time."
                  if low < self.images else "")
        if expected.typical > preset.seconds:
            remark = f"{remark} Less than this is no training.".strip()
        return Plan(config, low, expected, remark)
