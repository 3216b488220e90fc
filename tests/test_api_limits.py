"""Token buckets and room for bodies: what they let through, and when again."""

from __future__ import annotations

import pytest

from cnn import api_limits
from cnn.api_limits import Buckets, Room
from cnn.errors import Unavailable


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_client_may_send_twice_the_rate_at_once_and_then_the_rate() -> None:
    clock = Clock()
    buckets = Buckets(10, clock)
    assert [buckets.wait("a") for _ in range(20)] == [0] * 20
    assert buckets.wait("a") == pytest.approx(0.1)
    clock.now += 0.11
    assert buckets.wait("a") == 0
    assert buckets.wait("a") > 0
    clock.now += 1000
    assert [buckets.wait("a") for _ in range(21)].count(0) == 20


def test_asking_too_often_does_not_make_the_wait_longer() -> None:
    clock = Clock()
    buckets = Buckets(1, clock)
    waits = [buckets.wait("a") for _ in range(50)]
    assert waits[:2] == [0, 0]
    assert waits[-1] == pytest.approx(1)


def test_a_rate_below_one_still_lets_one_through() -> None:
    buckets = Buckets(0.1, Clock())
    assert buckets.wait("a") == 0
    assert buckets.wait("a") == pytest.approx(10)


def test_clients_do_not_share_and_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_limits, "MOST_CLIENTS", 3)
    buckets = Buckets(0.5, Clock())
    for client in "abc":
        assert buckets.wait(client) == 0
    assert buckets.wait("a") > 0  # a is the newest again
    assert buckets.wait("d") == 0
    assert set(buckets._left) == {"c", "a", "d"}


def test_room_is_given_back_also_after_a_failure() -> None:
    room = Room(100)
    with room.taken(60):
        with pytest.raises(Unavailable), room.taken(41):
            pass
        with room.taken(40):
            pass
    with pytest.raises(ZeroDivisionError), room.taken(100):
        raise ZeroDivisionError
    with room.taken(100):
        pass
