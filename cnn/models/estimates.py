"""What training a network that was never run will cost here, from one that was.

Its time follows from its arithmetic and from the values it moves; how quick this computer is at
that, from the networks that were measured (`speeds`). Plain numbers; measures nothing.

The networks of this program, measured on two computers for 32×32 colour images, took 0.53 to 1.81
times the seconds per image that follow from the two that presets measure, but for LeNet, whose
images take some microseconds, and one outlier (docs/results.md). For 8×8 images, with
an earlier convolution, the estimate was 0.7 to 1.8 times, and a fifth to a third of what the
classics with millions of weights took, of which an epoch takes seconds.
"""

from __future__ import annotations

import statistics

from cnn.models.registry import Architecture
from cnn.models.speeds import Expected, NetworkSpeed, Speeds, epoch_seconds
from cnn.models.summary import Summary, summarise

# As many multiply-adds take the time of bringing one value out of a layer, and back; and of
# changing one weight in a step: both are moved through memory, and the rest waits.
WORK_OF_A_VALUE = 50
WORK_OF_A_WEIGHT = 120
WORK_OF_A_LAYER = 6_000_000  # in a step, whatever its images: 0.2 ms to begin with each operation
LOW, HIGH = 0.55, 1.8  # of an estimate
_BYTES = 4  # of a float32
_COPIES = 4  # of each weight while training: itself, its gradient and two averages of Adam


def training_bytes(summary: Summary, batch_size: int) -> int:
    """Return the memory that weights and one training step take; TensorFlow itself not counted."""
    return _BYTES * (batch_size * summary.values + _COPIES * summary.parameters)


def estimated_speed(summary: Summary, speeds: Speeds) -> NetworkSpeed:
    """Return the speed of a network by comparison with those that were measured."""
    pace, look = zip(*(_pace(network, speeds) for network in speeds.networks), strict=True)
    work = _work(summary, speeds)
    seconds = statistics.median(pace)
    return NetworkSpeed(
        "", 0.0, seconds * (WORK_OF_A_WEIGHT * summary.trainable_parameters
                            + WORK_OF_A_LAYER * len(summary.rows)),
        seconds * work, statistics.median(look) * work)


def _pace(network: NetworkSpeed, speeds: Speeds) -> tuple[float, float]:
    """Return the seconds that a measured network takes for one unit of work, to learn and look."""
    name = network.architecture.partition("@")[0]
    work = _work(summarise(name, speeds.input_shape, speeds.classes), speeds)
    return network.image / work, network.look / work


def _work(summary: Summary, speeds: Speeds) -> float:
    return max(summary.training_work(speeds.precision) + WORK_OF_A_VALUE * summary.values, 1)


def expected_epoch(
    architecture: Architecture, summary: Summary, speeds: Speeds, train_count: int,
    batch_size: int, fraction: float,
) -> Expected:
    """Return how long one epoch takes here, in seconds.

    Args:
        architecture: What it is; where it was measured itself, nothing is estimated.
        summary: Of it, for the images of `speeds`.
        speeds: Measured on this computer.
        train_count: Images of the training split, before the validation part is taken off.
        batch_size: Images per step.
        fraction: Share of the images held back for validation.
    """
    known = next((network for network in speeds.networks
                  if network.architecture == architecture.key), None)
    network = known or estimated_speed(summary, speeds)
    seconds = epoch_seconds(network, train_count, batch_size, fraction, speeds.classes)
    low, high = (1.0, 1.0) if known else (LOW, HIGH)
    return Expected(seconds, low * seconds, high * seconds)
