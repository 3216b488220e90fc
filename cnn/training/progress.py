"""How far a training is: everything of it that is neither a weight nor follows from the settings.

Plain data, written into checkpoints by `checkpoint`; knows nothing of models or files.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Partial:
    """What is done of an epoch that is not whole yet: sums over its first batches."""

    batch: int = 0  # batches done
    seen: int = 0  # images
    right: int = 0
    loss: float = 0.0  # sum over images
    seconds: float = 0.0


@dataclass
class Progress:
    """How far training is, and the best so far."""

    epoch: int = 0  # finished epochs
    partial: Partial = Partial()  # of the epoch after it
    best_epoch: int = 0  # highest validation accuracy, then lowest loss; 0: none finished yet
    better_epoch: int = 0  # the last with a higher validation accuracy than all before
    best_val_accuracy: float = -1.0
    best_val_loss: float = float("inf")
    best_weights: list[Any] = field(default_factory=list)
    lowest_val_loss: float = float("inf")
    epochs_since_lowest: int = 0
    seconds: float = 0.0  # of training so far, over all sittings
    last: dict[str, Any] = field(default_factory=dict)  # the EpochEvent of `epoch`
    stopped: str = ""  # why it ended before the last epoch asked for

    def to_dict(self) -> dict[str, Any]:
        """Return all but the weights as JSON-ready values."""
        plain = (f.name for f in fields(self) if f.name != "best_weights")  # those may be large
        return {name: getattr(self, name) for name in plain} | {"partial": asdict(self.partial)}


def progress_from_dict(data: dict[str, Any], best_weights: list[Any]) -> Progress:
    """Rebuild what `Progress.to_dict` wrote.

    Raises:
        ValueError, TypeError: If fields are missing or foreign.
    """
    values = dict(data)
    if set(values) != set(Progress().to_dict()):
        raise ValueError("other fields of progress")
    partial = Partial(**values.pop("partial"))
    return Progress(**values, partial=partial, best_weights=best_weights)
