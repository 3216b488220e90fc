"""What a trainer keeps of each epoch to look back at, without ever being held up by it.

Writes snapshots into the run's folder; whatever goes wrong there is said once in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnn.data.dataset import Dataset, Labels
from cnn.errors import CnnError
from cnn.runs.folder import RunFolder
from cnn.training.snapshots import About, snapshot_bytes


class Keepsakes:
    """Takes a snapshot after each epoch.

    Args:
        folder: The run's.
        architecture: Of its network.
        dataset: That it trains on.
        labels: Of its validation images.
        log: Told once if none can be kept.
    """

    def __init__(
        self, folder: RunFolder, architecture: str, dataset: Dataset, labels: Labels,
        log: Callable[[str], None],
    ) -> None:
        self._snapshots = folder.snapshots
        self._labels, self._log, self._said = labels, log, ""
        self._about = About(architecture, dataset.image_shape, tuple(dataset.class_names),
                            dataset.name, dataset.resize, dataset.dark_background)

    def keep(self, epoch: int, model: Any, answers: Labels) -> None:
        """Keep the weights of a model, and what it answered to the validation images."""
        if len(answers) != len(self._labels):
            return
        data = snapshot_bytes(model.get_weights(), self._about, answers, self._labels)
        self._try(lambda: self._snapshots.write(epoch, data))

    def forget_after(self, epoch: int) -> None:
        """Forget later epochs: they will come again, and otherwise."""
        self._try(lambda: self._snapshots.forget_after(epoch))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (CnnError, OSError) as error:
            if str(error) != self._said:
                self._said = str(error)
                self._log(self._said)
