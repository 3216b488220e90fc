"""Images per second of training steps: CNN Studio, plain Keras `fit` and PyTorch, same networks.

    python -m benchmarks.training_speed [--rounds 2] [--only NETWORK ...] [--write]

Every entry runs in a process of its own, in rounds, so that a slow minute of the machine meets all
of them; each row is the best of its rounds. Data are random uint8 images that are prepared as in a
training. The last columns say how much of the machine's own matrix-product rate the steps reach,
counting three times the forward arithmetic. Needs requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.report import arguments, publish, table
from cnn.config import RunConfig
from cnn.hardware import has_bfloat16, start_tensorflow
from cnn.models.defaults import default_config
from cnn.models.summary import summarise

SHAPE, CLASSES = (32, 32, 3), 10
IMAGES = 4000
BATCHES = {"vgg-bn": 500, "speedrun": 500}
WARM_STEPS = 3
SECONDS = 15.0  # of measured steps
MATRIX = 2048  # side of the matrices that measure the machine
OURS, KERAS, TORCH = "CNN Studio", "Keras fit", "PyTorch"
MODES = {OURS: ("float32", "bfloat16"), KERAS: ("float32",),
         TORCH: ("float32", "bfloat16", "float32 compiled", "bfloat16 compiled")}


def entries(networks: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield network, maker and mode of all entries; bfloat16 only where it is not emulated."""
    for network in networks:
        for maker, modes in MODES.items():
            for mode in modes:
                if mode.startswith("float32") or has_bfloat16():
                    yield network, maker, mode


def timed(step: Callable[[], None], images: int, warm_up: int = WARM_STEPS) -> float:
    """Return images per second of a step, after some that warm up."""
    for _ in range(warm_up):
        step()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        step()
        done += images
    return done / (time.perf_counter() - start)


def _data(network: str) -> tuple[Any, Any, RunConfig]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, *SHAPE), dtype=np.uint8)
    config = default_config(network, "cifar10", "speed")
    return images, rng.integers(0, CLASSES, IMAGES), config


def ours(network: str, mode: str) -> float:
    """Measure the steps of the trainer, with the batches that feed them."""
    start_tensorflow()
    from cnn.data.batches import Batches
    from cnn.models.build import build_model
    from cnn.models.whitening import fit_whitening
    from cnn.training.steps import Steps

    images, labels, config = _data(network)
    size = BATCHES[network]
    model = build_model(network, SHAPE, CLASSES, precision=mode, training=True)
    fit_whitening(model, images)
    steps = Steps(model, config)
    source = Batches(images, labels, size, config.augmentation, 0)
    stream = (batch for epoch in range(1, 10_000) for batch in source.of(epoch))

    def step() -> None:
        batch = next(stream)
        steps.train(batch.images, batch.labels, batch.transforms)

    return timed(step, size)


def keras_fit(network: str, mode: str) -> float:
    """Measure `fit` with Keras's own layers and optimizers, without augmentation."""
    start_tensorflow()
    import keras

    from cnn.models.build import build_model

    images, labels, _ = _data(network)
    model = build_model(network, SHAPE, CLASSES)
    kind = keras.optimizers.Adam(1e-3) if network == "vgg-bn" else keras.optimizers.SGD(
        1e-3, momentum=0.85, nesterov=True)
    model.compile(kind, "sparse_categorical_crossentropy")
    size = BATCHES[network]
    count = IMAGES // size * size

    def epoch() -> None:
        model.fit(images[:count], labels[:count], batch_size=size, epochs=1, verbose=0)

    return timed(epoch, count, warm_up=1)  # an epoch of `fit` is many steps


def pytorch(network: str, mode: str) -> float:
    """Measure PyTorch in channels-last layout, without augmentation."""
    import torch

    from benchmarks.torch_networks import NETWORKS, optimizers

    images, labels, _ = _data(network)
    data = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(
        memory_format=torch.channels_last)
    targets = torch.from_numpy(labels)
    model = NETWORKS[network]().to(memory_format=torch.channels_last)
    run = torch.compile(model) if mode.endswith("compiled") else model
    workers, size = optimizers(network, model), BATCHES[network]
    parts = iter(range(10**9))

    def step() -> None:
        begin = next(parts) * size % (IMAGES // size * size)
        values = data[begin:begin + size].float() / 255
        with torch.autocast("cpu", torch.bfloat16, enabled=mode.startswith("bfloat16")):
            logits = run(values)
        loss = torch.nn.functional.cross_entropy(logits.float(), targets[begin:begin + size])
        loss.backward()
        for worker in workers:
            worker.step()
            worker.zero_grad(set_to_none=True)

    return timed(step, size)


def matrix_rate() -> float:
    """Return the machine's rate of float32 matrix products, in GFLOP/s: the best of some."""
    start_tensorflow()
    import tensorflow as tf

    matrix = tf.random.normal((MATRIX, MATRIX))
    product = tf.function(lambda x: tf.matmul(x, x))
    times = []
    for _ in range(12):
        start = time.perf_counter()
        product(matrix).numpy()
        times.append(time.perf_counter() - start)
    return 2 * MATRIX**3 / min(times) / 1e9


MAKERS = {OURS: ours, KERAS: keras_fit, TORCH: pytorch}


def in_own_process(*words: str) -> float:
    """Return the figure that this script prints for one entry, 0 if it fails."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.training_speed", "--entry", *words],
                          check=False, capture_output=True, text=True)
    if done.returncode:
        print(f"{' '.join(words)}: {done.stderr[-500:]}", file=sys.stderr)
        return 0.0
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure one entry, or all and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(BATCHES))
    parser.add_argument("--entry", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.entry is not None:
        name, *rest = options.entry
        print(json.dumps(MAKERS[rest[0]](name, rest[1]) if rest else matrix_rate()))
        return
    rates, best = [], dict.fromkeys(entries(options.only), 0.0)
    for _ in range(options.rounds):
        rates.append(in_own_process("matrix"))
        for entry in best:
            best[entry] = max(best[entry], in_own_process(*entry))
    publish("training-speed", "python -m benchmarks.training_speed",
            _table(best, max(rates)), options.write)


def _table(best: dict[tuple[str, str, str], float], rate: float) -> str:
    rows: list[list[object]] = []
    for (network, maker, mode), speed in best.items():
        own = max(v for (n, m, _), v in best.items() if n == network and m == OURS)
        work = 6 * summarise(network, SHAPE, CLASSES).multiply_adds * speed / 1e9
        rows.append([f"`{network}`", maker, mode, f"{speed:.0f}", f"{own / max(speed, 1e-9):.2f}",
                     f"{work:.0f}", f"{work / rate:.0%}"])
    head = ["network", "by", "precision", "images/s", "CNN Studio is so many times faster",
            "GFLOP/s", "of the matrix rate"]
    return f"{table(head, rows)}\n\nMatrix products of {MATRIX}×{MATRIX}: {rate:.0f} GFLOP/s."


if __name__ == "__main__":
    main()
