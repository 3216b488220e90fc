"""What a run has learnt on its page: events, learning rate, overfitting, pinned pictures."""

import math

import numpy as np
import pytest
from page_steps import texts
from run_folders import tell, write_run

from cnn.data.images import encode_png
from cnn.runs.pins import read_pins, save_pins
from cnn.training.events import (
    BatchEvent,
    ChangeEvent,
    EpochEvent,
    NoteEvent,
    PinsEvent,
    ResumeEvent,
)
from pages.shared.pinned import MOST_POINTS, _courses

PNG = encode_png(np.full((30, 40, 3), 90, np.uint8))


def charts(page):
    return [chart.proto.alt for chart in page.get("echarts_chart")]


def open_run(open_page, folder):
    page = open_page("train", run=folder.run_id)
    assert not page.exception
    return page


def test_a_rate_that_never_changed_is_a_line_of_text(open_page):
    page = open_run(open_page, write_run(state="finished", model="first", test_accuracy=0.9))
    assert "Learning rate 0.001" in texts(page.caption)
    assert len(charts(page)) == 2


def test_a_rate_that_changed_is_a_curve(open_page):
    folder = write_run(state="finished", model="first", test_accuracy=0.9)
    tell(folder, BatchEvent(3, 21, 21, 0.3, 0.8, 0.0005, 1500.0, 9.0, 1.0))
    page = open_run(open_page, folder)
    assert "Learning rate by epoch: from 0.001 to 0.0005." in charts(page)


def test_events_are_named_in_words_and_marked_on_both_charts(open_page):
    folder = write_run(state="running")
    tell(folder, NoteEvent(2, "The rate is halved.", 9.0))
    tell(folder, ChangeEvent(3, 7, 21, "Flips are off: <b>&*.", 9.0))
    tell(folder, ResumeEvent(3, 9.0))
    with folder.lock():
        page = open_run(open_page, folder)
    said = texts(page.caption)
    assert "**A** · after epoch 2 · The rate is halved" in said
    assert "**B** · in epoch 3 · Flips are off\\: \\<b\\>&\\*" in said
    assert "**C** · after epoch 3 · Resumed" in said
    for alt in charts(page):
        assert "A marked at 2" in alt
        assert "B marked at 2.333" in alt


def overfitted(run_id="20260102-030405-first", **status):
    folder = write_run(run_id, 0, **status)
    for epoch in range(1, 13):
        val_loss = 1 / epoch if epoch < 5 else 0.2 + 0.06 * (epoch - 4)
        tell(folder, EpochEvent(epoch, 1 / epoch, 0.7, val_loss, 0.7, 0.001, 9.0,
                                       2.5 * epoch, epoch == 4))
    return folder


@pytest.mark.parametrize("state", ["running", "finished"])
def test_overfitting_is_named_with_what_to_try(open_page, state):
    folder = overfitted(state=state)
    with folder.lock():
        page = open_run(open_page, folder)
    said = texts(page.info)
    assert "Overfitting since epoch" in said
    assert "dropout" in said
    loss, accuracy = charts(page)[:2]
    assert "overfitting from epoch" in loss
    assert "overfitting" not in accuracy


def test_a_run_that_learns_is_not_called_overfitting(open_page):
    page = open_run(open_page, write_run(epochs=12, state="finished", model="x", test_accuracy=0.9))
    assert not page.info


def pinned(folder, epochs):
    save_pins(folder.path, [("cat_(1).png", PNG), ("dog.png", PNG)])
    for epoch in range(1, epochs + 1):
        share = epoch / 10
        tell(folder, PinsEvent(epoch, [
            [("3", 1 - share), ("8", share), ("1", 0.0), ("2", 0.0)], [("7", 1.0)]]))


