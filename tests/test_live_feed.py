"""What the live page is told between two drawings: the words, and how they reach the browser."""

import re
from dataclasses import replace

import psutil
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from cnn.errors import NotFound
from cnn.runs import queue
from cnn.training.events import BatchEvent
from pages.shared.live_feed import answer, live_feed
from tests.run_folders import tell, write_run

pytestmark = pytest.mark.usefixtures("folders")


def batch(epoch, number, seconds):
    return BatchEvent(epoch, number, 21, 0.5, 0.8, 0.001, 1500.0, seconds, 61.0)


@pytest.fixture
def browser():
    return TestClient(Starlette(routes=[Route("/live/{run}", answer)]))


def test_every_look_tells_what_the_trainer_has_said_since(browser):
    folder = write_run(state="running")
    with folder.lock():
        first = browser.get(f"/live/{folder.run_id}").json()
        tell(folder, batch(3, 7, 20.0))
        second = browser.get(f"/live/{folder.run_id}").json()
    assert first["bars"][0] == [0.4, "Epoch 2 of 5"]
    assert second["bars"][1] == [pytest.approx(1 / 3), "Batch 7 of 21 in this epoch"]
    assert second["mark"] == first["mark"]  # nothing that needs the page to be drawn anew


def test_memory_and_processor_of_the_trainer_are_among_the_figures(browser):
    me = psutil.Process()
    folder = write_run(state="running", pid=me.pid, process_created=me.create_time())
    with folder.lock():
        shown = {label: value for label, value, _ in
                 browser.get(f"/live/{folder.run_id}").json()["figures"]}
        assert re.fullmatch(r"\d+ MB|\d+\.\d\d GB", shown["Memory"])
        assert re.fullmatch(r"\d+\.\d cores", shown["Processor"])
        folder.write_status(replace(folder.read_status(), process_created=1.0))  # somebody else
        shown = {label: value for label, value, _ in live_feed(folder.run_id)["figures"]}
    assert (shown["Memory"], shown["Processor"]) == ("–", "–")


def test_the_answer_is_never_kept(browser):
    folder = write_run(state="running")
    assert browser.get(f"/live/{folder.run_id}").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("run_id", ["nothing-here", "..%2F..%2Fetc", ".hidden"])
def test_a_run_that_does_not_exist_is_no_crash(browser, run_id):
    assert browser.get(f"/live/{run_id}").status_code == 404


def test_an_unknown_run_is_an_error_in_words():
    with pytest.raises(NotFound):
        live_feed("nothing-here")


@pytest.mark.parametrize(("seconds", "pace"), [(0.0, 2), (29.9, 2), (30.0, 5), (99.0, 5),
                                               (100.0, 10), (1e6, 10)])
def test_curves_are_drawn_the_more_rarely_the_longer_a_run_lasts(seconds, pace):
    folder = write_run(state="running")
    with folder.lock():
        tell(folder, batch(3, 7, seconds))
        assert live_feed(folder.run_id)["mark"] == f"running {pace}"


def test_the_mark_follows_the_state():
    folder = write_run(state="running")
    with folder.lock():
        assert live_feed(folder.run_id)["mark"].startswith("running ")
        folder.ask(wish="stop")
        assert live_feed(folder.run_id)["mark"].startswith("stopping ")
    assert live_feed(folder.run_id)["mark"].startswith("interrupted ")


def test_a_run_that_waits_says_so_and_its_mark_follows_the_queue():
    first, second = (write_run(f"20260102-03040{n}-x", epochs=0, state="queued") for n in (1, 2))
    with first.lock(), second.lock():
        for folder in (first, second):
            queue.enter(folder.run_id)
        feed = live_feed(second.run_id)
        assert "Waits for its turn" in feed["bars"][0][1]
        assert feed["figures"] == []
        queue.move(second.run_id, -1)
        assert live_feed(second.run_id)["mark"] != feed["mark"]
