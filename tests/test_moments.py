"""Asking for moments in the background: once each, one at a time, and again after a failure."""

from __future__ import annotations

import threading

import pytest

from cnn.errors import Unavailable
from cnn.prediction import moments
from cnn.prediction.moments import Moments, Question


class Engine:
    """Answers with the epoch that was asked for; holds the answer back until it may go."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, bytes]] = []
        self.go = threading.Event()
        self.broken = False

    def call(self, header, parts):
        self.asked.append((header["epoch"], parts[0]))
        assert self.go.wait(30)
        if self.broken:
            raise Unavailable("The engine died.")
        return {"probabilities": [header["epoch"]], "layers": [], "layer": header["layer"],
                "heat_layer": "", "size": [0, 0], "coarse": False, "blank": False}, [b""] * 3


@pytest.fixture
def engine():
    made = Engine()
    yield made
    made.go.set()


def question(epoch: int, version: str = "a") -> Question:
    return Question("folder", epoch, "conv", "", version)


def test_whoever_asks_goes_on_and_the_same_is_asked_once(engine) -> None:
    asked = Moments()
    first = asked.begin(engine, question(3), b"picture")
    assert not first.done()
    assert asked.begin(engine, question(3), b"picture") is first
    other = asked.begin(engine, question(4), b"picture")
    changed = asked.begin(engine, question(3, "b"), b"other")
    engine.go.set()
    assert [one.result(30).probabilities for one in (first, other, changed)] == [(3,), (4,), (3,)]
    assert engine.asked == [(3, b"picture"), (4, b"picture"), (3, b"other")]


def test_what_failed_is_asked_again(engine) -> None:
    engine.go.set()
    engine.broken = True
    asked = Moments()
    failed = asked.begin(engine, question(1), b"")
    with pytest.raises(Unavailable):
        failed.result(30)
    engine.broken = False
    assert asked.begin(engine, question(1), b"").result(30).layer == "conv"


def test_the_last_ones_are_kept_and_no_more(engine, monkeypatch) -> None:
    monkeypatch.setattr(moments, "MOST_KEPT", 2)
    engine.go.set()
    asked = Moments()
    for epoch in (1, 2, 1, 3, 1, 2):
        asked.begin(engine, question(epoch), b"").result(30)
    assert [epoch for epoch, _ in engine.asked] == [1, 2, 3, 2]
