"""What watching costs: the same training with and without the live page open in a browser.

    python -m benchmarks.live_page [--pairs 3] [--write]

Alternates, in each pair, a training with a dashboard whose Train page is open in Chromium (on this
same machine, so the browser's own work counts too) and one with neither server nor browser.
Compares the images per second of the training steps that the trainer itself reports, as the median
over its epochs but the first three, in which server, engine and browser start.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from contextlib import ExitStack

from playwright.sync_api import sync_playwright

from benchmarks.dashboard_process import CHROMIUM_ARGS, dashboard
from benchmarks.report import arguments, publish, table
from cnn.config import RunConfig
from cnn.runs.manager import start_run, wait_until_ended

PATIENCE = 3600.0
EPOCHS = 12
STARTING_EPOCHS = 3
TRAIN_IMAGES = 10_000  # many short epochs, so that a hiccup of the machine touches few of them


def train(number: int, watched: bool) -> float:
    """Return the images per second of one training."""
    name = f"live-{number}-{'page' if watched else 'alone'}"
    config = RunConfig(dataset="cifar10", architecture="base", name=name, epochs=EPOCHS,
                       train_images=TRAIN_IMAGES)
    with ExitStack() as stack:
        server = stack.enter_context(dashboard({})) if watched else None
        run_id = start_run(config)
        if server:
            playwright = stack.enter_context(sync_playwright())
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=list(CHROMIUM_ARGS))
            browser.new_page().goto(f"{server.url}/train?run={run_id}")
        run = wait_until_ended(run_id, PATIENCE)
    if run.status.state != "finished":
        raise SystemExit(f"{run_id}: {run.status.state} {run.status.message}")
    events = [event for event in run.folder.read_events()[0] if event["kind"] == "epoch"]
    return statistics.median(event["images_per_second"] for event in events[STARTING_EPOCHS:])


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(CNN_RUNS_DIR=f"{folder}/runs", CNN_MODELS_DIR=f"{folder}/models")
        pairs = [(train(n, False), train(n, True)) for n in range(options.pairs)]
    rows: list[list[object]] = [
        [n + 1, f"{alone:.0f}", f"{watched:.0f}", f"{100 * (1 - watched / alone):+.1f} %"]
        for n, (alone, watched) in enumerate(pairs)]
    loss = statistics.median(1 - watched / alone for alone, watched in pairs)
    rows.append(["median", "", "", f"{100 * loss:+.1f} %"])
    body = table(["pair", "no page, images/s", "live page open, images/s", "slower"], rows)
    publish("live-page", f"python -m benchmarks.live_page --pairs {options.pairs}", body,
            options.write)


if __name__ == "__main__":
    main()
