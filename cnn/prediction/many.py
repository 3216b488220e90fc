"""Answers to many pictures: read a few ahead, asked in batches, gathered by a thread of the server.

For pages and commands alike. No more pictures are in memory than one batch and those being read.
Knows neither where pictures come from nor how answers are shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from cnn.data.jobs import Jobs, JobState
from cnn.data.progress import Progress, with_time_left
from cnn.errors import CnnError, Unavailable
from cnn.prediction.batching import MOST_BYTES, MOST_PICTURES
from cnn.prediction.client import EngineClient, Prediction

READ_AHEAD = 16  # pictures that are read or fetched at the same time, while the engine works
CLASSES_KEPT = 3  # of each answer in a sheet: with all of a hundred, answers outweigh thumbnails
_KEY = "answers"  # a sheet has one piece of work at a time
Read = bytes | CnnError


@dataclass(frozen=True)
class Item:
    """One picture of many."""

    source: str  # what a person calls it: a file or a link
    read: Callable[[], bytes]  # encoded; raises a `CnnError` if it cannot be had


@dataclass(frozen=True)
class Question:
    """What is asked of each picture."""

    model: str
    how: str = ""  # crop, fit or stretch; empty for what the model's card says
    average: bool = False  # over several views of each picture


def answers_of(
    engine: EngineClient, question: Question, items: Iterable[Item], thumbnails: bool = False
) -> Generator[Prediction, None, None]:
    """Yield the answer to each picture in order; one that cannot be used has its own error.

    Close it to end early; answers that it yielded are final.

    Args:
        engine: Is asked.
        question: The same for all.
        items: Read as they are needed.
        thumbnails: Whether answers have a thumbnail.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine cannot be started, or does not survive one batch after another.
    """
    threads = ThreadPoolExecutor(READ_AHEAD, "read-pictures")
    lost = False  # whether the engine did not survive the last question
    try:
        for batch in _batches(_read_ahead(items, threads)):
            pictures = [one for one in batch if isinstance(one, bytes)]
            try:
                found = engine.predict(question.model, pictures, question.how,
                                       average=question.average, thumbnails=thumbnails)
                lost = False
            except Unavailable as error:
                # One picture may kill the engine; several: it is not the pictures.
                if lost or len(pictures) > 1:
                    raise
                found, lost = [Prediction(error=error)], True
            answers = iter(found)
            for one in batch:
                yield next(answers) if isinstance(one, bytes) else Prediction(error=one)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _read_ahead(items: Iterable[Item], threads: ThreadPoolExecutor) -> Iterator[Future[Read]]:
    """Yield the pictures in order, as soon as the one in front is asked for."""
    rest, waiting = iter(items), deque[Future[Read]]()
    while True:
        while len(waiting) < READ_AHEAD and (item := next(rest, None)):
            waiting.append(threads.submit(_read, item))
        if not waiting:
            return
        yield waiting.popleft()


def _read(item: Item) -> Read:
    try:
        return item.read()
    except CnnError as error:
        return error


def _batches(pictures: Iterable[Future[Read]]) -> Iterator[list[Read]]:
    """Yield what is there, up to a batch: a slow link does not keep those before it waiting."""
    batch: list[Read] = []
    size = 0
    for future in pictures:
        if batch and not future.done():
            yield batch
            batch, size = [], 0
        batch.append(future.result())
        size += _weight(batch[-1])
        if len(batch) == MOST_PICTURES or size >= MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _weight(read: Read) -> int:
    return len(read) if isinstance(read, bytes) else 0


class Sheet:
    """Answers to one question about many pictures, which a thread of the server gathers.

    Args:
        engine: Is asked.
        question: The same for all pictures.
    """

    def __init__(self, engine: EngineClient, question: Question) -> None:
        self.question = question
        self.answers: dict[str, Prediction] = {}  # by the key of the picture; grows meanwhile
        self._engine = engine
        self._jobs = Jobs("table of answers")  # its own: what nobody looks at any more is forgotten

    def ask(self, items: Mapping[str, Item]) -> None:
        """Begin to gather the answers that are missing, unless that is under way.

        Args:
            items: The pictures by keys that tell them apart.
        """
        missing = {key: item for key, item in items.items() if key not in self.answers}
        self._jobs.start(_KEY, partial(self._gather, missing))

    def look(self) -> JobState | None:
        """Return how far the work is, or how the last one ended; None before the first."""
        return self._jobs.look(_KEY)

    def cancel(self) -> None:
        """Ask the work to end; what is answered stays."""
        self._jobs.cancel(_KEY)

    def _gather(self, items: Mapping[str, Item], tell: Progress) -> None:
        tell("Asking the model" if self._engine.ready else
             "Starting the prediction engine (TensorFlow): about 10 seconds, once", 0, 0)
        # First and once: an engine that does not start is not tried again for every picture.
        self._engine.call({"op": "ready", "model": self.question.model})
        told = with_time_left(tell)
        answers = answers_of(self._engine, self.question, items.values(), thumbnails=True)
        with closing(answers):
            for done, key in enumerate(items):
                told("Asking the model", done, len(items))
                found = next(answers)
                self.answers[key] = replace(found, top=found.top[:CLASSES_KEPT])
