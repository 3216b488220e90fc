"""Snapshots of a training: what is kept of each epoch, how many, and what a damaged one costs."""

from __future__ import annotations

import shutil
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from run_folders import write_run

from cnn import files
from cnn.data.catalogue import load
from cnn.errors import Damaged, NotFound, Refused, Unavailable
from cnn.paths import runs_dir
from cnn.runs.folder import RunFolder
from cnn.runs.looking_back import Keepsakes
from cnn.training import snapshots
from cnn.training.snapshots import MOST_KEPT, About, Snapshots, least_missed, snapshot_bytes

ABOUT = About("base", (8, 8, 1), ("ant", "bee", "cat"), "digits", "crop", True)
LABELS = np.array([0, 1, 2, 2, 0])
ANSWERS = np.array([0, 2, 2, 1, 0])
RANDOM = np.random.default_rng(0)
WEIGHTS = [RANDOM.normal(size=(3, 3, 1, 4)), RANDOM.normal(size=4), np.full((2, 2), 1e6)]


def data(weights=WEIGHTS) -> bytes:
    return snapshot_bytes(weights, ABOUT, ANSWERS, LABELS)


@pytest.fixture
def kept(tmp_path) -> Snapshots:
    return Snapshots(tmp_path / "run" / "snapshots")


def test_weights_answers_and_what_they_are_of_come_back(kept) -> None:
    kept.write(3, data())
    about, weights = kept.read(3)
    assert about == ABOUT and kept.epochs() == [3]
    assert [value.dtype for value in weights] == [np.float32] * 3
    assert np.allclose(weights[0], WEIGHTS[0], rtol=1e-3)  # half precision
    assert np.array_equal(weights[1], WEIGHTS[1].astype(np.float32))  # vectors are kept whole
    assert weights[2].tolist() == [[1e6, 1e6], [1e6, 1e6]]  # too large for half precision
    found = kept.answers(3)
    assert found.answers.tolist() == ANSWERS.tolist() and found.labels.tolist() == LABELS.tolist()
    assert found.confusion.tolist() == [[2, 0, 0], [0, 0, 1], [0, 1, 1]]


def test_half_precision_makes_them_small() -> None:
    large = snapshot_bytes([np.ones((500, 1000))], ABOUT, ANSWERS, LABELS)
    assert 1_000_000 < len(large) < 1_003_000


def test_at_most_so_many_are_kept_the_first_and_the_last_among_them(kept) -> None:
    for epoch in range(1, 101):
        kept.write(epoch, data())
        assert kept.epochs()[0] == 1 and kept.epochs()[-1] == epoch
        assert len(kept.epochs()) == min(epoch, MOST_KEPT)
    gaps = np.diff(kept.epochs())
    assert gaps.max() <= 10 and gaps.max() / np.median(gaps) <= 2  # spread over all


def test_the_one_that_is_missed_least_is_never_the_first_or_the_last() -> None:
    assert least_missed([1, 2, 3, 4, 9]) == 3
    assert least_missed([1, 5, 6, 7, 8]) == 7
    assert least_missed([1, 2, 3]) == 2


def test_large_ones_are_fewer_and_too_large_ones_are_none(kept, monkeypatch) -> None:
    monkeypatch.setattr(snapshots, "MOST_BYTES", 4 * len(data()))
    for epoch in range(1, 8):
        kept.write(epoch, data())
    assert len(kept.epochs()) == 4 and kept.size() == 4 * len(data())
    monkeypatch.setattr(snapshots, "MOST_BYTES", 2 * len(data()))
    with pytest.raises(Refused, match="No snapshots are kept"):
        kept.write(9, data())


def test_none_is_written_where_the_disk_is_short(kept, monkeypatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(2**40, 0, snapshots.SPARE))
    with pytest.raises(Unavailable, match="less than 1 GB"):
        kept.write(1, data())
    assert kept.epochs() == []


def test_an_epoch_that_comes_again_replaces_the_one_before(kept) -> None:
    kept.write(1, data())
    kept.write(1, data([np.zeros((2, 2))]))
    assert len(list(kept.folder.iterdir())) == 1 and len(kept.read(1)[1]) == 1
    for epoch in (2, 3, 4):
        kept.write(epoch, data())
    kept.forget_after(2)
    assert kept.epochs() == [1, 2]


@pytest.mark.parametrize("harm", [
    lambda whole: b"", lambda whole: whole[:100], lambda whole: b"\0" * len(whole),
    lambda whole: whole[:1400] + b"\xff\xff" + whole[1402:]], ids=["empty", "torn", "zeros", "bit"])
def test_a_damaged_one_is_said_and_the_others_still_work(kept, harm) -> None:
    kept.write(1, data())
    kept.write(2, data())
    path = kept.path(1)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(Damaged, match="snapshot of epoch 1 is damaged"):
        kept.read(1)
    assert kept.read(2)[0] == ABOUT and kept.answers(2).confusion.sum() == 5