@pytest.mark.parametrize("state", ["running", "interrupted", "finished"])
def test_pinned_pictures_show_their_answers_while_and_after_the_run(open_page, state):
    folder = write_run(state=state)
    pinned(folder, 8)
    with folder.lock():
        page = open_run(open_page, folder)
    assert "cat\\_\\(1\\)\\.png" in texts(page.markdown)
    assert [bar.proto.text for bar in page.get("progress")] == [
        "8 · 80.0 %", "3 · 20.0 %", "1 · under 0.1 %", "7 · over 99.9 %"]
    assert "cat_(1).png: 3 90.0 % after epoch 1, 8 80.0 % after epoch 8." in charts(page)
    assert len(page.get("image")) == 2


def test_before_the_first_epoch_a_pinned_picture_waits(open_page):
    folder = write_run(epochs=0, state="running")
    pinned(folder, 0)
    with folder.lock():
        page = open_run(open_page, folder)
    assert "First answer after the first epoch" in texts(page.caption)


def test_damaged_pictures_are_said_and_hide_nothing(open_page):
    folder = write_run(state="finished", model="first", test_accuracy=0.9)
    pinned(folder, 2)
    (folder.path / "pins" / "2.png").unlink()
    page = open_run(open_page, folder)
    assert "pinned picture" in texts(page.caption)
    assert len(page.dataframe) == 1


def test_answers_with_fewer_pictures_than_there_are_do_no_harm(open_page):
    folder = write_run(state="finished", model="first", test_accuracy=0.9)
    pinned(folder, 0)
    tell(folder, PinsEvent(1, [[("3", 0.9)]]))
    tell(folder, PinsEvent(2, []))
    page = open_run(open_page, folder)
    assert [bar.proto.text for bar in page.get("progress")] == ["3 · 90.0 %"]
    assert "Never classified" in texts(page.caption)


@pytest.mark.parametrize("epochs", [1, 60, 61, 1000])
def test_long_courses_are_thinned_and_keep_their_last_epoch(epochs):
    told = [(epoch, {"a": 1 / epoch}) for epoch in range(1, epochs + 1)]
    course = _courses(told, ["a", "b"])
    assert course["b"] == []
    assert math.ceil(min(epochs, MOST_POINTS) / 2) <= len(course["a"]) <= MOST_POINTS
    assert course["a"][-1] == (epochs, 1 / epochs)


# Choosing them


@pytest.fixture
def started(monkeypatch):
    """Keep trainers from starting. Returns what they would have been given."""
    given = []

    def start_run(config, pins=()):
        given.append(list(pins))
        folder = write_run(f"20260102-03040{len(given)}-{config.name}", 0, config.name)
        save_pins(folder.path, pins)
        return folder.run_id

    monkeypatch.setattr("pages.shared.starting.start_run", start_run)
    return given


def test_pictures_from_people_and_from_the_data_go_into_the_run(open_page, started):
    page = open_page("train")
    page.file_uploader(key="train_pins").upload("cat.png", PNG, "image/png").run()
    sample = next(box for box in page.checkbox if box.key.startswith("train_pin_digits_"))
    sample.check().run()
    assert not page.error
    page.button(key="train_start").click().run()
    (pins,) = started
    assert [name for name, _ in pins] == ["cat.png", f"{sample.label} #0"]
    assert "cat\\.png" in texts(page.markdown)


def test_a_picture_that_cannot_be_read_stops_the_start_by_name(open_page, started):
    page = open_page("train")
    page.file_uploader(key="train_pins").upload("note.png", b"just text", "image/png").run()
    assert "note\\.png\\: This is a text file" in texts(page.error)
    assert page.button(key="train_start").disabled
    assert not page.exception


def test_six_pictures_are_too_many(open_page, started):
    page = open_page("train")
    page.file_uploader(key="train_pins").upload("cat.png", PNG, "image/png")
    for box in page.checkbox:
        box.check()
    page.run()
    assert "At most 5" in texts(page.error)
    assert page.button(key="train_start").disabled


def test_nothing_is_watched_unless_asked_for(open_page, started):
    page = open_page("train")
    page.button(key="train_start").click().run()
    assert started == [[]]
    assert read_pins(write_run("20260102-030499-none").path) == []
