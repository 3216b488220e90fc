"""Work that the server does for its visitors: begun once, seen, ended, and what became of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from cnn.data.jobs import Jobs, JobState
from cnn.data.progress import Progress
from cnn.errors import BadInput


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def ended(jobs: Jobs, key: str) -> JobState:
    until(lambda: not state_of(jobs, key).lives)
    return state_of(jobs, key)


def state_of(jobs: Jobs, key: str) -> JobState:
    state = jobs.look(key)
    assert state is not None
    return state


def test_work_is_done_and_its_result_is_kept_until_it_is_forgotten() -> None:
    jobs = Jobs("sum")
    assert jobs.look("a") is None
    assert jobs.start("a", lambda tell: 7)
    assert ended(jobs, "a").result == 7
    assert jobs.known() == ["a"]
    jobs.forget("a")
    assert jobs.look("a") is None
    jobs.forget("a")
    jobs.cancel("a")


def test_work_under_way_is_seen_not_begun_twice_and_not_forgotten() -> None:
    jobs, go_on = Jobs("walk"), threading.Event()

    def walk(tell: Progress) -> str:
        tell("Walking, 9 s left", 3, 10)
        go_on.wait(20)
        return "there"

    jobs.start("a", walk)
    until(lambda: state_of(jobs, "a").done == 3)
    assert not jobs.start("a", walk)
    assert jobs.start("b", lambda tell: "b")
    jobs.forget("a")
    state = state_of(jobs, "a")
    assert (state.state, state.what, state.total) == ("running", "Walking, 9 s left", 10)
    go_on.set()
    assert ended(jobs, "a").result == "there"
    assert jobs.start("a", lambda tell: "again")
    assert ended(jobs, "a").result == "again"


def test_cancelled_work_ends_at_its_next_step() -> None:
    jobs, go_on = Jobs("walk"), threading.Event()

    def walk(tell: Progress) -> None:
        tell("Walking", 1, 2)
        go_on.wait(20)
        tell("Walking", 2, 2)

    jobs.start("a", walk)
    until(lambda: state_of(jobs, "a").done == 1)
    jobs.cancel("a")
    assert (state_of(jobs, "a").state, state_of(jobs, "a").lives) == ("ending", True)
    go_on.set()
    assert ended(jobs, "a").state == "cancelled"


@pytest.mark.parametrize(("fault", "words"), [
    (BadInput("too few"), "too few"), (RuntimeError("oops"), "The walk failed for a reason")])
def test_failed_work_says_why(fault: Exception, words: str) -> None:
    def fail(tell: Progress) -> None:
        raise fault

    jobs = Jobs("walk")
    jobs.start("a", fail)
    state = ended(jobs, "a")
    assert state.state == "failed"
    assert words in str(state.error)


def test_the_seconds_are_those_of_the_work_under_way_without_its_time_left(
        monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("cnn.data.jobs.time", SimpleNamespace(monotonic=lambda: clock[0]))
    jobs, steps = Jobs("walk"), threading.Semaphore(0)

    def walk(tell: Progress) -> None:
        for what in ("Walking", "Walking, 2 s left", "Resting"):
            tell(what, 1, 2)
            steps.acquire(timeout=20)

    jobs.start("a", walk)
    until(lambda: state_of(jobs, "a").what == "Walking")
    clock[0] += 5
    steps.release()
    until(lambda: state_of(jobs, "a").what == "Walking, 2 s left")
    assert state_of(jobs, "a").seconds == 5
    steps.release()
    until(lambda: state_of(jobs, "a").what == "Resting")
    assert state_of(jobs, "a").seconds == 0
    steps.release()
    ended(jobs, "a")
