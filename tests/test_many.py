"""Answers to many pictures: batches, what is read ahead, cancelling, going on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cnn.data.jobs import JobState
from cnn.errors import BadInput, CnnError, Damaged, Unavailable
from cnn.prediction import many
from cnn.prediction.client import EngineClient, Prediction
from cnn.prediction.many import READ_AHEAD, Item, Question, Sheet, answers_of

CLASSES = ("ant", "bee", "cat", "dog")


class Engine(EngineClient):
    """Answers at once: the text of the picture wins. What is deadly gets no answer."""

    def __init__(self) -> None:
        super().__init__(("false",))
        self.ready = True
        self.batches: list[tuple[int, dict[str, Any]]] = []
        self.before: Callable[[], object] = lambda: None
        self.calls: list[dict[str, Any]] = []

    def call(self, header: dict[str, Any], parts: Sequence[bytes] = ()) -> Any:
        self.calls.append(header)
        if header["model"] == "torn":
            raise Damaged("Torn network")
        return {}, []

    def predict(self, model: str, images: Sequence[bytes], how: str = "", pictures: bool = False,
                average: bool = False, thumbnails: bool = False) -> list[Prediction]:
        self.before()
        self.batches.append((len(images), {"model": model, "how": how, "average": average,
                                           "pictures": pictures, "thumbnails": thumbnails}))
        died = Unavailable("It died.")
        if images and all(data == b"deadly" for data in images):
            raise died
        return [Prediction(error=died) if data == b"deadly" else
                Prediction(tuple((name, 0.25) for name in (data.decode(), *CLASSES)))
                for data in images]


def item(text: str, source: str = "") -> Item:
    return Item(source or text, text.encode)


def broken() -> bytes:
    raise BadInput("Not a picture.")


def best(answers: Sequence[Prediction]) -> list[str]:
    return [str(answer.error) if answer.error else answer.top[0][0] for answer in answers]


def ended(sheet: Sheet) -> JobState:
    end = time.monotonic() + 20
    while (state := sheet.look()) is None or state.lives:
        assert time.monotonic() < end
        time.sleep(0.005)
    return state


def test_answers_come_in_order_each_with_its_picture_or_its_error() -> None:
    items = [item(str(n)) for n in range(70)]
    items[3], items[50] = Item("x", broken), item("deadly")
    engine = Engine()
    found = best(list(answers_of(engine, Question("m", "fit", True), items, thumbnails=True)))
    expected = [str(n) for n in range(70)]
    expected[3], expected[50] = "Not a picture.", "It died."
    assert found == expected
    assert sum(n for n, _ in engine.batches) == 69
    assert engine.batches[0][1] == {"model": "m", "how": "fit", "average": True,
                                    "pictures": False, "thumbnails": True}


def test_while_the_engine_works_a_batch_gathers_and_is_never_larger_than_one() -> None:
    engine = Engine()
    engine.before = lambda: time.sleep(0.02)
    list(answers_of(engine, Question("m"), [item(str(n)) for n in range(200)]))
    sizes = [n for n, _ in engine.batches]
    assert max(sizes) <= 32
    assert sum(sizes) / len(sizes) > 8


def test_large_pictures_go_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "MOST_BYTES", 10)
    engine = Engine()
    list(answers_of(engine, Question("m"), [item("12345") for _ in range(9)]))
    assert max(n for n, _ in engine.batches) <= 2


def test_only_a_few_pictures_are_read_before_they_are_needed() -> None:
    read: list[int] = []

    def picture(n: int) -> Item:
        return Item(str(n), lambda: read.append(n) or b"x")  # type: ignore[func-returns-value]

    answers = answers_of(Engine(), Question("m"), map(picture, range(500)))
    next(answers)
    answers.close()
    assert len(read) <= 32 + 2 * READ_AHEAD


def test_a_slow_link_keeps_nobody_waiting_who_is_before_it() -> None:
    arrives = threading.Event()

    def slow() -> bytes:
        arrives.wait(20)
        return b"late"

    answers = answers_of(Engine(), Question("m"), [item("a"), item("b"), Item("link", slow)])
    assert best([next(answers), next(answers)]) == ["a", "b"]
    arrives.set()
    assert best(list(answers)) == ["late"]


def test_an_engine_that_survives_no_batch_is_not_asked_again_and_again() -> None:
    engine = Engine()
    engine.before = lambda: time.sleep(0.02)  # so that all wait together behind the first
    answers = answers_of(engine, Question("m"), [item("deadly") for _ in range(90)])
    with pytest.raises(Unavailable, match="died"):
        list(answers)
    assert len(engine.batches) <= 2


def test_a_sheet_gathers_what_is_missing_and_keeps_the_best_classes_only() -> None:
    engine = Engine()
    sheet = Sheet(engine, Question("m"))
    assert sheet.look() is None
    items = {str(n): item(str(n)) for n in range(5)}
    sheet.ask(items)
    assert ended(sheet).state == "done"
    assert best([sheet.answers[key] for key in items]) == list(items)
    assert len(sheet.answers["0"].top) == 3
    sheet.ask({**items, "new": item("new")})
    assert ended(sheet).state == "done"
    assert sum(n for n, _ in engine.batches) == 6
    assert engine.calls[0] == {"op": "ready", "model": "m"}
    assert all(options["thumbnails"] for _, options in engine.batches)


def test_what_is_answered_stays_after_a_cancel_and_the_rest_can_follow() -> None:
    engine, reached, go_on = Engine(), threading.Event(), threading.Event()

    def pause() -> None:
        if engine.batches:
            reached.set()
            go_on.wait(20)

    engine.before = pause
    sheet = Sheet(engine, Question("m"))
    items = {str(n): item(str(n)) for n in range(100)}
    sheet.ask(items)
    assert reached.wait(20)
    sheet.cancel()
    go_on.set()
    assert ended(sheet).state == "cancelled"
    answered = len(sheet.answers)
    assert 0 < answered < 100
    sheet.ask(items)
    assert ended(sheet).state == "done"
    assert best(list(sheet.answers.values())) == list(items)


def test_a_sheet_tells_how_far_it_is() -> None:
    engine, go_on = Engine(), threading.Event()
    engine.before = lambda: engine.batches and go_on.wait(20)
    sheet = Sheet(engine, Question("m"))
    sheet.ask({str(n): item(str(n)) for n in range(100)})
    end = time.monotonic() + 20
    while not ((state := sheet.look()) and state.done):
        assert time.monotonic() < end
    assert (state.state, state.total) == ("running", 100)
    go_on.set()
    ended(sheet)


def test_a_model_that_cannot_be_used_ends_the_work_in_words() -> None:
    engine = Engine()
    sheet = Sheet(engine, Question("torn"))
    sheet.ask({"a": item("a")})
    error = ended(sheet).error
    assert isinstance(error, CnnError)
    assert error.message == "Torn network"
    assert engine.batches == []
