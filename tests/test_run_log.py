"""Following a run's metrics: nothing twice, nothing lost, never too much."""

import json
import math
from dataclasses import asdict

import pytest
from run_folders import tell

from cnn.runs.folder import RunFolder
from cnn.training.events import (
    BatchEvent,
    ChangeEvent,
    EpochEvent,
    NoteEvent,
    PinsEvent,
    ResumeEvent,
)
from pages.shared.run_log import MOST_POINTS, Mark, RunLog, RunView


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path)


def batch(number, loss=0.5, batches=100):
    return BatchEvent(1, number, batches, loss, 0.25, 0.001, 1000.0, 1.0, 9.0)


def epoch(number, loss=0.5):
    return EpochEvent(number, loss, 0.5, 0.6, 0.4, 0.001, 1000.0, 1.0, True)


def test_a_run_that_has_told_nothing_yet_is_empty(folder):
    view = RunLog(folder).view()
    assert (view.epochs, view.points, view.last) == ((), (), None)


def test_only_what_is_new_is_read(folder, monkeypatch):
    starts = []
    original = RunFolder.read_events
    monkeypatch.setattr(RunFolder, "read_events", lambda self, start=0: (
        starts.append(start), original(self, start))[1])
    log = RunLog(folder)
    tell(folder, epoch(1))
    log.view()
    log.view()  # nothing new: not even opened
    size = folder.metrics_file.stat().st_size
    tell(folder, epoch(2))
    assert [e["epoch"] for e in log.view().epochs] == [1, 2]
    assert starts == [0, size]


def test_progress_is_placed_inside_its_epoch(folder):
    tell(folder, batch(50))
    view = RunLog(folder).view()
    assert view.points == ((0.5, 0.5, 0.25, 0.001),)
    assert view.last["batch"] == 50


def test_what_happened_is_marked_at_its_place(folder):
    tell(folder, NoteEvent(3, "learning rate halved", 9.0))
    tell(folder, ChangeEvent(4, 25, 100, "Flips are off.", 11.0))
    assert RunLog(folder).view().marks == (
        Mark(3.0, "note", "learning rate halved"), Mark(3.25, "change", "Flips are off."))


def test_the_learning_rate_is_followed_batch_by_batch(folder):
    tell(folder, batch(50))
    tell(folder, BatchEvent(1, 100, 100, 0.5, 0.5, 0.0005, 1.0, 1.0, 1.0))
    assert RunLog(folder).view().rates == [(0.5, 0.001), (1.0, 0.0005)]


def test_pinned_pictures_are_followed_epoch_by_epoch(folder):
    for number in (1, 2, 3):
        tell(folder, PinsEvent(number, [[("cat", number / 10), ("dog", 0.1)]]))
    tell(folder, ResumeEvent(2, 1.0))
    tell(folder, PinsEvent(3, [[("cat", 0.9)]]))
    tell(folder, PinsEvent(4, [[("cat", math.nan)]]))
    assert RunLog(folder).view().pins == (
        {"epoch": 1, "tops": [{"cat": 0.1, "dog": 0.1}]},
        {"epoch": 2, "tops": [{"cat": 0.2, "dog": 0.1}]}, {"epoch": 3, "tops": [{"cat": 0.9}]})


@pytest.mark.parametrize("looks", [1, 5])
def test_after_a_resume_each_epoch_is_drawn_once_and_nothing_void_stays(folder, looks):
    log = RunLog(folder)
    told = [epoch(1), NoteEvent(1, "kept", 1.0), epoch(2, 0.4), batch(50, 0.9), epoch(3, 0.9),
            NoteEvent(3, "void", 3.0), ResumeEvent(2, 2.0)]
    for number, event in enumerate(told):
        tell(folder, event)
        if number % looks == 0:
            log.view()  # whoever watched the first trainer forgets too
    assert [(e["epoch"], e["loss"]) for e in log.view().epochs] == [(1, 0.5), (2, 0.4)]
    assert log.view().last is None
    tell(folder, epoch(3, 0.3))
    assert [(e["epoch"], e["loss"]) for e in log.view().epochs] == [(1, 0.5), (2, 0.4), (3, 0.3)]
    assert [mark.text for mark in log.view().marks] == ["kept", "Resumed."]


