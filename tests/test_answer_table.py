"""Tables of answers: flags, lines of CSV, choosing, order and counts."""

from __future__ import annotations

import pytest

from cnn.errors import Refused
from cnn.prediction.answer_table import (
    FLAGS,
    NO_ANSWER,
    NONE_OF_THESE,
    ORDERS,
    SURE,
    UNSURE,
    Choice,
    Row,
    choose,
    count_answers,
    count_flags,
    csv_row,
)
from cnn.prediction.client import Prediction


def row(source: str, best: str = "ant", confidence: float = 0.9, unlike: bool = False) -> Row:
    top = ((best, confidence), ("other", 1 - confidence))
    return Row(source, source, Prediction(top, unlike=unlike))


def failed(source: str) -> Row:
    return Row(source, source, Prediction(error=Refused("Not that one.")))


ROWS = [row("photo 10", "bee", 0.7), row("photo 2"), row("zoo", "cat", 0.3),
        row("alien", "ant", 0.99, unlike=True), row("fog", "ant", 0.4, unlike=True), failed("Bad")]


def chosen(**choice: object) -> list[str]:
    return [one.source for one in choose(ROWS, Choice(**choice))]  # type: ignore[arg-type]


@pytest.mark.parametrize(("one", "flags"), [
    (row("a", confidence=0.5), ()), (row("a", confidence=0.499), (UNSURE,)),
    (row("a", unlike=True), (NONE_OF_THESE,)),
    (row("a", confidence=0.2, unlike=True), (UNSURE, NONE_OF_THESE)), (failed("a"), (NO_ANSWER,))])
def test_flags_say_what_to_beware_of(one: Row, flags: tuple[str, ...]) -> None:
    assert one.flags == flags


def test_a_line_of_csv_has_the_best_classes_the_flags_or_the_error() -> None:
    assert csv_row("a.png", row("a", "ant", 0.25, unlike=True).answer, 3) == {
        "source": "a.png", "answer_1": "ant", "probability_1": 0.25, "answer_2": "other",
        "probability_2": 0.75, "answer_3": "", "probability_3": "", "none_of_these": True,
        "unsure": True, "error": ""}
    assert csv_row("b.png", failed("b").answer, 1) == {
        "source": "b.png", "answer_1": "", "probability_1": "", "none_of_these": "", "unsure": "",
        "error": "Not that one."}


@pytest.mark.parametrize(("order", "sources"), [
    ("Name", ["alien", "Bad", "fog", "photo 2", "photo 10", "zoo"]),
    ("Least sure first", ["zoo", "fog", "photo 10", "photo 2", "alien", "Bad"]),
    ("Most sure first", ["alien", "photo 2", "photo 10", "fog", "zoo", "Bad"]),
    ("Answer", ["alien", "photo 2", "fog", "photo 10", "zoo", "Bad"])])
def test_rows_come_in_the_order_that_is_asked_for(order: str, sources: list[str]) -> None:
    assert chosen(order=order) == sources


def test_every_order_has_a_test() -> None:
    assert list(ORDERS) == ["Name", "Least sure first", "Most sure first", "Answer"]


def test_names_with_odd_numbers_can_be_ordered() -> None:
    names = ["a²", "a" + "9" * 5000, "7", "007", "", "a٣"]
    assert len(choose([row(name) for name in names], Choice())) == len(names)


@pytest.mark.parametrize(("choice", "sources"), [
    ({"flag": SURE}, ["photo 2", "photo 10"]), ({"flag": UNSURE}, ["fog", "zoo"]),
    ({"flag": NONE_OF_THESE}, ["alien", "fog"]), ({"flag": NO_ANSWER}, ["Bad"]),
    ({"best": "ant"}, ["alien", "fog", "photo 2"]), ({"best": "nobody"}, []),
    ({"least": 0.7}, ["alien", "photo 2", "photo 10"]), ({"most": 0.4}, ["fog", "zoo"]),
    ({"best": "ant", "flag": UNSURE, "most": 0.5}, ["fog"])])
def test_rows_are_chosen_by_flag_answer_and_confidence(
    choice: dict[str, object], sources: list[str]
) -> None:
    assert chosen(**choice) == sources


def test_flags_and_answers_are_counted() -> None:
    assert count_flags(ROWS) == {SURE: 2, UNSURE: 2, NONE_OF_THESE: 2, NO_ANSWER: 1}
    assert set(FLAGS) < set(count_flags(ROWS))
    assert count_answers(ROWS) == [("ant", 1, 2), ("bee", 1, 0), ("cat", 0, 1)]
    assert count_answers([failed("a")]) == []
