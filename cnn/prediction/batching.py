"""Pictures that wait for the engine at the same time go to it together.

Nobody waits for company: while the engine works, what comes meanwhile gathers, and the next batch
takes all of it that asks the same. So a single request is as quick as without, and many at once
share what a batch saves. A picture that kills the engine takes its neighbours with it once: those
of a batch that failed are then asked one by one. Knows neither processes nor pipes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cnn.errors import CnnError
from cnn.prediction.patience import Patience

MOST_PICTURES = 32  # of one batch: larger ones are no quicker, and others would wait longer
MOST_BYTES = 32 * 2**20  # of one batch, encoded: some large photos take as long as many small
PICTURE_SECONDS = 15.0  # for one, until an answer or a plain sentence
EACH_MORE_SECONDS = 0.5  # for each further one of a batch

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass
class _Waiting(Generic[Question, Answer]):
    """One picture; done when it has an answer or a failure."""

    question: Question
    picture: bytes
    answer: Answer | None = None
    failure: CnnError | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.failure is not None


class Batcher(Generic[Question, Answer]):
    """Gathers pictures from many threads into batches; there is no thread of its own.

    Args:
        ask: Given a question, pictures and how long they may take, returns one answer for each, or
            None if the engine did not survive them. What it raises as `CnnError` holds for the
            whole batch.
        died: Makes the failure of a picture that the engine did not survive on its own.
    """

    def __init__(
        self, ask: Callable[[Question, Sequence[bytes], Patience], list[Answer] | None],
        died: Callable[[], CnnError],
    ) -> None:
        self._ask, self._died = ask, died
        self._changed = threading.Condition()
        self._queue: deque[_Waiting[Question, Answer]] = deque()
        self._busy = False

    def __call__(self, question: Question, pictures: Sequence[bytes]) -> list[Answer | CnnError]:
        """Return the answer to each picture, or what went wrong with it.

        Args:
            question: What is asked of each; only equal questions share a batch.
            pictures: Encoded. Of more than a batch the rest queues up behind the others again.
        """
        results: list[Answer | CnnError] = []
        for begin in range(0, len(pictures), MOST_PICTURES):
            part = pictures[begin:begin + MOST_PICTURES]
            results += self._wait_for([_Waiting(question, picture) for picture in part])
        return results

    def _wait_for(self, mine: list[_Waiting[Question, Answer]]) -> list[Answer | CnnError]:
        with self._changed:
            self._queue.extend(mine)
        while True:
            with self._changed:
                while self._busy and not _all_done(mine):
                    self._changed.wait()
                if _all_done(mine):
                    break
                self._busy = True
                batch = self._take()
            try:
                self._answer(batch)
            finally:
                self._end(batch)
        return [one.failure or one.answer for one in mine]  # type: ignore[misc]

    def _take(self) -> list[_Waiting[Question, Answer]]:
        """Remove from the queue the oldest and those behind it that ask the same."""
        batch: list[_Waiting[Question, Answer]] = []
        rest: deque[_Waiting[Question, Answer]] = deque()
        size = 0
        for one in self._queue:
            fits = len(batch) < MOST_PICTURES and size + len(one.picture) <= MOST_BYTES
            if not batch or (fits and one.question == batch[0].question):
                batch.append(one)
                size += len(one.picture)
            else:
                rest.append(one)
        self._queue = rest
        return batch

    def _answer(self, batch: list[_Waiting[Question, Answer]]) -> None:
        patience = Patience(PICTURE_SECONDS + EACH_MORE_SECONDS * (len(batch) - 1))
        if not self._try(batch, patience):
            for one in batch:  # which of them it was, nobody knows
                if not self._try([one], patience):
                    one.failure = self._died()

    def _try(self, batch: list[_Waiting[Question, Answer]], patience: Patience) -> bool:
        try:
            answers = self._ask(batch[0].question, [one.picture for one in batch], patience)
        except CnnError as error:
            if type(error) is CnnError and len(batch) > 1:  # nobody expected it: perhaps one's own
                return False
            for one in batch:
                one.failure = error
            return True
        if answers is None:
            return False
        for one, answer in zip(batch, answers, strict=True):
            one.answer = answer
        return True

    def _end(self, batch: list[_Waiting[Question, Answer]]) -> None:
        with self._changed:
            for one in batch:
                if not one.done:  # the asking thread failed in a way that nobody expected
                    one.failure = CnnError("The question to the prediction engine failed.",
                                           "Try again; the terminal has the details.")
            self._busy = False
            self._changed.notify_all()


def _all_done(waiting: list[_Waiting[Question, Answer]]) -> bool:
    return all(one.done for one in waiting)
