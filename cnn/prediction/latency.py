"""How long a saved model takes to answer, on this computer and through the engine.

Knows neither TensorFlow nor pages.
"""

from __future__ import annotations

import statistics
import time
from typing import Protocol

import numpy as np

from cnn.data.images import encode_png
from cnn.prediction.client import Prediction
from cnn.prediction.saved import read_card

WARM_UPS = 3  # the first loads the model and traces its graph
ANSWERS = 15


class Answers(Protocol):
    """What is asked: the engine's client, or what stands for it."""

    def predict(self, model: str, images: list[bytes]) -> list[Prediction]:
        """Classify encoded images."""


def measure_latency(engine: Answers, model: str) -> float:
    """Return the median seconds from a question about one small picture to its answer.

    Args:
        engine: Is asked eighteen times, one after the other.
        model: Name of a saved model.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine cannot be started.
    """
    height, width, channels = read_card(model).input_shape
    noise = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    picture = encode_png(noise)
    seconds = []
    for _ in range(WARM_UPS + ANSWERS):
        begin = time.perf_counter()
        answer, = engine.predict(model, [picture])
        seconds.append(time.perf_counter() - begin)
        if answer.error:
            raise answer.error
    return statistics.median(seconds[WARM_UPS:])
