"""How long a step of the time machine takes, what snapshots cost a trainer, and a heat map.

    python -m benchmarks.time_machine [--runs 9] [--write]

A step is from the key to the whole page in Chromium, each time to an epoch that nobody looked at
before; "one after the other" is a key as soon as the page stands, "with a pause" half a second
later. Snapshots are of the shipped models, the weights a little less of themselves in each epoch.
"Grad-CAM" is what a page waits for at the engine: a PNG of the network's size there, answer and
heat maps of two classes back.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from benchmarks.browser import Whole, after, line, measured, opened, text_of, visiting
from benchmarks.report import arguments, publish
from cnn.config import RunConfig
from cnn.data.catalogue import load
from cnn.data.images import encode_png
from cnn.prediction.client import EngineClient
from cnn.prediction.reasons import ask_heat
from cnn.prediction.saved import Card, load_network, read_card
from cnn.runs.event_writer import EventWriter
from cnn.runs.folder import RunFolder, Status
from cnn.runs.looking_back import Keepsakes
from cnn.training.events import EpochEvent
from cnn.training.snapshots import About, snapshot_bytes

MODELS = ("cifar10-speedrun", "digits-base")
HEAT_MODELS = ("cifar10-flagship", "cifar10-speedrun", "digits-base")
STEP_LIMIT, HEAT_LIMIT = 300, 150  # ms
PAUSE = 0.5  # seconds
VALIDATION = 1000
WORDS = Whole("[data-testid=stCaptionContainer]", place=-1)


def write_run(folder: RunFolder, card: Card, epochs: int) -> None:
    """Write a finished run with a snapshot of each epoch."""
    folder.path.mkdir(parents=True)
    folder.write_config(RunConfig(card.dataset, card.architecture, "past", epochs=epochs), "")
    folder.write_status(Status(state="finished", epoch=epochs))
    height, width, channels = card.input_shape
    about = About(card.architecture, (height, width, channels), tuple(card.class_names),
                  card.dataset, card.resize, card.dark_background)
    weights = load_network(card.name).get_weights()
    random, labels = np.random.default_rng(0), np.arange(VALIDATION) % len(card.class_names)
    for epoch in range(1, epochs + 1):
        wrong = random.random(VALIDATION) < 0.5 / epoch
        answers = np.where(wrong, (labels + 1) % len(card.class_names), labels)
        share = 0.9 ** (epochs - epoch)
        folder.snapshots.write(epoch, snapshot_bytes(
            [share * value for value in weights], about, answers, labels))
        EventWriter(folder.metrics_file).write(EpochEvent(
            epoch, 1 / epoch, 0.5, 1 / epoch, float((answers == labels).mean()), 0.1, 9.0,
            2.0 * epoch, True))


def steps(page: Page, url: str, run_id: str, count: int, pause: float) -> list[float]:
    """Return how long steps of the slider take, the first of a visit left out."""
    opened(page, f"{url}/inside?view=Time+machine&run={run_id}",
           Whole("[data-testid=stEChartsChart] canvas", 3))
    slider = page.get_by_role("slider")
    slider.focus()
    times = []
    for _ in range(count + 1):
        page.wait_for_timeout(1000 * pause)
        want = Whole(WORDS.selector, instead=text_of(page, WORDS), place=-1)
        times.append(after(page, "keydown", lambda: slider.press("ArrowLeft"), want))
    return times[1:]


class _Still:
    """A network whose weights are read, as a trainer's."""

    def __init__(self, model: Any) -> None:
        self.get_weights = model.get_weights


def keeping(folder: RunFolder, card: Card, epochs: int) -> tuple[list[float], list[float]]:
    """Return the ms for which a trainer is held up by each snapshot, and the ms until it lies."""
    data, model = load(card.dataset), load_network(card.name)
    labels = np.arange(VALIDATION) % len(card.class_names)
    keepsakes = Keepsakes(folder, card.architecture, data, labels, print)
    held, whole = [], []
    for epoch in range(1, epochs + 1):
        begin = time.perf_counter()
        keepsakes.keep(epoch, _Still(model), labels)
        held.append(1e3 * (time.perf_counter() - begin))
        keepsakes.finish()
        whole.append(1e3 * (time.perf_counter() - begin))
    return held, whole


def heat(name: str, runs: int) -> list[float]:
    """Return how long the engine takes for heat maps of one picture."""
    card = read_card(name)
    random = np.random.default_rng(0)
    times = []
    with closing(EngineClient()) as engine:
        for _ in range(runs + 2):  # the first loads, the second may still trace
            picture = encode_png(random.integers(0, 256, card.input_shape, dtype=np.uint8))
            begin = time.perf_counter()
            ask_heat(engine, name, picture)
            times.append(1e3 * (time.perf_counter() - begin))
    return times[2:]


def measure_steps(place: Path, runs: int) -> list[list[object]]:
    """Return the lines of the slider."""
    lines = []
    for name in MODELS:
        for number in (1, 2):
            write_run(RunFolder(place / "runs" / f"2026010{number}-000000-{name}"),
                      read_card(name), runs + 3)
    with visiting({"CNN_RUNS_DIR": str(place / "runs")}) as (page, url):
        for name in MODELS:
            for number, pause in ((1, 0.0), (2, PAUSE)):
                times = steps(page, url, f"2026010{number}-000000-{name}", runs, pause)
                how = "with a pause" if pause else "one after the other"
                lines.append(line(f"step of the time machine, `{name}`, {how}", times,
                                  STEP_LIMIT))
    return lines


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        lines = measure_steps(place, options.runs)
        for name in HEAT_MODELS:
            lines.append(line(f"Grad-CAM of one image, `{name}`", heat(name, options.runs),
                              HEAT_LIMIT))
        for name in MODELS:
            held, whole = keeping(RunFolder(place / name), read_card(name), options.runs)
            lines.append(line(f"a snapshot of `{name}`: the trainer waits", held))
            lines.append(line(f"a snapshot of `{name}`: until it is on the disk", whole))
    publish("time-machine", "python -m benchmarks.time_machine", measured(lines),
            options.write)


if __name__ == "__main__":
    main()
