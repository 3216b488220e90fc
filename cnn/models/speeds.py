"""How fast this computer trains, as measured, and how long a run takes by that.

Plain numbers: `cnn.training.speed` measures them, `cnn.runs.measuring` remembers them. Knows
nothing of TensorFlow, files or what a person wants.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from cnn.config import RunConfig
from cnn.errors import CnnError, Damaged
from cnn.models.defaults import averaged_views, worth_averaging
from cnn.models.registry import built_in_names, get_architecture
from cnn.models.summary import summarise

# What a run does apart from its network: reading the data, calibration, writing the model.
SECONDS_AROUND = 4.0
SECONDS_PER_EPOCH = 0.08  # checkpoint and status, each flushed to the disk
_ALIKE = "speedrun"  # family of networks whose time follows from their arithmetic
# A run never has the computer to itself: the dashboard, a browser and the system run beside it.
QUICKEST, SLOWEST = 0.85, 1.3
# Of the start, which waits for the disk: warm files against cold ones.
QUICKEST_START, SLOWEST_START = 0.7, 2.0
BUSY = 0.25  # share of the processor that others use: up to this the range covers it


@dataclass(frozen=True)
class NetworkSpeed:
    """Seconds that one network takes for images of one size."""

    architecture: str  # its key in the registry
    start: float  # building it, and what its first step and first evaluation take beyond later ones
    step: float  # of a training step, however few its images
    image: float  # for each image of a step, in addition
    look: float  # for each image that is only evaluated


@dataclass(frozen=True)
class Expected:
    """How long a run will take, from start to saved model, in seconds."""

    typical: float
    low: float
    high: float


@dataclass(frozen=True)
class Speeds:
    """What was measured for one size of images, as if nothing else had run on this computer."""

    input_shape: tuple[int, int, int]
    classes: int
    precision: str  # the quicker of those that were tried
    start: float  # seconds until TensorFlow is ready
    busy: float  # share of the processor that others used meanwhile, 0 to 1
    networks: tuple[NetworkSpeed, ...]

    def __post_init__(self) -> None:
        numbers = [self.start, *(n for net in self.networks
                                 for n in (net.start, net.step, net.image, net.look))]
        if not self.networks or not all(math.isfinite(n) and n >= 0 for n in numbers):
            raise ValueError("speeds must be numbers from 0 on")
        if not all(net.image > 0 and net.look > 0 for net in self.networks):
            raise ValueError("no image takes no time")

    @property
    def slower(self) -> float:
        """How many times as long a run takes while others use what they used; 1.0: unhindered."""
        return 1 / (1 - min(self.busy, 0.95)) if self.busy > BUSY else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return the speeds as JSON-ready values."""
        return asdict(self)

    def of(self, architecture: str) -> NetworkSpeed | None:
        """Return the speed of a network, None if it is not known.

        That of a speedrun network follows from another's: their work differs fivefold, but
        the seconds that their training work would take were right within 22 %.
        """
        measured = {network.architecture: network for network in self.networks}
        known = get_architecture(architecture)
        if known.key in measured:
            return measured[known.key]
        if known.family != _ALIKE:
            return None
        alike = [network for name, network in measured.items()
                 if name in built_in_names() and get_architecture(name).family == _ALIKE]
        return self._scaled(alike[-1], architecture) if alike else None

    def _scaled(self, known: NetworkSpeed, architecture: str) -> NetworkSpeed:
        this, that = (summarise(name, self.input_shape, self.classes)
                      for name in (architecture, known.architecture))
        work = this.training_work(self.precision) / that.training_work(self.precision)
        weights = this.trainable_parameters / that.trainable_parameters
        return NetworkSpeed(architecture, known.start, known.step * weights,
                            known.image * work, known.look * work)


def speeds_from_dict(data: dict[str, Any]) -> Speeds:
    """Rebuild what `Speeds.to_dict` gave.

    Raises:
        Damaged: If it is anything else.
    """
    try:
        networks = tuple(network for network in (
            NetworkSpeed(**values) for values in data["networks"]) if _exists(network.architecture))
        return Speeds(**{**data, "networks": networks, "input_shape": tuple(data["input_shape"])})
    except Exception as error:  # a damaged file can be wrong in any way
        raise Damaged(f"The measured speeds are damaged ({error}).", "Measure again.") from error


def _exists(key: str) -> bool:
    """Whether a network that was measured is still the one of its name."""
    try:
        return get_architecture(key.partition("@")[0]).key == key
    except CnnError:
        return False


def expected_time(
    config: RunConfig, speeds: Speeds, train_count: int, test_count: int
) -> Expected | None:
    """Return how long a run takes here; None if its network was not measured.

    Args:
        config: Of the run; its precision is taken to be the measured one.
        speeds: For the images of its data set.
        train_count: Images of the training split, before the validation part is taken off.
        test_count: Images of the test split.
    """
    network = speeds.of(config.architecture)
    if network is None:
        return None
    held_back = held_back_count(train_count, config.validation_fraction, speeds.classes)
    training = config.epochs * epoch_seconds(
        network, train_count, config.batch_size, config.validation_fraction, speeds.classes,
        config.train_images)
    looks = (held_back + test_count) * network.look
    views = averaged_views(config.augmentation) * looks
    work = SECONDS_AROUND + training + looks
    if worth_averaging(views, training):
        work += views
    start = speeds.start + network.start
    return Expected(start + work, start * QUICKEST_START + work * QUICKEST,
                    start * SLOWEST_START + work * SLOWEST)


def epoch_seconds(
    network: NetworkSpeed, train_count: int, batch_size: int, fraction: float, classes: int,
    asked: int = 0,
) -> float:
    """Return how long one epoch takes: its steps, and looking at the validation images.

    Args:
        network: How quick it is here.
        train_count: Images of the training split, before the validation part is taken off.
        batch_size: Images per step.
        fraction: Share of the images that is held back for validation.
        classes: How many classes there are.
        asked: Images to train on; 0: all that are not held back.
    """
    held_back = held_back_count(train_count, fraction, classes)
    images = asked or train_count - held_back
    return (SECONDS_PER_EPOCH + -(-images // batch_size) * network.step + images * network.image
            + held_back * network.look)


def held_back_count(train_count: int, fraction: float, classes: int) -> int:
    """Return how many images the validation part has at most: `cnn.data.splits` without labels."""
    return max(round(train_count * fraction), classes)
