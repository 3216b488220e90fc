"""How quickly saved models answer: one picture on one core, many on all cores, and by the engine.

    python -m benchmarks.prediction [MODEL ...] [--seconds S] [--write]

"One picture" is what the engine does for a photo of 640x480 that is decoded already: resizing and
network. Each model is measured in processes of its own, one of them bound to a single core. The
second table is what callers of the engine wait: with decoding, and the way there and back. There
"with pictures" also makes the preview and shows what the network saw, as the Predict page needs it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing

import numpy as np
from PIL import Image

from benchmarks.report import arguments, publish, table
from cnn.data.images import encode_png
from cnn.hardware import start_tensorflow
from cnn.prediction.batching import MOST_PICTURES
from cnn.prediction.client import EngineClient
from cnn.prediction.saved import MODEL_FILE, list_models, model_folder, read_card

ANSWERS = 60
WARM = 5
MANY = 2000
ROUND_TRIPS = 200
BATCHES = 20
ONE_CORE = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def one_picture(name: str, average: bool) -> float:
    """Return the median seconds for one picture."""
    from cnn.prediction.predictor import Predictor

    predictor = Predictor(name)
    photo = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    times = []
    for _ in range(WARM + ANSWERS):
        start = time.perf_counter()
        predictor.predict([photo], average=average)
        times.append(time.perf_counter() - start)
    return statistics.median(times[WARM:])


def many_pictures(name: str) -> float:
    """Return images per second for ready arrays."""
    from cnn.prediction.predictor import predict_arrays
    from cnn.prediction.saved import load_network

    network = load_network(name)
    images = np.zeros((MANY, *read_card(name).input_shape), np.uint8)
    predict_arrays(network, images[:WARM])
    start = time.perf_counter()
    predict_arrays(network, images)
    return MANY / (time.perf_counter() - start)


def measure(name: str, what: str) -> float:
    """Return one figure, measured in this process."""
    if what != "many" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    start_tensorflow()
    return many_pictures(name) if what == "many" else one_picture(name, what == "averaged")


def in_own_process(name: str, what: str) -> float:
    """Return one figure, measured in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.prediction", name, "--what", what], check=True,
        capture_output=True, text=True, env={**os.environ, **({} if what == "many" else ONE_CORE)})
    return float(json.loads(done.stdout.splitlines()[-1]))


def median_ms(ask: Callable[[], object], seconds: float) -> str:
    """Return the median of `ROUND_TRIPS` calls, or of as many as fit into the time, with its n."""
    ask()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < ROUND_TRIPS and (time.perf_counter() < end or not times):
        begin = time.perf_counter()
        ask()
        times.append(time.perf_counter() - begin)
    return f"{statistics.median(times) * 1e3:.1f} ms of {len(times)}"


def pictures(side: int) -> tuple[bytes, bytes]:
    """Return a PNG of the network's size, and a JPEG of 12 megapixels as phones take them."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
    coarse = Image.fromarray(random.integers(0, 256, (300, 400, 3), dtype=np.uint8))
    photo = io.BytesIO()
    coarse.resize((4000, 3000), Image.Resampling.BICUBIC).save(photo, "JPEG", quality=85)
    return encode_png(small), photo.getvalue()


def through_the_engine(name: str, seconds: float) -> list[object]:
    """Return a row of the second table."""
    png, photo = pictures(read_card(name).input_shape[0])
    with closing(EngineClient()) as engine:
        engine.predict(name, [png])
        single = median_ms(lambda: engine.predict(name, [png]), seconds)
        shown = median_ms(lambda: engine.predict(name, [photo], pictures=True), seconds)
        count, begin = 0, time.perf_counter()
        while count < BATCHES * MOST_PICTURES and time.perf_counter() < begin + seconds:
            engine.predict(name, [png] * MOST_PICTURES)
            count += MOST_PICTURES
        rate = count / (time.perf_counter() - begin)
    return [f"`{name}`", single, shown, f"{rate:,.0f} of {count}"]


def main() -> None:
    """Measure one figure, or all and publish."""
    parser = arguments(__doc__)
    parser.add_argument("models", nargs="*", help="saved models (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0,
                        help="at most, for each figure of the engine (default: 60)")
    parser.add_argument("--what", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.what:
        print(json.dumps(measure(options.models[0], options.what)))
        return
    names = options.models or [model.name for model in list_models() if model.card]
    rows: list[list[object]] = []
    for name in names:
        size = (model_folder(name) / MODEL_FILE).stat().st_size / 1e6
        plain, averaged, many = (
            in_own_process(name, what) for what in ("plain", "averaged", "many"))
        rows.append([f"`{name}`", f"{size:.1f} MB", f"{plain * 1e3:.1f} ms",
                     f"{averaged * 1e3:.1f} ms", f"{many:,.0f}"])
    head = ["model", "file", "one picture, one core", "averaged, all views",
            f"images/s in batches, {os.cpu_count()} cores"]
    engine_head = ["model", "engine, one PNG of its size", "12-megapixel JPEG with pictures",
                   f"images/s, PNGs in batches of {MOST_PICTURES}"]
    engine_rows = [through_the_engine(name, options.seconds) for name in names]
    body = f"{table(head, rows)}\n\n{table(engine_head, engine_rows)}"
    publish("prediction", "python -m benchmarks.prediction", body, options.write)


if __name__ == "__main__":
    main()
