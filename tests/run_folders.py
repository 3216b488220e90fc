"""Run folders for tests: what a trainer leaves, without a trainer."""

from __future__ import annotations

import time
from typing import Any

from cnn.config import RunConfig
from cnn.models.defaults import command_line
from cnn.paths import runs_dir
from cnn.runs.event_writer import EventWriter
from cnn.runs.folder import RunFolder, Status
from cnn.training.events import BatchEvent, EpochEvent, Event


def write_run(run_id: str = "20260102-030405-first", epochs: int = 2, name: str = "first",
              **status: Any) -> RunFolder:
    """Write a run with some finished epochs; the second one is the best."""
    folder = RunFolder(runs_dir() / run_id)
    folder.path.mkdir(parents=True)
    config = RunConfig("digits", "base", name, epochs=5, seed=3)
    folder.write_config(config, command_line(config))
    folder.write_status(Status(**{"created": time.time(), "started": time.time(),
                                  "stage": "training", "epoch": epochs, **status}))
    folder.log_file.write_text("epoch 1/5\nlast words\n")
    for epoch in range(1, epochs + 1):
        write_epoch(folder, epoch)
    return folder


def write_epoch(folder: RunFolder, epoch: int) -> None:
    """Append what a trainer tells of one epoch."""
    tell(folder, BatchEvent(epoch, 21, 21, 0.9 / epoch, 0.8, 0.001, 1500.0, 2.0 * epoch, 61))
    tell(folder, EpochEvent(epoch, 1 / epoch, 0.75, 1.1 / epoch, 0.7, 0.001, 1400.0,
                                   2.5 * epoch, epoch <= 2))


def tell(folder: RunFolder, event: Event) -> None:
    """Append an event, as a trainer does."""
    EventWriter(folder.metrics_file).write(event)
