"""What a trainer keeps of each epoch to look back at, without ever being held up by it.

Snapshots are written into the run's folder by a thread, while the next epoch trains on; whatever
goes wrong there is said once in the log. Knows nothing of what is in a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from cnn.data.dataset import Dataset, Labels
from cnn.errors import CnnError
from cnn.runs.folder import RunFolder
from cnn.training.snapshots import About, snapshot_bytes


class Keepsakes:
    """Takes a snapshot after each epoch.

    One is written at a time: an epoch that ends before waits. `finish` has to be called at the end.

    Args:
        folder: The run's.
        architecture: Of its network.
        dataset: That it trains on.
        labels: Of its validation images.
        log: Told once if none can be kept; always by the caller's thread.
    """

    def __init__(
        self, folder: RunFolder, architecture: str, dataset: Dataset, labels: Labels,
        log: Callable[[str], None],
    ) -> None:
        self._snapshots = folder.snapshots
        self._labels, self._log, self._said = labels, log, ""
        self._about = About(architecture, dataset.image_shape, tuple(dataset.class_names),
                            dataset.name, dataset.resize, dataset.dark_background)
        self._writer = ThreadPoolExecutor(1, "snapshots")
        self._writing: Future[None] | None = None

    def keep(self, epoch: int, model: Any, answers: Labels) -> None:
        """Begin to keep the weights of a model, and what it answered to the validation images.

        Both are copied before this returns, so that training may go on.
        """
        if len(answers) != len(self._labels):
            return
        self.finish()
        self._writing = self._writer.submit(
            self._write, epoch, model.get_weights(), answers.copy())

    def _write(self, epoch: int, weights: Sequence[Any], answers: Labels) -> None:
        data = snapshot_bytes(weights, self._about, answers, self._labels)
        self._snapshots.write(epoch, data)

    def finish(self) -> None:
        """Wait until what was begun is on the disk, or has failed."""
        writing, self._writing = self._writing, None
        if writing is not None:
            self._try(writing.result)

    def forget_after(self, epoch: int) -> None:
        """Forget later epochs: they will come again, and otherwise."""
        self.finish()
        self._try(lambda: self._snapshots.forget_after(epoch))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (CnnError, OSError) as error:
            if str(error) != self._said:
                self._said = str(error)
                self._log(self._said)
