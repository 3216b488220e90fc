"""What watching costs: a training's speed with and without its live page open in a browser.

    python -m benchmarks.live_page [--pairs 12] [--write]

One training, during which the Train page is open in Chromium (on this same machine, so the
browser's own work counts too) for a few epochs, then closed for as many, and so on. Each stretch
with the page is compared with the mean of the two around it, so that a machine whose speed drifts
does not spoil the comparison. Two measures:

- the images per second of the training steps that the trainer itself reports, as the median over
  the epochs of a stretch but its first, in which the page is opened or closed;
- the processor time of the server (with its engine) and of the browser in the same epochs, which
  other work on the machine can hardly change.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
from playwright.sync_api import sync_playwright

from benchmarks.dashboard_process import CHROMIUM_ARGS, dashboard
from benchmarks.report import arguments, publish, table
from cnn.config import RunConfig
from cnn.runs.folder import RunFolder
from cnn.runs.manager import get_run, start_run, wait_until_ended
from cnn.runs.steering import stop_run

PATIENCE = 600.0
TRAIN_IMAGES = 10_000  # short epochs
EPOCHS = 4  # of a stretch, with the first, which is not measured
STARTING_EPOCHS = 3  # server, engine and browser start in them


@dataclass(frozen=True)
class Stretch:
    """Some epochs in a row, with the page open or closed."""

    speed: float  # images per second
    server: float  # processor seconds per second
    browser: float


class Watch:
    """Follows a run from epoch to epoch, and the processes that show it."""

    def __init__(self, folder: RunFolder, server: psutil.Process, browser: psutil.Process) -> None:
        self.folder = folder
        self.processes = (server, browser)
        self.offset = 0

    def wait(self, count: int) -> list[dict[str, Any]]:
        """Return the next epochs to end.

        Raises:
            SystemExit: If the run ends before.
        """
        found: list[dict[str, Any]] = []
        while len(found) < count:
            time.sleep(0.2)
            events, self.offset = self.folder.read_events(self.offset)
            found += [event for event in events if event["kind"] == "epoch"]
            if not get_run(self.folder.run_id).active:
                raise SystemExit(f"the training has ended: {self.folder.log_tail()}")
        return found

    def stretch(self) -> Stretch:
        """Measure from the end of the epoch that is under way."""
        self.wait(1)
        begin, used = time.monotonic(), [processor_seconds(tree) for tree in self.processes]
        ended = self.wait(EPOCHS - 1)
        wall = time.monotonic() - begin
        server, browser = ((processor_seconds(tree) - before) / wall
                           for tree, before in zip(self.processes, used, strict=True))
        return Stretch(statistics.median(epoch["images_per_second"] for epoch in ended),
                       server, browser)


def processor_seconds(process: psutil.Process) -> float:
    """Return the processor time of a process and of all below it."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += sum(one.cpu_times()[:2])
    return total


def chromium_process() -> psutil.Process:
    """Return the first process of the browser that was started here."""
    return next(child for child in psutil.Process().children(recursive=True)
                if "chrom" in child.name())


def measure(pairs: int) -> list[Stretch]:
    """Return stretches in turn without and with the page; the first and the last are without."""
    config = RunConfig(dataset="cifar10", architecture="base", name="live", epochs=10_000,
                       train_images=TRAIN_IMAGES)
    with dashboard({}) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(CHROMIUM_ARGS))
        run_id = start_run(config)
        try:
            watch = Watch(get_run(run_id).folder, psutil.Process(server.process.pid),
                          chromium_process())
            watch.wait(STARTING_EPOCHS)
            stretches = [watch.stretch()]
            for _ in range(pairs):
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(f"{server.url}/train?run={run_id}")
                page.get_by_test_id("stEChartsChart").nth(1).wait_for()
                stretches.append(watch.stretch())
                page.close()
                stretches.append(watch.stretch())
        finally:
            stop_run(run_id)
            wait_until_ended(run_id, PATIENCE)
    return stretches


def report(stretches: Sequence[Stretch]) -> str:
    """Return a row for each stretch with the page, and what they say together."""
    rows: list[list[object]] = []
    slower: list[float] = []
    for before, watched, after in zip(
            stretches[:-1:2], stretches[1::2], stretches[2::2], strict=True):
        alone = (before.speed + after.speed) / 2
        slower.append(1 - watched.speed / alone)
        rows.append([len(rows) + 1, f"{alone:.0f}", f"{watched.speed:.0f}",
                     f"{100 * slower[-1]:+.1f} %", *_shares(watched)])
    rows.append(["median", *(f"{statistics.median(s.speed for s in stretches[start::2]):.0f}"
                             for start in (0, 1)),
                 f"{100 * statistics.median(slower):+.1f} %", *_shares(_median(stretches[1::2]))])
    error = statistics.stdev(slower) / len(slower) ** 0.5 if len(slower) > 1 else float("nan")
    idle = _median(stretches[::2])
    return (table(["pair", "page closed, images/s", "live page open, images/s", "slower",
                   "server, share of the machine", "browser, share of the machine"], rows)
            + f"\n\nMean {100 * statistics.mean(slower):+.1f} %, standard error "
              f"{100 * error:.1f} %. With the page closed the server took {_shares(idle)[0]} and "
              f"the browser {_shares(idle)[1]} of the machine.")


def _median(stretches: Sequence[Stretch]) -> Stretch:
    return Stretch(*(statistics.median(getattr(stretch, name) for stretch in stretches)
                     for name in ("speed", "server", "browser")))


def _shares(stretch: Stretch) -> list[str]:
    return [f"{100 * seconds / (os.cpu_count() or 1):.1f} %"
            for seconds in (stretch.server, stretch.browser)]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--pairs", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(CNN_RUNS_DIR=f"{folder}/runs", CNN_MODELS_DIR=f"{folder}/models")
        body = report(measure(options.pairs))
    publish("live-page", f"python -m benchmarks.live_page --pairs {options.pairs}", body,
            options.write)


if __name__ == "__main__":
    main()
