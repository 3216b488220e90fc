"""Seeing why in a browser: the cells of Evaluate, a convolution under the cursor, the slider.

The slider is that of the time machine. One server for both pages: starting it takes longest.
"""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from cnn.config import RunConfig
from cnn.evaluation.results import evaluate_predictions, read_evaluation, write_evaluation
from cnn.paths import PROJECT
from cnn.runs.event_writer import EventWriter
from cnn.runs.folder import RunFolder, Status
from cnn.training.events import EpochEvent
from cnn.training.snapshots import About, snapshot_bytes
from tests.browser.support import settle

RUN = "20260102-030405-past"
MISTAKES = {1: 5, 4: 3}  # true class: images taken for a 9
CELL = 47  # pixels, of the matrix of ten classes; its upper right corner is 8 from the chart's
# Of the architecture base for digits.
SHAPES = ((4, 4, 1, 32), (32,), (4, 4, 32, 32), (32,), (128, 256), (256,), (256, 10), (10,))


@pytest.fixture(scope="module")
def filled(places):
    """A saved model that ships with the project, and a run with snapshots of two epochs.

    The model takes some 1 and some 4 for a 9, and nothing else.
    """
    model = Path(places["CNN_MODELS_DIR"]) / "digits-base"
    shutil.copytree(PROJECT / "saved_models" / "digits-base", model)
    found = read_evaluation(model)
    answers = found.labels.copy()
    for label, count in MISTAKES.items():
        answers[np.flatnonzero(found.labels == label)[:count]] = 9
    probabilities = np.full(found.probabilities.shape, 0.02, np.float32)
    probabilities[np.arange(len(answers)), answers] = 0.82
    write_evaluation(model, evaluate_predictions(probabilities, found.labels, found.class_names))
    folder = RunFolder(Path(places["CNN_RUNS_DIR"]) / RUN)
    folder.path.mkdir(parents=True)
    folder.write_config(RunConfig("digits", "base", "past", epochs=2), "")
    folder.write_status(Status(state="finished", epoch=2))
    about = About("base", (8, 8, 1), tuple("0123456789"), "digits", "crop", True)
    labels = np.arange(100) % 10
    for epoch in (1, 2):
        random = np.random.default_rng(epoch)
        weights = [random.normal(0, 0.2, shape) for shape in SHAPES]
        answers = np.where(np.arange(100) < 40 * epoch, labels, 0)  # zeros are always right
        folder.snapshots.write(epoch, snapshot_bytes(weights, about, answers, labels))
        EventWriter(folder.metrics_file).write(
            EpochEvent(epoch, 1 / epoch, 0.5, 1 / epoch, 0.4 * epoch, 0.1, 9.0, 2.0, True))


def place_of(page):
    return [page.locator(f".st-key-inside_{which} input").input_value()
            for which in ("row", "column")]


def test_the_cursor_and_the_arrow_keys_work_a_convolution_out(visit, server, filled):
    page = visit(f"{server.url}/inside?model=digits-base&layer=conv_1")
    output = page.locator(".map.choice")
    output.scroll_into_view_if_needed()
    box = output.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.07, box["y"] + box["height"] * 0.07)
    page.get_by_text("Output: row 0, column 0").wait_for()
    assert "sum of these products" in page.locator(".terms").inner_text()
    assert page.locator(".outside").count() == 2 * 4 - 1  # padding: one row and one column
    page.mouse.click(box["x"] + box["width"] * 0.07, box["y"] + box["height"] * 0.07)
    page.get_by_text("Row 0, column 0 of filter 0").wait_for()
    output.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    sentence = page.get_by_text(re.compile("Row 1, column 1 of filter 0"))
    sentence.wait_for()
    settle(page)
    assert place_of(page) == ["1", "1"]
    *_, mine, own = sentence.locator("strong").all_inner_texts()
    drawn = page.locator(".term.last").inner_text().split()[0]
    assert mine == own and float(drawn.replace("−", "-")) == pytest.approx(
        float(own.replace("−", "-")), abs=5e-3)
    assert page.problems == []


def pictures_of(page, title, count):
    """Wait until the pictures of a cell are there, and return them."""
    page.get_by_role("heading", name=title).wait_for()
    tiles = page.locator(".tile")
    page.wait_for_function(
        "([box, count]) => [...box.querySelectorAll('*')].some(one => one.shadowRoot"
        "?.querySelectorAll('.tile').length === count)",
        arg=[page.locator(".st-key-evaluate_wall").element_handle(), count])
    return tiles


def test_a_click_on_a_cell_shows_its_pictures_and_so_do_the_keys_in_the_table(
        visit, server, filled):
    page = visit(f"{server.url}/evaluate?model=digits-base")
    pictures_of(page, "1 taken for 9", 5)  # the largest mix-up is open at first
    matrix = page.get_by_test_id("stEChartsChart").first
    matrix.scroll_into_view_if_needed()
    box = matrix.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 8 - CELL / 2, box["y"] + 8 + 4.5 * CELL)
    pictures_of(page, "4 taken for 9", 3)
    assert "cell=4-9" in page.url

    page.get_by_text("The matrix as a table").click()
    table = page.locator(".st-key-evaluate_as_table [data-testid=stDataFrame] canvas").first
    table.wait_for()
    table.focus()
    page.keyboard.press("ArrowUp")
    page.get_by_role("heading", name="3 taken for 9").wait_for()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    tiles = pictures_of(page, "1 taken for 9", 5)

    choices = page.get_by_role("listbox")
    choices.focus()
    for key in ("End", "Home", "ArrowDown"):
        page.keyboard.press(key)
    pictures_of(page, "4 taken for 9", 3)
    page.keyboard.press("ArrowUp")  # the list has kept the focus
    pictures_of(page, "1 taken for 9", 5)

    tiles.nth(1).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("2 of 5").wait_for()
    first = dialog.get_by_alt_text("Test image").first.get_attribute("src")
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_text("3 of 5").wait_for()
    expect(dialog.get_by_alt_text("Test image").first).not_to_have_attribute("src", first)
    assert "image=" in page.url and "cell=1-9" in page.url
    assert page.problems == []


def test_one_step_of_the_slider_moves_answer_heat_and_matrix(visit, server, filled):
    page = visit(f"{server.url}/inside?view=Time+machine&run={RUN}&epoch=1")
    page.get_by_text("What speaks for").wait_for()
    settle(page)
    heat = page.locator("[data-testid=stImage] img").nth(1)
    before = heat.get_attribute("src"), page.locator("[data-testid=stProgress]").all_inner_texts()
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Learned").wait_for()
    settle(page)
    assert heat.get_attribute("src") != before[0]
    assert page.locator("[data-testid=stProgress]").all_inner_texts() != before[1]
    assert "82.0 %" in page.locator("[data-testid=stMetricValue]").first.inner_text()
    assert "epoch=1" not in page.url  # the last one needs no word in the address
    assert page.problems == []
