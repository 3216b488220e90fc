"""What is known of test images beside their class: brightness, original, group.

For asking where a model is weaker. Knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Dataset, Images, Labels
from cnn.data.items import read_items
from cnn.data.stock import changed_state, read_edits
from cnn.data.store import set_folder

_LIGHT = np.array([0.299, 0.587, 0.114])  # of red, green and blue (ITU-R BT.601)
_BLOCK = 2**22  # values that are looked at together


@dataclass(frozen=True)
class Originals:
    """The files that the N test images of an imported set were made from."""

    files: tuple[str, ...]  # folders and name as in the source
    sides: Labels  # (N,), pixels of the shorter side
    groups: Labels | None  # (N,); None if the set has no groups
    group_names: tuple[str, ...]  # of the first groups; those behind have one picture each


def brightness(images: Images) -> NDArray[np.float64]:
    """Return the mean brightness of each image, 0 (black) to 255 (white), (N,).

    Args:
        images: uint8 (N, H, W, 1 or 3); may be larger than the memory.
    """
    weights = _LIGHT if images.shape[3] == 3 else np.ones(1)
    block = max(_BLOCK // int(np.prod(images.shape[1:])), 1)
    means = [np.asarray(images[start:start + block]).mean(axis=(1, 2)) @ weights
             for start in range(0, len(images), block)]
    return np.concatenate(means)


def originals_of_test(data: Dataset) -> Originals | None:
    """Return what is known of the originals of the test images; None if the set has none.

    Raises:
        Damaged: If the set's list of files cannot be read.
        BadInput: If its changes cannot be understood.
    """
    if data.test_items is None:
        return None
    folder, own = set_folder(data.name), data.test_items
    items = read_items(folder)
    groups = changed_state(folder, read_edits(folder)).groups
    return Originals(
        tuple(items.names[item] for item in own.tolist()),
        np.minimum(items.widths, items.heights)[own],
        None if groups is None else groups[own], items.group_names)
