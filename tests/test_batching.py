"""Pictures gather while the engine works; one that it does not survive fails alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnn.errors import CnnError, NotFound, Unavailable
from cnn.prediction import batching
from cnn.prediction.batching import EACH_MORE_SECONDS, PICTURE_SECONDS, Batcher
from cnn.prediction.patience import Patience

Ask = Callable[[str, Sequence[bytes], Patience], list[str] | None]


def batcher(ask: Ask) -> Batcher[str, str]:
    return Batcher(ask, lambda: Unavailable("It died."))


class Engine:
    """Answers with the picture's text; notes each batch; can be held up, and dies of poison."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[bytes]]] = []
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def __call__(
        self, question: str, pictures: Sequence[bytes], patience: Patience
    ) -> list[str] | None:
        self.asked.append((question, list(pictures)))
        self.entered.set()
        assert self.go_on.wait(20)
        if b"poison" in pictures:
            return None
        return [f"{question}:{picture.decode()}" for picture in pictures]


@pytest.fixture
def engine() -> Engine:
    return Engine()


def together(engine: Engine, ask: Batcher[str, str], *requests: tuple[str, list[bytes]]) -> list:
    """Ask all while the engine is held up by another request; return their results."""
    engine.go_on.clear()
    with ThreadPoolExecutor(len(requests) + 1) as threads:
        first = threads.submit(ask, "q", [b"first"])
        assert engine.entered.wait(20)
        waiting = []
        for question, pictures in requests:
            before = len(ask._queue)
            waiting.append(threads.submit(ask, question, pictures))
            while len(ask._queue) == before:  # so that they queue up in this order
                pass
        engine.go_on.set()
        assert first.result(20) == ["q:first"]
        return [one.result(20) for one in waiting]


def test_a_single_request_waits_for_nobody(engine: Engine) -> None:
    assert batcher(engine)("q", [b"a", b"b"]) == ["q:a", "q:b"]
    assert engine.asked == [("q", [b"a", b"b"])]
    assert batcher(engine)("q", []) == []


def test_what_comes_while_the_engine_works_shares_one_batch(engine: Engine) -> None:
    assert together(engine, batcher(engine), ("q", [b"a"]), ("q", [b"b", b"c"])) == [
        ["q:a"], ["q:b", "q:c"]]
    assert engine.asked[1:] == [("q", [b"a", b"b", b"c"])]


def test_other_questions_do_not_share_a_batch_and_keep_their_turn(engine: Engine) -> None:
    assert together(engine, batcher(engine), ("q", [b"a"]), ("r", [b"b"]), ("q", [b"c"])) == [
        ["q:a"], ["r:b"], ["q:c"]]
    assert engine.asked[1:] == [("q", [b"a", b"c"]), ("r", [b"b"])]


def test_a_batch_is_bounded_in_pictures_and_bytes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MOST_PICTURES", 3)
    monkeypatch.setattr(batching, "MOST_BYTES", 10)
    assert len(batcher(engine)("q", [b"x"] * 7)) == 7
    assert [len(pictures) for _, pictures in engine.asked] == [3, 3, 1]
    engine.asked.clear()
    together(engine, batcher(engine), ("q", [b"123456"]), ("q", [b"123456"]), ("q", [b"a" * 99]))
    assert [pictures for _, pictures in engine.asked[1:]] == [
        [b"123456"], [b"123456"], [b"a" * 99]]


def test_a_picture_that_kills_the_engine_fails_alone(engine: Engine) -> None:
    answers = together(engine, batcher(engine), ("q", [b"a", b"poison", b"b"]), ("q", [b"c"]))
    assert answers[0][0] == "q:a" and answers[0][2] == "q:b" and answers[1] == ["q:c"]
    assert isinstance(answers[0][1], Unavailable)
    assert engine.asked[1:] == [("q", [b"a", b"poison", b"b", b"c"]), ("q", [b"a"]),
                                ("q", [b"poison"]), ("q", [b"b"]), ("q", [b"c"])]


def test_a_single_picture_is_tried_exactly_twice(engine: Engine) -> None:
    (failure,) = batcher(engine)("q", [b"poison"])
    assert isinstance(failure, Unavailable)
    assert len(engine.asked) == 2


def test_an_engine_that_died_of_something_else_answers_all_at_the_second_try() -> None:
    deaths = iter([None])

    def ask(question: str, pictures: Sequence[bytes], patience: Patience) -> list[str] | None:
        return next(deaths, [picture.decode() for picture in pictures])

    assert batcher(ask)("q", [b"a", b"b"]) == ["a", "b"]


def test_an_expected_error_holds_for_the_batch_and_is_not_tried_again() -> None:
    asked = []

    def ask(question: str, pictures: Sequence[bytes], patience: Patience) -> list[str]:
        asked.append(pictures)
        raise NotFound("There is no such model.")

    assert [type(one) for one in batcher(ask)("q", [b"a", b"b"])] == [NotFound, NotFound]
    assert len(asked) == 1


def test_all_tries_of_a_batch_share_one_patience_that_grows_with_its_pictures() -> None:
    given = []

    def ask(question: str, pictures: Sequence[bytes], patience: Patience) -> None:
        given.append(patience)

    batcher(ask)("q", [b"a", b"b", b"c"])
    batcher(ask)("q", [b"a"])
    assert [patience.seconds for patience in given] == pytest.approx(
        [PICTURE_SECONDS + 2 * EACH_MORE_SECONDS] * 4 + [PICTURE_SECONDS] * 2)
    assert len({id(patience) for patience in given}) == 2


def test_an_error_that_nobody_expected_is_looked_for_picture_by_picture() -> None:
    def ask(question: str, pictures: Sequence[bytes], patience: Patience) -> list[str]:
        if b"odd" in pictures:
            raise CnnError("The engine failed.")
        return [picture.decode() for picture in pictures]

    good, odd, last = batcher(ask)("q", [b"a", b"odd", b"b"])
    assert (good, last) == ("a", "b")
    assert isinstance(odd, CnnError)


def test_a_failure_in_the_asking_itself_reaches_its_thread_and_frees_the_others() -> None:
    def ask(question: str, pictures: Sequence[bytes], patience: Patience) -> list[str]:
        if pictures[0] == b"bad":
            raise ZeroDivisionError
        return ["fine"] * len(pictures)

    ask_one = batcher(ask)
    with pytest.raises(ZeroDivisionError):
        ask_one("q", [b"bad"])
    assert ask_one("q", [b"good"]) == ["fine"]


def test_many_threads_each_get_their_own_answers(engine: Engine) -> None:
    ask = batcher(engine)
    with ThreadPoolExecutor(25) as threads:
        found = list(threads.map(lambda n: ask("q", [b"%d" % n]), range(500)))
    assert found == [[f"q:{n}"] for n in range(500)]
