"""The inner values of a network for many images, and what is usual of them.

Needs TensorFlow through the network that it is given; knows nothing of files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Images
from cnn.evaluation.novelty import Look, Novelty, Values, learn_novelty

if TYPE_CHECKING:
    from cnn.models.inside import Inside

MOST_IMAGES = 2000  # of each kind: what is usual changes little with more
_BATCH = 250


class Looker:
    """Computes features, logits and mean channel values in batches.

    Args:
        inside: The network.
        fixed: Whether its weights stay as they are: it is quicker then.
    """

    def __init__(self, inside: Inside, fixed: bool = False) -> None:
        self._function = inside.compiled(fixed)

    def look(self, images: Images) -> tuple[NDArray[np.float32], Look]:
        """Return the features (N, F) of uint8 images (N, H, W, C), and the other values."""
        parts = [self._function(np.asarray(images[begin : begin + _BATCH], np.float32))
                 for begin in range(0, len(images), _BATCH)]
        features, logits = (np.concatenate([part[place].numpy() for part in parts])
                            for place in (0, 1))
        means = tuple(np.concatenate([values.numpy() for values in layer])
                      for layer in zip(*(part[2] for part in parts), strict=True))
        return features, Look(logits, means)

    def features(self, images: Images) -> NDArray[np.float32]:
        """Return what the last layer weighs, (N, F)."""
        return self.look(images)[0]


def softmax(logits: Values) -> NDArray[np.float32]:
    """Return the probabilities of logits (N, K)."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def novelty_of(inside: Inside, training: Images, validation: Images) -> Novelty:
    """Learn what is usual for a network, from at most 2,000 images of each kind.

    Args:
        inside: The network, its temperature already in its weights.
        training: uint8 (N, H, W, C), images that it learned from.
        validation: Images that it did not learn from.
    """
    looker = Looker(inside)
    return learn_novelty(*(looker.look(_some(images))[1] for images in (training, validation)))


def _some(images: Images) -> Images:
    if len(images) <= MOST_IMAGES:
        return images
    rows = np.random.default_rng(0).choice(len(images), MOST_IMAGES, replace=False)
    return images[np.sort(rows)]
