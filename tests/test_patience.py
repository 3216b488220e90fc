"""How long one who asks waits: what is no hang does not count."""

from __future__ import annotations

import threading

import pytest

from cnn.prediction import patience as module
from cnn.prediction.patience import LOADING_SECONDS, Patience


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_it_runs_out_and_stays_at_nothing(clock: Clock) -> None:
    patience = Patience(15)
    clock.now += 10
    assert patience.left() == pytest.approx(5)
    clock.now += 10
    assert patience.left() == 0


def test_the_wait_for_the_turns_of_others_does_not_count(clock: Clock) -> None:
    class Slow:
        def __enter__(self) -> None:
            clock.now += 60

        def __exit__(self, *_: object) -> None:
            pass

    patience = Patience(15)
    with patience.turn(Slow()):
        assert patience.left() == pytest.approx(15)
        clock.now += 5
    assert patience.left() == pytest.approx(10)


def test_a_turn_holds_the_lock() -> None:
    lock = threading.Lock()
    with Patience(15).turn(lock):
        assert lock.locked()
    assert not lock.locked()


def test_loading_does_not_count_up_to_its_own_limit(clock: Clock) -> None:
    patience = Patience(15)
    clock.now += 10
    patience.loaded(10)
    assert patience.left() == pytest.approx(15)
    clock.now += LOADING_SECONDS
    patience.loaded(LOADING_SECONDS)
    assert patience.left() == pytest.approx(5)  # 10 of these 30 s were too many


def test_who_hurries_counts_loading_too(clock: Clock) -> None:
    patience = Patience(15)
    patience.hurry()
    clock.now += 10
    patience.loaded(10)
    assert patience.left() == pytest.approx(5)
