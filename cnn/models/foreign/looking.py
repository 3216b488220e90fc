"""Looks into a model file from elsewhere: the first of two processes, without TensorFlow.

    python -m cnn.models.foreign.looking FOLDER

Started by `cnn.confined`. It answers with what the network is, and leaves its weights as plain
arrays in the folder. Knows nothing of what becomes of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cnn.confined import serve
from cnn.models.foreign.archive import CONFIG, METADATA, copy_weights, open_model, read_text
from cnn.models.foreign.config import parse_config
from cnn.models.foreign.ending import ending_of, scales_itself
from cnn.models.foreign.plan import Plan, plan_of
from cnn.models.foreign.weights import Arrays, read_weights

ARRAYS = "weights.npz"
_HDF5 = "weights.h5"


def look_into(path: Path, folder: Path) -> tuple[Plan, Arrays]:
    """Return the network in a `.keras` file.

    Args:
        path: Of the file.
        folder: For a copy of its weights.

    Raises:
        BadInput: If it cannot be read, or is no network that classifies pictures.
        Refused: If it holds or does what is not allowed.
    """
    with open_model(path) as archive:
        plan = plan_of(parse_config(read_text(archive, METADATA), read_text(archive, CONFIG)))
        ending_of(plan)
        copy = folder / _HDF5
        copy_weights(archive, copy)
    return plan, read_weights(copy, plan)


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write weights as plain arrays; `read_arrays` reads them."""
    named: dict[str, Any] = {f"{layer}|{number}": array for layer, several in arrays.items()
                             for number, array in enumerate(several)}
    np.savez(path, **named)


def read_arrays(path: Path) -> Arrays:
    """Return what `write_arrays` wrote."""
    found: Arrays = {}
    with np.load(path, allow_pickle=False) as stored:
        for key in stored.files:  # in the order in which they were written
            found.setdefault(key.rpartition("|")[0], []).append(stored[key])
    return found


def _work(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    plan, arrays = look_into(Path(request["path"]), folder)
    write_arrays(folder / ARRAYS, arrays)
    ending = ending_of(plan)
    return {"plan": plan.to_dict(), "answers": ending.answers, "classes": ending.classes,
            "parameters": sum(one.size for several in arrays.values() for one in several),
            "scaling": scales_itself(plan)}


def _prepare() -> None:
    import h5py  # noqa: F401  before doors are closed: it loads libraries


if __name__ == "__main__":
    serve(_work, _prepare)
