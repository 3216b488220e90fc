"""Minutes to 80, 90, 92 and 94 % validation accuracy on CIFAR-10, three ways of training.

    python -m benchmarks.time_to_accuracy [--minutes 60] [--only ENTRY ...] [--processor] [--write]

- `speedrun` of CNN Studio, for several lengths: its rate falls to zero at the end of each;
- the usual Keras recipe: `vgg-bn` from Keras's own layers, Adam, halving on a plateau, and
  ImageDataGenerator with rotation 15, shifts 0.1 and mirroring, through `fit`;
- `speedrun` and its recipe in PyTorch, on the same batches.

`speedrun` trains in mixed bfloat16 where the processor has it, here and in PyTorch.

All train on the same 45,000 images and are measured on the same 5,000 others, seed 0. Time counts
training steps and the preparation of batches, not validation. Each entry runs in a process of its
own and is ended after so many minutes. With `--processor`, time is the processor time of the entry
divided by the number of processors: for a computer that does other things beside it; on a quiet one
that is a little less than the time of the clock. Needs requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.report import arguments, publish, table
from cnn.config import RunConfig
from cnn.hardware import has_bfloat16, start_tensorflow
from cnn.models.defaults import default_config

GOALS = (0.80, 0.90, 0.92, 0.94)
CLASSICAL_EPOCHS = 200  # more than any budget allows
VALIDATION_BATCH = 500
Say = Callable[[float, float], None]  # seconds of training so far, validation accuracy


def processor_seconds() -> float:
    """Return the processor time of this process as if it had kept all processors busy."""
    return time.process_time() / (os.cpu_count() or 1)


class Watch:
    """A stopwatch for the training parts of a process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.seconds, self.since = clock, 0.0, clock()

    def start(self) -> None:
        """Begin a part."""
        self.since = self.clock()

    def stop(self) -> None:
        """End the part that was begun last."""
        self.seconds += self.clock() - self.since


@dataclass(frozen=True)
class Entry:
    """One training."""

    name: str
    by: str  # ours, classical or torch
    epochs: int

    @property
    def precision(self) -> str:
        """In which it trains on this computer."""
        return "bfloat16" if self.by != "classical" and has_bfloat16() else "float32"

    @property
    def config(self) -> RunConfig:
        """The recipe of `speedrun`, which both makers of it follow."""
        return replace(default_config("speedrun", "cifar10", "time"), epochs=self.epochs,
                       precision=self.precision)


ENTRIES = (
    *(Entry(f"speedrun, {epochs} epochs", "ours", epochs) for epochs in (2, 4, 8, 16)),
    Entry("Keras, usual recipe", "classical", CLASSICAL_EPOCHS),
    *(Entry(f"PyTorch, {epochs} epochs", "torch", epochs) for epochs in (4, 8)),
)


def _data(config: RunConfig) -> Any:
    from cnn.data.catalogue import load
    from cnn.training.data import training_data

    return training_data(load(config.dataset), config)


def ours(entry: Entry, watch: Watch, say: Say) -> None:
    """Train as the trainer does."""
    start_tensorflow()
    from cnn.models.build import build_model
    from cnn.models.whitening import fit_whitening
    from cnn.training.events import BatchEvent, EpochEvent
    from cnn.training.loop import Trainer

    config = entry.config
    data = _data(config)
    model = build_model("speedrun", (32, 32, 3), 10, precision=config.precision, training=True)
    fit_whitening(model, data.train_images)

    def on_event(event: Any) -> None:
        if isinstance(event, BatchEvent) and event.batch == event.batches:
            watch.stop()
        elif isinstance(event, EpochEvent):
            say(watch.seconds, event.val_accuracy)
            watch.start()

    watch.start()
    Trainer(model, config, data, on_event).run()