def test_answers_that_make_no_sense_are_damage_not_a_crash(kept) -> None:
    kept.write(1, snapshot_bytes(WEIGHTS, ABOUT, np.array([9]), np.array([0])))
    with pytest.raises(Damaged):
        kept.answers(1)
    kept.write(2, snapshot_bytes(WEIGHTS, ABOUT, ANSWERS, LABELS[:2]))
    with pytest.raises(Damaged):
        kept.answers(2)


def test_an_epoch_without_one_is_named_with_those_there_are(kept) -> None:
    with pytest.raises(NotFound, match=r"epoch 7.*none"):
        kept.read(7)
    kept.write(2, data())
    with pytest.raises(NotFound, match=r"There are: 2\."):
        kept.answers(7)


class Model:
    """What the trainer's side needs of a network."""

    def __init__(self) -> None:
        self.weights = np.ones((2, 2), np.float32)

    def get_weights(self) -> list[np.ndarray]:
        return [self.weights.copy()]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def keepsakes(folders, said) -> Keepsakes:
    return Keepsakes(write_run(), "base", load("digits"), LABELS, said.append)


@pytest.fixture
def run(keepsakes) -> RunFolder:
    return RunFolder(runs_dir() / "20260102-030405-first")


def test_a_trainer_keeps_them_and_is_never_stopped_by_them(
    keepsakes, run, said, monkeypatch
) -> None:
    keepsakes.keep(1, Model(), ANSWERS)
    keepsakes.keep(2, Model(), ANSWERS[:2])  # of an evaluation of something else
    keepsakes.finish()
    found = run.snapshots.answers(1)
    assert run.snapshots.epochs() == [1] and not said
    assert (found.about.dataset, found.about.input_shape) == ("digits", (8, 8, 1))
    assert found.about.class_names == tuple(load("digits").class_names)
    monkeypatch.setattr(snapshots, "SPARE", 2**62)
    keepsakes.keep(3, Model(), ANSWERS)
    keepsakes.keep(4, Model(), ANSWERS)
    keepsakes.finish()
    assert len(said) == 1 and "No snapshot is kept" in said[0]
    shutil.rmtree(run.snapshots.folder)
    run.snapshots.folder.write_text("a file in its place")
    keepsakes.keep(5, Model(), ANSWERS)
    keepsakes.forget_after(0)  # waits for what is under way
    assert len(said) == 2


@pytest.fixture
def held(monkeypatch) -> Iterator[tuple[threading.Event, list[str]]]:
    """Writers of snapshots wait for the event; the list says when they come and go."""
    go, course, write = threading.Event(), [], Snapshots.write

    def slowly(self: Snapshots, epoch: int, data: bytes) -> None:
        course.append(f"begin {epoch}")
        assert go.wait(30)
        write(self, epoch, data)
        course.append(f"end {epoch}")

    monkeypatch.setattr(Snapshots, "write", slowly)
    yield go, course
    go.set()


def test_training_goes_on_while_one_is_written_and_changes_nothing_in_it(
    keepsakes, run, held
) -> None:
    go, _ = held
    model, answers = Model(), ANSWERS.copy()
    keepsakes.keep(1, model, answers)  # returns, though nothing is written yet
    model.weights += 5
    answers[:] = 0
    assert run.snapshots.epochs() == []
    go.set()
    keepsakes.finish()
    assert run.snapshots.read(1)[1][0].tolist() == [[1, 1], [1, 1]]
    assert run.snapshots.answers(1).answers.tolist() == ANSWERS.tolist()


def test_there_are_never_two_at_once_and_the_last_is_waited_for(keepsakes, run, held) -> None:
    go, course = held
    keepsakes.keep(1, Model(), ANSWERS)
    second = threading.Thread(target=lambda: keepsakes.keep(2, Model(), ANSWERS))
    second.start()
    second.join(0.1)
    assert second.is_alive() and course == ["begin 1"]
    go.set()
    second.join()
    keepsakes.finish()
    assert course == ["begin 1", "end 1", "begin 2", "end 2"] and run.snapshots.epochs() == [1, 2]


def test_a_trainer_that_dies_while_one_is_written_leaves_no_half_one(
    keepsakes, run, monkeypatch
) -> None:
    def die(source: Path, target: Path) -> None:
        raise SystemExit  # the file has its temporary name and not its own

    keepsakes.keep(1, Model(), ANSWERS)
    keepsakes.finish()
    with monkeypatch.context() as dying:
        dying.setattr(files, "_replace", die)
        dying.setattr(Path, "unlink", lambda self, missing_ok=False: None)  # nobody clears away
        with pytest.raises(SystemExit):
            keepsakes.keep(2, Model(), ANSWERS)
            keepsakes.finish()
    left = [path.name for path in run.snapshots.folder.glob(".tmp-*")]
    assert run.snapshots.epochs() == [1] and len(left) == 1
    keepsakes.keep(3, Model(), ANSWERS)
    keepsakes.finish()
    assert run.snapshots.epochs() == [1, 3] and not list(run.snapshots.folder.glob(".tmp-*"))
