"""Reads the weights of a model from elsewhere out of its HDF5 file, as plain arrays.

Only what the plan needs is opened, step by step along hard links, and attributes never: one changed
byte in them can hang HDF5 for ever. Even so this belongs into a process that can be ended. Knows
neither zips nor TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.errors import BadInput, CnnError, Refused
from cnn.models.foreign.plan import Plan

MAX_NUMBERS = 50_000_000  # of all layers together; ResNet50 has 26 million
_MOST_ARRAYS = 8  # of one layer
_MOST_SIDES = 5
_SAVE_AGAIN = "Load the model where it was made and save it again."

Arrays = dict[str, list[NDArray[np.float32]]]  # by layer, in the order in which Keras keeps them


def read_weights(path: Path, plan: Plan) -> Arrays:
    """Return the weights of the layers of a plan.

    Args:
        path: Of the HDF5 file.
        plan: Says which layers have weights, and where they are.

    Raises:
        BadInput: If the file is damaged, or lacks some.
        Refused: If it points to other files, or is larger than it seems.
    """
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            return _read(file, plan)
    except CnnError:
        raise
    except Exception as error:  # a damaged file ends in a dozen kinds
        raise BadInput("The weights in the model file cannot be read "
                       f"({type(error).__name__}).", _SAVE_AGAIN) from error


def _read(file: Any, plan: Plan) -> Arrays:
    found: Arrays = {}
    left = MAX_NUMBERS
    for step in plan.steps:
        if not step.weights or step.layer in found:
            continue
        group = _member(file, step.weights.split("/"), step.layer)
        if len(group) > _MOST_ARRAYS:
            raise BadInput(f"The layer {step.layer} has too many arrays of weights.", _SAVE_AGAIN)
        found[step.layer] = []
        for number in range(len(group)):
            array = _member(group, [str(number)], step.layer)
            left -= _check(array, step.layer, left)
            found[step.layer].append(np.asarray(array[()], np.float32))
    return found


def _member(group: Any, names: list[str], layer: str) -> Any:
    """Return what lies at the end of a path of hard links."""
    import h5py

    for name in names:
        link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            raise BadInput(f"The weights of the layer {layer} are not in the model file.",
                           _SAVE_AGAIN)
        if type(link) is not h5py.HardLink:
            raise Refused(f"The weights of the layer {layer} are a link to somewhere else.",
                          _SAVE_AGAIN)
        group = group[name]
    return group


def _check(array: Any, layer: str, left: int) -> int:
    """Return how many numbers an array has that may be read."""
    import h5py

    if not isinstance(array, h5py.Dataset) or array.dtype.kind not in "fiu" \
            or array.dtype.subdtype or len(array.shape) > _MOST_SIDES:
        raise BadInput(f"The weights of the layer {layer} are no arrays of numbers.", _SAVE_AGAIN)
    kept = array.id.get_create_plist()
    if kept.get_layout() not in {h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT} \
            or kept.get_external_count() or kept.get_nfilters():
        raise Refused(f"The weights of the layer {layer} are packed or lie in another file.",
                      _SAVE_AGAIN)
    count = int(np.prod(array.shape, dtype=object))
    if count > left:
        raise Refused(f"The network has more than {MAX_NUMBERS:,} weights.",
                      "Give a smaller network.")
    if array.id.get_storage_size() != count * array.dtype.itemsize:
        raise Refused(f"The weights of the layer {layer} are larger than the file.", _SAVE_AGAIN)
    return count
