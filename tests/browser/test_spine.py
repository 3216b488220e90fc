"""The whole way in a browser: start a run, disturb it in every way, evaluate it, use it."""

import io
import re
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from benchmarks.dashboard_process import start_dashboard
from cnn.runs.folder import RunFolder
from tests.browser.support import run_id_of, settle, start_digits_run

EPOCHS = 2000  # never reached: every test stops its run
PATIENCE = 60  # seconds


def picture_of_a_one():
    image = Image.new("RGB", (90, 120), "white")
    ImageDraw.Draw(image).line((45, 15, 45, 105), fill="black", width=14)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def started_run(visit, server, epochs):
    """Start a digits run as a person does, and return its page."""
    page = visit(f"{server.url}/train?run=new")
    start_digits_run(page, epochs)
    return page


def shown_epoch(page):
    text = page.get_by_text(re.compile(rf"Epoch \d+ of {EPOCHS}")).first.inner_text()
    return int(re.search(r"Epoch (\d+)", text)[1])


def wait_for_epoch(page, epoch):
    end = time.monotonic() + PATIENCE
    while shown_epoch(page) < epoch:
        assert time.monotonic() < end
        page.wait_for_timeout(200)


def epochs_on_record(places, run_id):
    records, _ = RunFolder(Path(places["CNN_RUNS_DIR"]) / run_id).read_events()
    return [record["epoch"] for record in records if record["kind"] == "epoch"]


def test_a_run_is_watched_disturbed_stopped_evaluated_and_used(visit, server, places):
    page = started_run(visit, server, EPOCHS)
    run_id = run_id_of(page)
    wait_for_epoch(page, 2)
    page.locator("[data-testid=stEChartsChart]").nth(1).wait_for()  # loss and accuracy

    page.reload()  # a new session
    settle(page)
    wait_for_epoch(page, 3)
    second = visit(f"{server.url}/train")  # another visitor, who does not know the run
    wait_for_epoch(second, 4)
    page.get_by_role("link", name="Data", exact=True).click()
    settle(page)
    page.context.close()  # the tab is gone
    wait_for_epoch(second, 6)

    second.locator(".st-key-run_stop button:visible").click()
    second.get_by_text("Saved as").wait_for()
    recorded = epochs_on_record(places, run_id)
    assert recorded == list(range(1, len(recorded) + 1))
    assert 6 <= len(recorded) < EPOCHS
    assert second.problems == []

    second.get_by_role("link", name="Evaluate it").click()
    second.get_by_role("heading", name="Evaluate", exact=True).wait_for()
    second.get_by_text("base trained on digits").first.wait_for()
    second.set_viewport_size({"width": 390, "height": 900})
    second.get_by_text("Per cent of the answer").wait_for()
    cut_off = ("[...document.querySelectorAll('[data-testid=stButtonGroup]>div')]"
               ".filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)")
    assert second.evaluate(cut_off) == []

    predict = visit(f"{server.url}/predict?model=digits-base")
    predict.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files([
        {"name": "one.png", "mimeType": "image/png", "buffer": picture_of_a_one()},
        {"name": "words.png", "mimeType": "image/png", "buffer": b"these are words"}])
    predict.get_by_text("What the model sees").first.wait_for(timeout=60_000)
    predict.get_by_text("text file").first.wait_for()
    assert predict.problems == []


def test_a_killed_server_disturbs_no_run_and_the_open_page_comes_back(visit, places):
    server = start_dashboard(places)
    try:
        page = started_run(visit, server, EPOCHS)
        run_id = run_id_of(page)
        wait_for_epoch(page, 2)
        server.kill()
        before = len(epochs_on_record(places, run_id))
        end = time.monotonic() + PATIENCE
        while len(epochs_on_record(places, run_id)) == before:
            assert time.monotonic() < end
            time.sleep(0.1)
        server = start_dashboard(places, server.port)
        wait_for_epoch(page, before + 5)
        assert page.locator(".st-key-run_stop button:visible").count() == 1
        page.locator(".st-key-run_stop button:visible").click()
        page.get_by_text("Saved as").wait_for()
    finally:
        server.kill()


@pytest.mark.parametrize("name", [
    "", "data", "train", "lab", "runs", "evaluate", "inside", "predict"])
def test_a_page_fits_a_phone_in_dark_and_says_nothing_in_the_console(visit, server, name):
    page = visit(f"{server.url}/{name}", width=390, scheme="dark")
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.problems == []


def test_a_deep_link_is_the_first_visit_of_a_fresh_server(visit, places):
    server = start_dashboard(places)
    try:
        page = visit(f"{server.url}/predict")
        names = page.get_by_test_id("stSidebarNavLink").all_inner_texts()
        assert [name.split("\n")[-1] for name in names] == [
            "Home", "Data", "Train", "Architecture lab", "Runs", "Evaluate", "Compare",
            "Look inside", "Predict"]
    finally:
        server.kill()
