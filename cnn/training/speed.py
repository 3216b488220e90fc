"""Measures how fast this computer trains: real training steps on random images, some seconds long.

    python -m cnn.training.speed \
        '{"input_shape": [32, 32, 3], "classes": 10, "architectures": ["speedrun"]}'

Prints one line of JSON, `Speeds.to_dict` or an error. Started by `cnn.runs.measuring`, as a process
of its own and with the trainer's priority, so that the figures are what a run will get. Knows
nothing of data sets, runs and files.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psutil

from cnn.errors import CnnError
from cnn.hardware import has_bfloat16, run_in_background, start_tensorflow, usable_cores
from cnn.models.defaults import default_config
from cnn.models.speeds import NetworkSpeed, Speeds
from cnn.models.summary import summarise

# Multiply-adds of the larger of the two batches that are timed: half a second a step where a core
# pair does 50 G a second. Smaller ones would measure the step's overhead, larger ones patience.
WORK_OF_A_STEP = 8e9
BATCHES = (8, 256)  # fewest and most images of the larger batch
SMALLER = 4  # the other batch has this part of it: two sizes tell images and overhead apart
REPEATS = 3
LOOKS = 500  # most images of an evaluation: what `Steps.evaluate` takes at once
MUCH_FASTER = 0.9  # bfloat16 must take less than this share of float32's time to be chosen


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
    others = _Others()
    first = measure_network(architectures[0], input_shape, classes, "float32")
    precision = "float32"
    if has_bfloat16() is not False:  # the processor has it, or does not say
        reduced = measure_network(architectures[0], input_shape, classes, "bfloat16")
        if reduced.image < MUCH_FASTER * first.image:
            first, precision = reduced, "bfloat16"
    rest = [measure_network(name, input_shape, classes, precision) for name in architectures[1:]]
    return Speeds(input_shape, classes, precision, start, others.share(), (first, *rest))


def measure_network(
    architecture: str, input_shape: tuple[int, int, int], classes: int, precision: str
) -> NetworkSpeed:
    """Return the speed of one network, from steps with its own optimizer on random images.

    Raises:
        CnnError: If it does not exist or cannot take such images.
    """
    import numpy as np

    from cnn.models.build import build_model
    from cnn.training.steps import Steps

    begin = time.perf_counter()
    work = max(summarise(architecture, input_shape, classes).multiply_adds, 1)
    large = int(min(max(WORK_OF_A_STEP / work, BATCHES[0]), BATCHES[1]))
    config = replace(default_config(architecture, "random", "speed"), batch_size=large)
    steps = Steps(build_model(architecture, input_shape, classes, 0, precision, training=True),
                  config)
    rng = np.random.default_rng(0)
    count = min(3 * large, LOOKS)
    images = rng.integers(0, 256, (count, *input_shape), dtype=np.uint8)
    labels = rng.integers(0, classes, count)

    def step(size: int) -> Callable[[], Any]:
        return lambda: steps.train(images[:size], labels[:size], None)

    def look() -> Any:
        return steps.evaluate(images, labels)

    small = large // SMALLER
    for warm_up in (step(small), look, step(large)):  # traces the functions, fills caches
        warm_up()
    ready = time.perf_counter()
    times = [_median_seconds(action) for action in (step(small), step(large), look)]
    overhead, image = _line(small, times[0], large, times[1])
    return NetworkSpeed(architecture, max(ready - begin - sum(times), 0.0), overhead, image,
                        times[2] / count)


def _line(
    small: int, small_seconds: float, large: int, large_seconds: float
) -> tuple[float, float]:
    """Return seconds of a step and seconds of each of its images, from two sizes of steps.

    Timings of a busy computer can lie anywhere: no share is taken to be less than nothing.
    """
    image = (large_seconds - small_seconds) / (large - small)
    image = min(max(image, 0.5 * large_seconds / large), large_seconds / large)
    return max(large_seconds - large * image, 0.0), image


def _median_seconds(action: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


class _Others:
    """How much of the processor other programs use, from now on."""

    def __init__(self) -> None:
        self._begin = self._now()

    def share(self) -> float:
        """Return the share that others used since the beginning, 0 to 1."""
        seconds, busy, own = (b - a for a, b in zip(self._begin, self._now(), strict=True))
        return min(max((busy - own) / (seconds * usable_cores()), 0.0), 1.0)

    @staticmethod
    def _now() -> tuple[float, float, float]:
        times, own = psutil.cpu_times(), psutil.Process().cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        return time.monotonic(), time.monotonic() * psutil.cpu_count() - idle, own.user + own.system


def main(request: str) -> int:
    """Measure what the request asks for and print the answer; returns the exit status."""
    begin = time.perf_counter()
    try:
        asked = json.loads(request)
        run_in_background()
        start_tensorflow()
        import cnn.models.build  # noqa: F401  imports Keras, which is part of a run's start

        speeds = measure(tuple(asked["input_shape"]), asked["classes"], asked["architectures"],
                         time.perf_counter() - begin)
    except CnnError as error:
        sys.stdout.write(json.dumps({"error": error.to_dict()}) + "\n")
        return 1
    sys.stdout.write(json.dumps(speeds.to_dict()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
