"""How long the Compare page takes with twenty runs, in a browser.

    python -m benchmarks.compare_page [--runs 7] [--write]

The runs are made of one small one, a shipped model of digits: each has a configuration of its own,
30 epochs and 1,800 progress events; sixteen came to a model, four were interrupted. What a time is:
see `browser`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page

from benchmarks.browser import (
    Whole,
    after,
    line,
    measured,
    opened,
    text_of,
    visiting,
    wait_for_engine,
)
from benchmarks.evaluate_page import from_home
from benchmarks.report import arguments, publish
from cnn.config import config_from_dict
from cnn.data.catalogue import load
from cnn.files import atomic_write_json
from cnn.paths import PROJECT
from cnn.prediction.saved import CARD_FILE, HISTORY_FILE, MODEL_FILE, read_card
from cnn.runs.folder import RunFolder, Status
from cnn.training.events import BatchEvent, EpochEvent
from pages.shared.compare_charts import MOST

SOURCE = "digits-base"
RUNS, MODELS = 20, 16
BATCHES = 60  # progress events of an epoch
LIMIT = 1000  # ms
COST = Whole("[data-testid=stEChartsChart] canvas")
CURVES = replace(COST, count=2)
DUEL = Whole("[data-testid=stMetricLabel]", place=1)  # "Only" and the name of the first
CHOSEN = Whole(".st-key-by [role=radio][aria-checked=true]")


def write_runs(models: Path, runs: Path) -> list[str]:
    """Write the runs and their models; return their names on the page."""
    return [_write_one(models, runs, number) for number in range(RUNS)]


def _write_one(models: Path, runs: Path, number: int) -> str:
    name, run_id = f"digits-{number:02d}", f"20260101-0000{number:02d}-digits-{number:02d}"
    card = read_card(SOURCE)
    config = replace(config_from_dict(card.config), name=name, seed=number,
                     learning_rate=0.001 * (1 + number // 4), batch_size=16 * (1 + number % 3))
    folder = RunFolder(runs / run_id)
    folder.path.mkdir(parents=True)
    folder.write_config(config, card.command)
    status = Status(
        state="interrupted", created=1.77e9 + number, started=1.77e9, ended=1.77e9 + 99, epoch=30,
        best_epoch=20, best_val_accuracy=card.val_accuracy or 0.0, seconds=9.0 + number,
        parameters=card.parameters, multiply_adds=card.multiply_adds, train_n=card.train_n,
        dataset_fingerprint=card.dataset_fingerprint)
    _write_metrics(folder)
    if number >= MODELS:
        folder.write_status(status)
        return run_id
    folder.write_status(replace(status, state="finished", model=name,
                                test_accuracy=card.test_accuracy, test_n=card.test_n))
    shutil.copytree(PROJECT / "saved_models" / SOURCE, models / name)
    atomic_write_json(models / name / CARD_FILE, vars(replace(
        card, name=name, run=run_id, config=config.to_dict(), seconds=9.0 + number,
        test_accuracy=(card.test_accuracy or 0.0) - number / 1000)))
    (models / name / MODEL_FILE).touch()
    return name


def _write_metrics(folder: RunFolder) -> None:
    history = (PROJECT / "saved_models" / SOURCE / HISTORY_FILE).read_text().splitlines()
    known = {field.name for field in fields(EpochEvent)}
    lines = []
    for record in map(json.loads, history):
        epoch = EpochEvent(**{key: record[key] for key in known & record.keys()})
        lines += [{"kind": "batch", **vars(BatchEvent(
            epoch.epoch, batch, BATCHES, epoch.loss, epoch.accuracy, 0.001, 1300.0,
            epoch.seconds, 9.0))} for batch in range(1, BATCHES + 1)]
        lines.append({"kind": "epoch", **vars(epoch)})
    folder.metrics_file.write_text("".join(json.dumps(one) + "\n" for one in lines))


def measure(page: Page, url: str, names: list[str], runs: int) -> list[list[object]]:
    """Return the lines of the table."""
    compared = f"{url}/compare?{urlencode([('with', name) for name in names[-MOST:]])}"
    lines = [
        line("opens by a click in the sidebar, the first time",
             [from_home(page, url, "Compare", COST)], LIMIT),
        line("opens by a click in the sidebar", [
            from_home(page, url, "Compare", COST) for _ in range(runs)], LIMIT)]
    lines.append(line(f"{len(names[-MOST:])} of {RUNS} compared, by its address", [
        opened(page, compared, CURVES) for _ in range(runs)], LIMIT))
    lines.append(line(f"{len(names[-MOST:])} of {RUNS} compared: one is taken out", [
        taken_out(page, url, names[-MOST:]) for _ in range(runs)], LIMIT))
    times = []
    for way in (["Time", "Images seen", "Epochs"] * runs)[:runs]:
        button = page.get_by_role("radio", name=way, exact=True)
        times.append(after(page, "mousedown", button.click, replace(
            CHOSEN, instead=text_of(page, CHOSEN))))
    lines.append(line("curves by time, images or epochs", times))
    return lines


def taken_out(page: Page, url: str, names: list[str]) -> float:
    """Return how long the page takes once the first of the chosen is taken out."""
    opened(page, f"{url}/compare?{urlencode([('with', name) for name in names])}", CURVES)
    button = page.get_by_label(f"Remove {names[0]}", exact=True)
    return after(page, "mousedown", button.click, replace(DUEL, instead=text_of(page, DUEL)))


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    load("digits")
    with tempfile.TemporaryDirectory() as place:
        models, runs = Path(place) / "models", Path(place) / "runs"
        names = write_runs(models, runs)
        with visiting({"CNN_MODELS_DIR": str(models), "CNN_RUNS_DIR": str(runs)}) as (page, url):
            wait_for_engine(page, url)
            lines = measure(page, url, names, options.runs)
    publish("compare-page", "python -m benchmarks.compare_page", measured(lines),
            options.write)


if __name__ == "__main__":
    main()
