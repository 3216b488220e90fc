"""How long the Evaluate page takes, in a browser: to open, to show a clicked cell, an image's why.

    python -m benchmarks.evaluate_page [--model cifar10-flagship] [--runs 7] [--write]

What a time is: see `browser`. Opened "by its address", the browser loads Streamlit itself anew;
the first lines say how long that takes for a script of a heading, and of a heading and a chart,
which the browser shows 0.3 s after the rest, whatever is in it. Needs the data set of the model.
The lines of 200 classes are of a made-up model with 10,000 answers and no data set.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
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
from benchmarks.report import arguments, publish
from cnn.data.catalogue import load
from cnn.evaluation.results import evaluate_predictions, read_evaluation, write_evaluation
from cnn.files import atomic_write_json
from cnn.prediction.saved import CARD_FILE, MODEL_FILE, model_folder, read_card

OPEN_LIMIT, CLICK_LIMIT = 1000, 500  # ms
MANY, IMAGES = 200, 10_000
HEADING_ALONE = "import streamlit as st\n\nst.header('Nothing')\n"
CHART = HEADING_ALONE + """
st.echarts_chart({"xAxis": {"type": "value"}, "yAxis": {"type": "value"},
                  "series": [{"type": "line", "data": [[0, 0], [1, 1]]}]}, alt="A line")
"""
WALL = ".wall"
MATRIX = Whole("[data-testid=stEChartsChart] canvas")
WITH_PICTURES = replace(MATRIX, wall=WALL)
HEADING = Whole("h2")
WHOLE = {"Report": MATRIX, "Curves": replace(MATRIX, count=2), "Confidence": MATRIX,
         "Images": Whole("h2", wall=WALL), "Slices": MATRIX, "History": replace(MATRIX, count=2)}
_FROM_EDGE = 20  # pixels from the right and upper edge of the chart into its corner cell
_STEP = 76  # pixels between clicks: two cells of ten classes


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


def floor(folder: Path, code: str, want: Whole, runs: int) -> list[float]:
    """Return how long a script of a line takes: what no page can go below."""
    script = folder / "floor.py"
    script.write_text(code)
    with visiting({}, str(script)) as (page, url):
        opened(page, url, want)
        return [opened(page, url, want) for _ in range(runs)]


def from_home(page: Page, url: str, name: str, want: Whole) -> float:
    """Return how long a click in the sidebar of the first page takes."""
    opened(page, url, Whole("h2"))
    link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True)
    return after(page, "mousedown", link.click, want)


def clicks(page: Page, runs: int) -> Iterator[float]:
    """Yield how many ms each click on another cell of the last column takes."""
    box = page.get_by_test_id("stEChartsChart").first.bounding_box()
    assert box is not None
    right, top = box["x"] + box["width"] - _FROM_EDGE, box["y"] + _FROM_EDGE
    for number in range(runs):
        place = top + number % 5 * _STEP
        want = Whole("h3", instead=text_of(page, Whole("h3")))
        yield after(page, "mousedown", lambda: page.mouse.click(right, place),  # noqa: B023
                    want)


def why(page: Page, url: str, first: int, runs: int) -> Iterator[float]:
    """Yield how many ms it takes to go from a mistake to the next, heat maps and all."""
    opened(page, f"{url}&view=Images&image={first}", Whole("[role=dialog] img", 4))
    button = page.get_by_test_id("stDialog").get_by_role("button").filter(has_text="Next")
    for _ in range(runs):
        number = Whole("[role=dialog] strong")
        yield after(page, "mousedown", button.click,
                    replace(number, instead=text_of(page, number)))


def measure(page: Page, url: str, model: str, runs: int) -> list[list[object]]:
    """Return the lines of the table, but for the first."""
    own, many = (f"{url}/evaluate?model={name}" for name in (model, "many"))
    wait_for_engine(page, url)
    first = from_home(page, url, "Evaluate", WITH_PICTURES)  # of all that this server shows
    lines = [
        line("opens by a click in the sidebar, the first time", [first], OPEN_LIMIT),
        line("opens by a click in the sidebar", [
            from_home(page, url, "Evaluate", WITH_PICTURES) for _ in range(runs)], OPEN_LIMIT),
        line("opens by its address", [
            opened(page, own, WITH_PICTURES) for _ in range(runs)], OPEN_LIMIT),
        line("a click on a cell shows its images", list(clicks(page, runs)), CLICK_LIMIT)]
    lines += [line(f"{part}, by its address", [
        opened(page, f"{own}&view={part}", WHOLE[part]) for _ in range(3)], OPEN_LIMIT)
        for part in WHOLE]
    lines.append(line(f"{MANY} classes, by its address", [
        opened(page, many, MATRIX) for _ in range(runs)], OPEN_LIMIT))
    lines.append(line(f"{MANY} classes, all of them shown, by its address", [
        opened(page, f"{many}&scope=All+classes", MATRIX) for _ in range(runs)]))
    mistake = int(read_evaluation(model_folder(model)).mistakes()[0])
    lines.append(line("next mistake with its heat maps", list(why(page, own, mistake, runs))))
    return lines


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--model", default="cifar10-flagship")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    load(read_card(options.model).dataset)
    with tempfile.TemporaryDirectory() as place:
        floors = [line(f"Streamlit with {what}, by its address",
                       floor(Path(place), code, want, options.runs))
                  for what, code, want in (("a heading", HEADING_ALONE, HEADING),
                                           ("a heading and a line chart", CHART, MATRIX))]
        folder = Path(place) / "models"
        shutil.copytree(model_folder(options.model), folder / options.model)
        write_many(folder / "many", options.model)
        with visiting({"CNN_MODELS_DIR": str(folder)}) as (page, url):
            lines = [*floors, *measure(page, url, options.model, options.runs)]
    publish("evaluate-page", f"python -m benchmarks.evaluate_page --model {options.model}",
            measured(lines), options.write)


if __name__ == "__main__":
    main()
