"""Measures how fast this computer trains: real training steps on random images, some seconds long.

    python -m cnn.training.speed \
        '{"input_shape": [32, 32, 3], "classes": 10, "architectures": ["speedrun"]}'

Prints one line of JSON, `Speeds.to_dict` or an error. Started by `cnn.runs.measuring`, as a process
of its own and with the trainer's priority. Knows nothing of data sets, runs and files.

The figures are those of a computer that does nothing else, because they are kept: what other
programs took of the processor meanwhile is taken off, and told. With a load of nine busy processes
on two cores, steps took ten times as long; without their share, the same as on the quiet machine.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psutil

from cnn.config import RunConfig
from cnn.errors import CnnError
from cnn.hardware import has_bfloat16, run_in_background, start_tensorflow
from cnn.models.defaults import default_config
from cnn.models.registry import get_architecture
from cnn.models.speeds import NetworkSpeed, Speeds
from cnn.models.summary import Summary, summarise

# Multiply-adds of the larger of the two batches that are timed: a fifth of a second where two cores
# do 26 G a second. Smaller ones would measure the step's overhead, larger ones patience.
WORK_OF_A_STEP = 5e9
# Muon's iterations on the kernels take up to 3,600 for each weight, whatever the images of a step;
# these 2,400 are counted forth only, as above, and are 7,200 with the way back. Of `speedrun-wide`
# in batches of 11 their own time came out four times too long; of 52 images a step of 500 comes out
# at 1.7 to 2.1 s and takes 1.4. `speedrun`, whose figure presets use, has as many images as before.
WORK_OF_A_MUON_WEIGHT = 2400
LEAST_SHARE = 0.5  # of images in the larger step; with less, `speedrun` came out a third too short
BATCHES = (8, 256)  # fewest and most images of the larger batch
SMALLER = 4  # the other batch has this part of it: two sizes tell images and overhead apart
REPEATS = 3
SPARE = 0.2  # share of idle processor from which on others hinder nobody
MOST_HINDERED = 0.95  # share taken off at most
MUCH_FASTER = 0.9  # bfloat16 must take less than this share of float32's time to be chosen
_IMPORTED = time.perf_counter()


def measure(
    input_shape: tuple[int, int, int], classes: int, architectures: list[str], start: float = 0.0
) -> Speeds:
    """Return the speeds of some networks; TensorFlow must have been started.

    Args:
        input_shape: Height, width and channels of the images.
        classes: How many classes there are.
        architectures: Whose speed is wanted; precision is tried with the first.
        start: Seconds that starting TensorFlow took.

    Raises:
        CnnError: If an architecture does not exist or cannot take such images.
    """
    others = Others()
    first = measure_network(architectures[0], input_shape, classes, "float32", others)
    precision = "float32"
    if has_bfloat16() is not False:  # the processor has it, or does not say
        reduced = measure_network(architectures[0], input_shape, classes, "bfloat16", others)
        if reduced.image < MUCH_FASTER * first.image:
            first, precision = reduced, "bfloat16"
    rest = [measure_network(name, input_shape, classes, precision, others)
            for name in architectures[1:]]
    return Speeds(input_shape, classes, precision, start, others.share, (first, *rest))


def measure_network(
    architecture: str, input_shape: tuple[int, int, int], classes: int, precision: str,
    others: Others,
) -> NetworkSpeed:
    """Return the speed of one network, from steps with its own optimizer on random images.

    Args:
        architecture: Its name in the registry.
        input_shape: Height, width and channels of the images.
        classes: How many classes there are.
        precision: float32 or bfloat16.
        others: Is told what is timed, and knows what others use of the processor.

    Raises:
        CnnError: If it does not exist or cannot take such images.
    """
    import numpy as np

    from cnn.models.build import build_model
    from cnn.training.steps import EVAL_BATCH, Steps

    begin = _seconds_alone()
    config = default_config(architecture, "random", "speed")
    large = _larger_batch(summarise(architecture, input_shape, classes), config)
    config = replace(config, batch_size=large)
    steps = Steps(build_model(architecture, input_shape, classes, 0, precision, training=True),
                  config)
    rng = np.random.default_rng(0)
    count = 2 * min(large, EVAL_BATCH)
    images = rng.integers(0, 256, (count, *input_shape), dtype=np.uint8)
    labels = rng.integers(0, classes, count)

    def step(size: int) -> Callable[[], Any]:
        return lambda: steps.train(images[:size], labels[:size], None)

    def look() -> Any:
        return steps.evaluate(images, labels)

    small = large // SMALLER
    for warm_up in (step(small), look, step(large)):  # traces the functions, fills caches
        warm_up()
    start = _seconds_alone() - begin
    with others.watched() as hindered:
        times = [_median_seconds(action) for action in (step(small), step(large), look)]
    times = [seconds * (1 - hindered()) for seconds in times]
    overhead, image = _line(small, times[0], large, times[1])
    return NetworkSpeed(get_architecture(architecture).key, max(start - sum(times), 0.0),
                        overhead, image, times[2] / count)


def _larger_batch(summary: Summary, config: RunConfig) -> int:
    """Return the images of the larger batch: enough that they take a good part of the step."""
    update = WORK_OF_A_MUON_WEIGHT * summary.trainable_parameters * (config.optimizer == "muon")
    images = max(WORK_OF_A_STEP, update) / max(summary.multiply_adds, 1)
    return int(min(max(images, BATCHES[0]), BATCHES[1]))


def _seconds_alone() -> float:
    """Return a clock for what one core does: it stands still while others have the processor."""
    return min(time.perf_counter() - _IMPORTED, time.process_time())


def _line(
    small: int, small_seconds: float, large: int, large_seconds: float
) -> tuple[float, float]:
    """Return seconds of a step and seconds of each of its images, from two sizes of steps.

    Timings of a busy computer can lie anywhere: no share is taken to be less than nothing.
    """
    image = (large_seconds - small_seconds) / (large - small)
    image = min(max(image, LEAST_SHARE * large_seconds / large), large_seconds / large)
    return max(large_seconds - large * image, 0.0), image


def _median_seconds(action: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


class Others:
    """How much of the processor other programs use while something is timed."""

    def __init__(self) -> None:
        self._total = [0.0, 0.0, 0.0]  # of all cores, in seconds: ours, others', all there is

    @property
    def share(self) -> float:
        """What others used in all of the timed parts, 0 to 1."""
        return self._part(self._total, 1)

    @contextmanager
    def watched(self) -> Iterator[Callable[[], float]]:
        """Watch a block; yields a function for the share of the time that others took from it."""
        used = [0.0, 0.0, 1.0]
        begin = self._now()

        def hindered() -> float:
            idle = 1 - self._part(used, 0) - self._part(used, 1)
            return min(self._part(used, 1) * max(1 - idle / SPARE, 0.0), MOST_HINDERED)

        yield hindered
        wall, idle, own = (b - a for a, b in zip(begin, self._now(), strict=True))
        capacity = max(wall * (psutil.cpu_count() or 1), 1e-9)
        used[:] = own, max(capacity - idle - own, 0.0), capacity
        self._total = [a + b for a, b in zip(self._total, used, strict=True)]

    @staticmethod
    def _part(used: list[float], which: int) -> float:
        return min(max(used[which] / used[2], 0.0), 1.0) if used[2] else 0.0

    @staticmethod
    def _now() -> tuple[float, float, float]:
        times = psutil.cpu_times()
        return (time.perf_counter(), times.idle + getattr(times, "iowait", 0.0),
                time.process_time())


def main(request: str) -> int:
    """Measure what the request asks for and print the answer; returns the exit status."""
    try:
        asked = json.loads(request)
        run_in_background()
        start_tensorflow()
        import cnn.models.build  # noqa: F401  imports Keras, which is part of a run's start

        speeds = measure(tuple(asked["input_shape"]), asked["classes"], asked["architectures"],
                         _seconds_alone())
    except CnnError as error:
        sys.stdout.write(json.dumps({"error": error.to_dict()}) + "\n")
        return 1
    sys.stdout.write(json.dumps(speeds.to_dict()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
