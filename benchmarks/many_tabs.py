"""What 1 and 20 tabs that watch one run cost the server, and whether all of them stay live.

    python -m benchmarks.many_tabs [--seconds 30] [--write]

A run on the bundled digits trains meanwhile, on the same processor as server and browser. A tab is
as far behind as its epoch is behind the one the trainer is in at that moment, in seconds of
training; it asks every two seconds. Also told is what it costs the trainer to write what they show:
an event, timed alone, four times a second, which is the most that it writes.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import sync_playwright

from benchmarks.dashboard_process import CHROMIUM_ARGS, dashboard
from benchmarks.live_page import processor_seconds
from benchmarks.report import arguments, publish, table
from cnn.config import RunConfig
from cnn.runs.event_writer import EventWriter
from cnn.runs.folder import RunFolder
from cnn.runs.manager import get_run, start_run, wait_until_ended
from cnn.runs.steering import stop_run
from cnn.training.events import BatchEvent
from cnn.training.loop import SECONDS_BETWEEN_EVENTS

TABS = (1, 20)
PATIENCE = 600.0
WRITES = 2000


def seconds_behind(pages: list[Any], folder: RunFolder) -> list[float]:
    """Return how far each tab is behind the trainer, in seconds of training."""
    behind = []
    for page in pages:
        shown = page.get_by_text(re.compile(r"Epoch \d+ of")).first.inner_text()
        epoch = int(re.search(r"Epoch (\d+)", shown)[1])  # type: ignore[index]
        told = [event for event in folder.read_events()[0] if event["kind"] == "epoch"]
        ended = {event["epoch"]: event["seconds"] for event in told}
        behind.append(max(0.0, told[-1]["seconds"] - ended.get(epoch, told[-1]["seconds"])))
    return behind


def watched(count: int, browser: Any, url: str, server: psutil.Process, folder: RunFolder,
            seconds: float) -> list[str]:
    """Return a row of the table."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    pages = [context.new_page() for _ in range(count)]
    for page in pages:
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(f"{url}/train?run={folder.run_id}")
        page.get_by_test_id("stEChartsChart").nth(1).wait_for()
    begin, used = time.monotonic(), processor_seconds(server)
    time.sleep(seconds)
    share = (processor_seconds(server) - used) / (time.monotonic() - begin)
    behind = seconds_behind(pages, folder)
    context.close()
    return [str(count), f"{100 * share:.1f} %", f"{statistics.median(behind):.1f} s",
            f"{max(behind):.1f} s"]


def writing_share(folder: Path) -> float:
    """Return the share of a trainer's time that its events take."""
    writer, event = EventWriter(folder / "metrics.jsonl"), BatchEvent(
        1, 10, 100, 1.2345678, 0.5, 0.001, 1234.5, 12.3, 123.4)
    begin = time.perf_counter()
    for _ in range(WRITES):
        writer.write(event)
    return (time.perf_counter() - begin) / WRITES / SECONDS_BETWEEN_EVENTS


def measure(seconds: float) -> str:
    """Return the table."""
    config = RunConfig("digits", "base", "watched", epochs=10_000)
    with dashboard({}) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(CHROMIUM_ARGS))
        run_id = start_run(config)
        try:
            while get_run(run_id).status.epoch < 3:
                time.sleep(0.2)
            folder, process = get_run(run_id).folder, psutil.Process(server.process.pid)
            rows = [watched(count, browser, server.url, process, folder, seconds)
                    for count in TABS]
        finally:
            stop_run(run_id)
            wait_until_ended(run_id, PATIENCE)
    return table(["tabs", "server, of one core", "behind, median", "behind, worst"], rows)


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(CNN_RUNS_DIR=f"{folder}/runs", CNN_MODELS_DIR=f"{folder}/models",
                          CNN_DATA_DIR=f"{folder}/data")
        share = writing_share(Path(folder))
        body = measure(options.seconds)
    publish("many-tabs", f"python -m benchmarks.many_tabs --seconds {options.seconds:g}",
            f"{body}\n\nWriting events takes {100 * share:.3f} % of the training time.",
            options.write)


if __name__ == "__main__":
    main()
