"""Maps of the images of a data set: made once in a process of their own, then kept on disk.

Needs neither TensorFlow nor scikit-learn; `cnn.prediction.embedding` is the process. A map is kept
by the fingerprint of the data, what was compared, and the method.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data import looks
from cnn.data.dataset import Dataset, Labels
from cnn.prediction.saved import MODEL_FILE, Card, model_folder
from cnn.short_work import Background, answer_of

SECONDS_AT_MOST = 600.0  # half a minute on a quiet laptop; beside a training far more
_one_at_a_time = threading.Lock()  # several maps at once would only slow each other down

Subject = tuple[str, str, str]  # data set, saved model or "" for pixels, method


@dataclass(frozen=True)
class Map:
    """Where n training images lie in the plane."""

    rows: Labels  # int64 (n,), which training images
    points: NDArray[np.float64]  # (n, 2)
    nearest: Labels  # int64 (n, k), the most similar others, as positions in `rows`
    agreement: float  # share of the images whose most similar one is of their class, 0 to 1
    explained: tuple[float, ...]  # share of the variance along each axis, 0 to 1; PCA only
    dimensions: int  # how many numbers of each image were compared
    seconds: float  # that it took to make

    def place_of(self, row: int) -> int | None:
        """Return where in `rows` a training image is, or None if it is not on the map."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else None


def fits(card: Card, data: Dataset) -> bool:
    """Whether the features of a saved model can be compared for the images of a data set."""
    return tuple(card.input_shape) == data.image_shape and not card.needs_cnn


def known_map(data: Dataset, model: str, method: str) -> Map | None:
    """Return a map that was made before.

    Args:
        data: The data set.
        model: A saved model whose features are compared; "" for pixels.
        method: One of `embedding.METHODS`.

    Raises:
        NotFound: If there is no such model.
    """
    kept = looks.find(data.fingerprint, _name(model, method))
    try:
        found = None if kept is None else _from_arrays(kept)
    except (KeyError, TypeError, ValueError):  # of another version: it is made again
        return None
    sound = found is not None and found.points.shape == (len(found.rows), 2) \
        and len(found.rows) > 0 and found.rows.min() >= 0 \
        and found.rows.max() < len(data.train_labels)
    return found if sound else None


def make_map(dataset: str, model: str, method: str) -> None:
    """Make a map in a new process and keep it for `known_map`; takes seconds to minutes.

    Raises:
        CnnError: If it cannot be made.
    """
    name = _name(model, method)
    request = json.dumps({"dataset": dataset, "model": model, "method": method})
    with _one_at_a_time:
        answer = answer_of([sys.executable, "-m", "cnn.prediction.embedding", request],
                           SECONDS_AT_MOST, "The map",
                           "The computer may be very busy: try again later.")
    fingerprint = answer.pop("fingerprint")  # of the data that the process has seen
    looks.keep(fingerprint, name, {key: np.asarray(value) for key, value in answer.items()})


def _name(model: str, method: str) -> str:
    if not model:
        return f"map-{method}-pixels"
    stat = (model_folder(model) / MODEL_FILE).stat()
    return f"map-{method}-model-{model}-{stat.st_mtime_ns:x}-{stat.st_size:x}"


def _from_arrays(kept: dict[str, NDArray[Any]]) -> Map:
    return Map(kept["rows"], kept["points"], kept["nearest"], float(kept["agreement"]),
               tuple(kept["explained"].tolist()), int(kept["dimensions"]), float(kept["seconds"]))


background = Background(make_map, "map")  # of this server process, for all visitors