def test_after_a_resume_the_points_of_the_epoch_that_is_done_again_are_gone(folder):
    first, second = batch(100, 0.5), BatchEvent(2, 50, 100, 0.9, 0.2, 0.001, 1000.0, 1.0, 9.0)
    for event in (first, second, ResumeEvent(1, 1.0)):
        tell(folder, event)
    assert RunLog(folder).view().points == ((1.0, 0.5, 0.25, 0.001),)


def test_a_resume_in_the_middle_of_an_epoch_keeps_what_came_before_it(folder):
    for number in (10, 50, 90):
        tell(folder, batch(number))
    tell(folder, ChangeEvent(1, 20, 100, "kept", 1.0))
    tell(folder, ChangeEvent(1, 60, 100, "void", 1.0))
    with folder.metrics_file.open("a") as file:
        file.write('{"kind": "resume", "epoch": 0, "batch": 50, "batches": 100, "seconds": 1.0}\n')
    view = RunLog(folder).view()
    assert [point[0] for point in view.points] == [0.1, 0.5]
    assert [(mark.place, mark.text) for mark in view.marks] == [(0.2, "kept"), (0.5, "Resumed.")]
    assert view.last is None


def test_damaged_and_infinite_records_are_passed_over(folder):
    tell(folder, batch(1, math.nan))
    tell(folder, epoch(1, math.inf))
    with folder.metrics_file.open("a") as file:
        file.write('{"kind": "epoch"}\n{"kind": "batch", "epoch": 1, "batch": 1, "batches": 0}\n'
                   '{"no": "kind"}\nnot json\n{"kind": "epoch", "epoch": "x"}\n'
                   '{"kind": "pins", "epoch": 1, "tops": [["x", 1]]}\n'
                   '{"kind": "note", "epoch": "second", "text": "x"}\n')
    tell(folder, epoch(2))
    view = RunLog(folder).view()
    assert [e["epoch"] for e in view.epochs] == [2]
    assert (view.points, view.marks, view.pins) == ((), (), ())


def test_the_newest_progress_has_all_that_is_said_of_it(folder):
    tell(folder, batch(1))
    with folder.metrics_file.open("a") as file:
        for name in ("images_per_second", "learning_rate", "seconds"):
            record = {"kind": "batch", **asdict(batch(2))}
            file.write(json.dumps({key: value for key, value in record.items() if key != name})
                       + "\n")
            file.write(json.dumps({**record, name: "many"}) + "\n")
    assert RunLog(folder).view().last["batch"] == 1


def test_a_long_run_keeps_few_points_and_their_mean(folder):
    log, count = RunLog(folder), 5 * MOST_POINTS
    with folder.metrics_file.open("a") as file:
        for number in range(count):
            file.write(f'{{"kind": "batch", "epoch": 1, "batch": {number + 1}, '
                       f'"batches": {count}, "loss": {number / count}, "accuracy": 0.5, '
                       '"learning_rate": 0.001}\n')
    view = log.view()
    assert MOST_POINTS / 2 <= len(view.points) < MOST_POINTS
    places = [point[0] for point in view.points]
    assert places == sorted(places)
    assert sum(point[1] for point in view.points) / len(view.points) == pytest.approx(0.5, abs=0.01)


def test_a_long_run_keeps_few_answers_and_always_the_newest(folder):
    count = 3 * MOST_POINTS
    with folder.metrics_file.open("a") as file:
        for number in range(1, count + 1):
            file.write(f'{{"kind": "pins", "epoch": {number}, "tops": [[["cat", 0.5]]]}}\n')
    told = [pins["epoch"] for pins in RunLog(folder).view().pins]
    assert MOST_POINTS / 2 <= len(told) <= MOST_POINTS
    assert told == sorted(told)
    assert told[-1] == count


def test_smoothing_leaves_short_and_straight_curves_alone():
    short = RunView(points=((0.1, 3.0, 0.1, 1.0), (0.2, 1.0, 0.9, 1.0)))
    assert short.smoothed("loss") == [(0.1, 3.0), (0.2, 1.0)]
    straight = RunView(points=tuple((n / 1000, 2.0 * n, 0.5, 1.0) for n in range(1000)))
    for place, value in straight.smoothed("loss")[50:-50]:
        assert value == pytest.approx(2000 * place)


def test_smoothing_removes_noise():
    points = tuple((n / 1000, float(n % 2), 0.5, 1.0) for n in range(1000))
    values = [value for _, value in RunView(points=points).smoothed("loss")]
    assert max(values) - min(values) < 0.2
