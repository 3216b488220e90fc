"""What the training loop tells its caller: plain records, no widgets and no files.

The loop emits them; a run folder stores them as JSON lines; CLI and pages draw them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnn.errors import CnnError

STOPPED_BY_HAND = "stopped by hand"
PAUSED = "paused"


@dataclass(frozen=True)
class BatchEvent:
    """Progress inside an epoch; emitted a few times a second."""

    epoch: int  # from 1
    batch: int  # batches done in this epoch
    batches: int  # in a whole epoch
    loss: float  # mean cross-entropy since the event before
    accuracy: float  # fraction right since the event before
    learning_rate: float
    images_per_second: float
    seconds: float  # since training began
    seconds_left: float | None  # estimate for the epochs asked for; not known after one step


@dataclass(frozen=True)
class EpochEvent:
    """The end of an epoch, after validation."""

    epoch: int
    loss: float  # mean cross-entropy over the epoch, while weights changed; without L2 terms
    accuracy: float
    val_loss: float  # cross-entropy
    val_accuracy: float
    learning_rate: float
    images_per_second: float  # of the training part
    seconds: float  # since training began
    best: bool  # highest validation accuracy so far


@dataclass(frozen=True)
class NoteEvent:
    """Something worth a mark on the chart, such as a lower learning rate."""

    epoch: int
    text: str
    seconds: float


@dataclass(frozen=True)
class ResumeEvent:
    """Training goes on after `epoch` and some batches more; what was told of later ones is void."""

    epoch: int
    seconds: float
    batch: int = 0  # batches done of the next epoch
    batches: int = 1  # in a whole epoch


@dataclass(frozen=True)
class ChangeEvent:
    """A person changed a setting while it trained: worth a mark on the chart."""

    epoch: int  # that was under way, from 1
    batch: int  # batches of it that were done
    batches: int
    text: str  # what is now otherwise, as a sentence
    seconds: float


@dataclass(frozen=True)
class PinsEvent:
    """What the network makes of the pictures that a person pinned, after an epoch."""

    epoch: int
    tops: list[list[tuple[str, float]]]  # for each picture: classes and probabilities, best first


Event = BatchEvent | EpochEvent | NoteEvent | ResumeEvent | ChangeEvent | PinsEvent
OnEvent = Callable[[Event], None]
EVENT_KINDS: dict[type, str] = {
    BatchEvent: "batch", EpochEvent: "epoch", NoteEvent: "note", ResumeEvent: "resume",
    ChangeEvent: "change", PinsEvent: "pins"}


def place_of(record: Mapping[str, Any]) -> float:
    """Return where a stored batch, change or resume stands, in epochs: 2.5 is amid the third.

    Raises:
        KeyError, TypeError, ZeroDivisionError: If the record is damaged.
    """
    if record["kind"] == EVENT_KINDS[ResumeEvent]:  # older ones know no batches
        return float(record["epoch"] + record.get("batch", 0) / record.get("batches", 1))
    return float(record["epoch"] - 1 + record["batch"] / record["batches"])


class Diverged(CnnError):
    """The loss became infinite or not a number."""

    kind = "diverged"