def classical(entry: Entry, watch: Watch, say: Say) -> None:
    """Train as most Keras tutorials do."""
    start_tensorflow()
    import keras
    import tensorflow as tf

    from cnn.models.build import build_model

    data = _data(default_config("vgg-bn", "cifar10", "time"))
    model = build_model("vgg-bn", (32, 32, 3), 10)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    changed = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=15, width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True)
    batches = changed.flow(data.train_images, data.train_labels, batch_size=64, seed=0)
    plateau = keras.callbacks.ReduceLROnPlateau(patience=5, factor=0.5)

    class Told(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            watch.start()

        def on_test_begin(self, logs: Any = None) -> None:
            watch.stop()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            say(watch.seconds, (logs or {})["val_accuracy"])

    model.fit(batches, epochs=entry.epochs, verbose=0, callbacks=[plateau, Told()],
              validation_data=(data.val_images, data.val_labels))


def pytorch(entry: Entry, watch: Watch, say: Say) -> None:
    """Train the recipe of `speedrun` in PyTorch."""
    import torch

    from benchmarks.torch_networks import speedrun, start_as_here, train_step
    from cnn.data.batches import Batches

    torch.manual_seed(0)
    config = entry.config
    data = _data(config)
    source = Batches(data.train_images, data.train_labels, config.batch_size,
                     config.augmentation, config.seed)
    model = speedrun().to(memory_format=torch.channels_last)
    start_as_here(model, data.train_images)
    step = train_step(model, config, entry.epochs * source.count)
    for epoch in range(1, entry.epochs + 1):
        watch.start()
        model.train()
        for batch in source.of(epoch):
            step(batch.images, batch.labels)
        watch.stop()
        say(watch.seconds, _accuracy(model, data.val_images, data.val_labels))


def _accuracy(model: Any, images: Any, labels: Any) -> float:
    import torch

    from benchmarks.torch_networks import to_tensor

    model.eval()
    right = 0
    with torch.no_grad():
        for begin in range(0, len(labels), VALIDATION_BATCH):
            part = slice(begin, begin + VALIDATION_BATCH)
            answers = model(to_tensor(images[part])).argmax(1).numpy()
            right += int((answers == labels[part]).sum())
    return right / len(labels)


TRAINERS = {"ours": ours, "classical": classical, "torch": pytorch}


def in_own_process(
    entry: Entry, minutes: float, more: list[str]
) -> list[tuple[float, float]]:
    """Return (seconds, accuracy) after each epoch that fits into so many minutes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.time_to_accuracy", "--entry", entry.name, *more],
        stdout=subprocess.PIPE, text=True)
    points: list[tuple[float, float]] = []
    for line in process.stdout or ():
        seconds, accuracy = json.loads(line)
        print(f"{entry.name}: {seconds:.0f} s, {accuracy:.2%}", file=sys.stderr)
        points.append((seconds, accuracy))
        if seconds > 60 * minutes:
            process.kill()
            break
    process.wait()
    return points


def _row(entry: Entry, points: list[tuple[float, float]]) -> list[object]:
    times = [next((f"{s / 60:.1f}" for s, accuracy in points if accuracy >= goal), "-")
             for goal in GOALS]
    best = max((accuracy for _, accuracy in points), default=0.0)
    minutes = points[-1][0] / 60 if points else 0.0
    return [entry.name, entry.precision, *times, f"{best:.2%}", len(points), f"{minutes:.1f}"]


def main() -> None:
    """Train one entry, or all and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="of training for each entry")
    parser.add_argument("--only", nargs="*", default=[entry.name for entry in ENTRIES])
    parser.add_argument("--processor", action="store_true", help="measure processor time")
    parser.add_argument("--entry", help=argparse.SUPPRESS)
    options = parser.parse_args()
    known = {entry.name: entry for entry in ENTRIES}
    if options.entry:
        entry = known[options.entry]
        watch = Watch(processor_seconds if options.processor else time.perf_counter)
        TRAINERS[entry.by](entry, watch, lambda *point: print(json.dumps(point), flush=True))
        return
    more = ["--processor"] if options.processor else []
    rows = [_row(known[name], in_own_process(known[name], options.minutes, more))
            for name in options.only]
    head = ["training", "precision", *(f"min to {goal:.0%}" for goal in GOALS), "best validation",
            "epochs", "min in all"]
    command = ["python -m benchmarks.time_to_accuracy", f"--minutes {options.minutes:g}", *more]
    publish("time-to-accuracy", " ".join(command), table(head, rows), options.write)


if __name__ == "__main__":
    main()
