"""How long the Evaluate page takes, in a browser: to open, to show a clicked cell, an image's why.

    python -m benchmarks.evaluate_page [--model cifar10-flagship] [--runs 7] [--write]

Times are taken inside Chromium, on the machine of the server: from the navigation, or from the
press of the mouse, to the moment when Streamlit is at rest, what was asked for is there, and every
picture on the page is loaded. Needs the data set of the model. The lines of 200 classes are of a
made-up model with 10,000 answers and no data set.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard_process import CHROMIUM_ARGS, dashboard
from benchmarks.report import arguments, publish, table
from cnn.data.catalogue import load
from cnn.evaluation.results import evaluate_predictions, read_evaluation, write_evaluation
from cnn.files import atomic_write_json
from cnn.prediction.saved import CARD_FILE, MODEL_FILE, model_folder, read_card

OPEN_LIMIT, CLICK_LIMIT = 1000, 500  # ms
MANY, IMAGES = 200, 10_000
PARTS = ("Report", "Curves", "Confidence", "Images", "Slices", "History")
_FROM_EDGE = 20  # pixels from the right and upper edge of the chart into its corner cell
_STEP = 76  # pixels between clicks: two cells of ten classes
# At rest, and all pictures there; `seen` tells what must be on the page.
_WAIT = """(seen) => new Promise(done => {
  const rest = () => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState
    === 'notRunning';
  const inner = box => [...box.querySelectorAll('*')].find(one => one.shadowRoot)?.shadowRoot;
  const wall = () => [...document.querySelectorAll('.st-key-evaluate_wall')].flatMap(
    box => [...(inner(box) || box).querySelectorAll('img')]);
  const loaded = () => (seen[2] !== 'wall' || wall().length > 0)
    && [...document.images, ...wall()].every(image => image.complete);
  const there = () => document.querySelector('[data-stale=true]') === null
    && (seen[0] === 'new' ? ![undefined, seen[1]].includes(
          [...document.querySelectorAll('h3')][0]?.innerText)
        : document.querySelectorAll(seen[0]).length >= seen[1]);
  const look = () => rest() && there() && loaded() ? done(performance.now())
    : requestAnimationFrame(look);
  look();
})"""
_HEADING = "() => [...document.querySelectorAll('h3')][0]?.innerText"


def write_many(folder: Path, like: str) -> None:
    """Write a model of 200 classes whose answers are random in part."""
    classes = tuple(f"class {number}" for number in range(MANY))
    random = np.random.default_rng(0)
    labels = np.arange(IMAGES) % MANY
    logits = random.normal(0, 1, (IMAGES, MANY))
    logits[np.arange(IMAGES), labels] += 4
    powers = np.exp(logits)
    found = evaluate_predictions(
        (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), labels, classes)
    folder.mkdir()
    card = replace(read_card(like), class_names=list(classes), dataset="made-up")
    atomic_write_json(folder / CARD_FILE, vars(card))
    (folder / MODEL_FILE).write_bytes(b"none")
    write_evaluation(folder, found)


def opened(page: Page, url: str, selector: str, count: int, pictures: bool = False) -> float:
    """Return how many ms a page takes from the navigation to being whole."""
    page.goto(url, wait_until="commit")
    return float(page.evaluate(_WAIT, [selector, count, "wall" if pictures else ""]))


def clicks(page: Page, runs: int) -> Iterator[float]:
    """Yield how many ms each click on another cell of the last column takes."""
    box = page.get_by_test_id("stEChartsChart").first.bounding_box()
    assert box is not None
    for number in range(runs):
        before = page.evaluate(_HEADING)
        page.evaluate("() => addEventListener('mousedown', () => window.pressed = "
                      "performance.now(), {once: true, capture: true})")
        page.mouse.click(box["x"] + box["width"] - _FROM_EDGE,
                         box["y"] + _FROM_EDGE + number % 5 * _STEP)
        end = float(page.evaluate(_WAIT, ["new", before, ""]))
        yield end - float(page.evaluate("window.pressed"))


def why(page: Page, url: str, first: int, runs: int) -> Iterator[float]:
    """Yield how many ms it takes to go from a mistake to the next, heat maps and all."""
    opened(page, f"{url}&view=Images&image={first}", "[role=dialog] img", 4)
    number, button = "[role=dialog] strong", page.get_by_test_id("stDialog").get_by_role("button")
    for _ in range(runs):
        before = page.locator(number).first.inner_text()
        begin = float(page.evaluate("performance.now()"))
        button.filter(has_text="Next").click()
        page.wait_for_function("([place, old]) => document.querySelector(place).innerText !== old",
                               arg=[number, before])
        yield float(page.evaluate(_WAIT, ["[role=dialog] img", 4, ""])) - begin


def line(what: str, times: Sequence[float], limit: int | None) -> list[object]:
    """Return a line of the table."""
    return [what, f"{statistics.median(times):.0f} ms", f"{max(times):.0f} ms",
            f"{limit} ms" if limit else ""]


def measure(page: Page, url: str, model: str, runs: int) -> list[list[object]]:
    """Return the lines of the table."""
    own, many = (f"{url}/evaluate?model={name}" for name in (model, "many"))
    matrix = "[data-testid=stEChartsChart] canvas", 1
    first = opened(page, own, *matrix, pictures=True)  # also the first visit to the server
    lines = [line("opens, first visit of all", [first], None), line("opens", [
        opened(page, own, *matrix, pictures=True) for _ in range(runs)], OPEN_LIMIT)]
    lines.append(line("a click on a cell shows its images", list(clicks(page, runs)), CLICK_LIMIT))
    for part in PARTS:
        times = [opened(page, f"{own}&view={part}", "h2", 1) for _ in range(3)]
        lines.append(line(f"opens, {part}", times, OPEN_LIMIT))
    lines.append(line(f"{MANY} classes: opens", [opened(page, many, *matrix) for _ in range(runs)],
                      OPEN_LIMIT))
    lines.append(line(f"{MANY} classes, all of them: opens", [
        opened(page, f"{many}&scope=All+classes", *matrix) for _ in range(runs)], None))
    mistake = int(read_evaluation(model_folder(model)).mistakes()[0])
    lines.append(line("next mistake with its heat maps", list(why(page, own, mistake, runs)), None))
    return lines


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--model", default="cifar10-flagship")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    load(read_card(options.model).dataset)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        shutil.copytree(model_folder(options.model), Path(folder) / options.model)
        write_many(Path(folder) / "many", options.model)
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(CHROMIUM_ARGS))
        with dashboard({"CNN_MODELS_DIR": folder}) as server:
            page = browser.new_page(viewport={"width": 1280, "height": 1400})
            lines = measure(page, server.url, options.model, options.runs)
        browser.close()
    publish("evaluate-page", f"python -m benchmarks.evaluate_page --model {options.model}",
            table(["what", "median", "worst", "limit"], lines), options.write)


if __name__ == "__main__":
    main()
