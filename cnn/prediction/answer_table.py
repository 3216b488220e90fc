"""Tables of answers: what is said of each, which of them are chosen, and in which order.

One set of rules for what the page shows, for its CSV and for that of the command. Knows neither
widgets nor files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cnn.prediction.client import Prediction

SURE, UNSURE, NONE_OF_THESE, NO_ANSWER = "sure", "unsure", "none of these", "no answer"
FLAGS = (UNSURE, NONE_OF_THESE, NO_ANSWER)
UNSURE_BELOW = 0.5  # calibrated: an answer below is more likely wrong than right


@dataclass(frozen=True)
class Row:
    """One picture and what the model says of it."""

    key: str  # tells it from the others
    source: str  # what a person calls it
    answer: Prediction

    @property
    def best(self) -> str:
        """The most probable class; empty without an answer."""
        return self.answer.top[0][0] if self.answer.top else ""

    @property
    def confidence(self) -> float:
        """Probability of the best class, 0 to 1; -1 without an answer."""
        return self.answer.top[0][1] if self.answer.top else -1.0

    @property
    def flags(self) -> tuple[str, ...]:
        """What to beware of: some of `FLAGS`; none if the model is sure."""
        return flags_of(self.answer)


def flags_of(answer: Prediction) -> tuple[str, ...]:
    """Return what to beware of in an answer, some of `FLAGS`."""
    if answer.error or not answer.top:
        return (NO_ANSWER,)
    unsure = (UNSURE,) if answer.top[0][1] < UNSURE_BELOW else ()
    return (*unsure, NONE_OF_THESE) if answer.unlike else unsure


def csv_row(source: str, answer: Prediction, top: int) -> dict[str, Any]:
    """Return one picture as a line of CSV.

    Args:
        source: What a person calls the picture.
        answer: Or the error in its place.
        top: How many classes.
    """
    row: dict[str, Any] = {"source": source}
    for place in range(top):
        known = answer.top[place] if place < len(answer.top) else ("", "")
        row[f"answer_{place + 1}"], row[f"probability_{place + 1}"] = known
    flags = flags_of(answer)
    for flag in (NONE_OF_THESE, UNSURE):
        row[flag.replace(" ", "_")] = "" if NO_ANSWER in flags else flag in flags
    return row | {"error": str(answer.error or "")}


def _by_name(row: Row) -> tuple[Any, ...]:
    # Photo 2 before photo 10: of two numbers, the longer one is the larger. Texts and numbers take
    # turns, so that they never meet.
    parts = re.split(r"0*(\d+)", row.source.casefold())
    return tuple((len(part), part) if i % 2 else part for i, part in enumerate(parts))


ORDERS: dict[str, Callable[[Row], Any]] = {
    "Name": _by_name,
    "Least sure first": lambda row: (row.best == "", row.confidence),
    "Most sure first": lambda row: -row.confidence,
    "Answer": lambda row: (row.best == "", row.best, -row.confidence),
}


@dataclass(frozen=True)
class Choice:
    """Which answers are wanted, and in which order."""

    flag: str = ""  # one of SURE and `FLAGS`; empty for any
    best: str = ""  # the answer; empty for any
    least: float = 0.0  # confidence; 0 to 1
    most: float = 1.0
    order: str = "Name"  # one of `ORDERS`


def choose(rows: Sequence[Row], choice: Choice) -> list[Row]:
    """Return the rows that are wanted. Without an answer there is no confidence to be chosen by."""
    narrow = choice.least > 0 or choice.most < 1
    found = [row for row in rows
             if _has(row, choice.flag)
             and choice.best in ("", row.best)
             and (not narrow or choice.least <= row.confidence <= choice.most)]
    return sorted(found, key=ORDERS[choice.order])


def _has(row: Row, flag: str) -> bool:
    return flag in row.flags if flag in FLAGS else not flag or not row.flags


def count_flags(rows: Sequence[Row]) -> dict[str, int]:
    """Return how many are sure, and how many have each flag; one can have two."""
    return {flag: sum(_has(row, flag) for row in rows) for flag in (SURE, *FLAGS)}


def count_answers(rows: Sequence[Row]) -> list[tuple[str, int, int]]:
    """Return each answer that was given, how often without and with a flag, the commonest first."""
    sure = Counter(row.best for row in rows if row.best and not row.flags)
    flagged = Counter(row.best for row in rows if row.best and row.flags)
    together = sure + flagged
    return [(name, sure[name], flagged[name])
            for name in sorted(together, key=lambda name: (-together[name], name))]
