"""What the epochs of a run say about it: whether it learns its images by heart, and what may help.

Pure functions of epoch records and a configuration; needs no TensorFlow. Knows nothing of run
folders, charts or pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.config import RunConfig
from cnn.models.defaults import NEVER_MIRRORED
from cnn.models.registry import architecture_names, get_architecture
from cnn.models.specs import Dropout, LayerSpec
from cnn.models.weighted import BatchNorm

PATIENCE = 3  # epochs that the validation loss must have been rising for
_FEWEST_EPOCHS = 6  # with fewer, nobody can tell a rise from noise
# Of 200 simulated trainings of 40 epochs whose validation loss only wobbled, by 2 to 20 % around a
# constant, 0 to 0.3 % of the looks saw a rise that was none (up to 4 % where half of one epoch's
# wobble carried over to the next); a real rise of 5 % an epoch was named five to six epochs after
# it had begun.
_NOISES = 3.0  # how many times the usual step between epochs a rise must be
_LEAST_RISE = 0.05  # of the lowest loss
_LEAST_LOSS = 0.01  # below, some few images decide
_LEAST_FALL = 0.02  # of the training loss meanwhile
_NOMINAL = (32, 32, 3), 10  # what kinds of layers there are does not depend on images or classes


@dataclass(frozen=True)
class Overfitting:
    """Since `since`, validation loss has risen while training loss fell.

    Losses are means over three epochs, so they are not those of a single epoch.
    """

    since: int  # epoch around which the validation loss was lowest
    until: int  # the last epoch
    val_loss: float  # around `since`
    last_val_loss: float  # of the last three epochs
    loss: float  # in training, around `since`
    last_loss: float


def find_overfitting(epochs: Sequence[Mapping[str, Any]]) -> Overfitting | None:
    """Return since when a run overfits, or None if it does not or nobody can tell.

    Noise between epochs is no rise: the last three epochs must be higher than around the lowest by
    several times the usual step from epoch to epoch, and by 5 %.

    Args:
        epochs: Records as `cnn.training.events.EpochEvent` has them, oldest first, each epoch once.
    """
    if len(epochs) < _FEWEST_EPOCHS:
        return None
    val_losses = np.array([epoch["val_loss"] for epoch in epochs], float)
    losses = np.array([epoch["loss"] for epoch in epochs], float)
    if not np.isfinite([val_losses, losses]).all():
        return None
    smooth, smooth_training = _smoothed(val_losses), _smoothed(losses)
    low = int(smooth.argmin())
    if len(epochs) - 1 - low < PATIENCE:
        return None
    last, last_training = val_losses[-PATIENCE:].mean(), losses[-PATIENCE:].mean()
    if not (_rises(val_losses, low, smooth[low])
            and last_training < (1 - _LEAST_FALL) * smooth_training[low]):
        return None
    return Overfitting(int(epochs[low]["epoch"]), int(epochs[-1]["epoch"]), float(smooth[low]),
                       float(last), float(smooth_training[low]), float(last_training))


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(values, 1, mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


def _rises(val_losses: NDArray[np.float64], low: int, lowest: float) -> bool:
    """Whether the losses rise from index `low` on by more than noise."""
    tail = val_losses[max(low - 1, 0):]
    last = val_losses[-PATIENCE:]
    # The first epochs fall steeply, which is no noise. A median is not moved by one odd epoch.
    step = max(_usual_step(tail), _usual_step(val_losses[2:]))
    needed = max(_LEAST_RISE * lowest, _LEAST_LOSS, _NOISES * step)
    slope = np.polyfit(np.arange(len(tail)), tail, 1)[0]
    return bool(last.min() > lowest and last.mean() - lowest > needed and slope > 0)


def _usual_step(values: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(np.diff(values))))


def in_words(found: Overfitting) -> str:
    """Return a finding as two plain sentences."""
    return (f"Overfitting since epoch {found.since}: validation loss rose from "
            f"{found.val_loss:.3f} to {found.last_val_loss:.3f}, while training loss fell from "
            f"{found.loss:.3f} to {found.last_loss:.3f}. The network learns its training images "
            "by heart; the saved model is that of the best epoch all the same.")


def remedies(config: RunConfig, found: Overfitting) -> list[str]:
    """Return what to try next time, each as a sentence; what is on already is left out."""
    said = [_dropout(config.architecture), _augmentation(config)]
    if not config.early_stopping:
        said.append("Set early stopping to 3 or more: training then ends by itself.")
    if config.train_images:
        said.append(f"Train on more images: {config.train_images:,} were asked for.")
    said.append(f"Ask for fewer epochs: about {found.since} were enough.")
    return [sentence for sentence in said if sentence]


def _augmentation(config: RunConfig) -> str:
    if config.augmentation.active:
        return ""
    mirror = "" if config.dataset in NEVER_MIRRORED else ", mirror them where left is as good " \
                                                         "as right"
    return f"Change training images at random: shift them by a tenth{mirror}."


def _dropout(architecture: str) -> str:
    """Return which network with dropout to take instead, if that is wise."""
    if architecture not in architecture_names():  # the run is of another version
        return ""
    layers = _layers(architecture)
    # Dropout shifts the variance that batch normalisation has learned to expect.
    if any(isinstance(layer, (Dropout, BatchNorm)) for layer in layers):
        return ""
    own = f"{architecture}-dropout"
    network = own if own in architecture_names() else "dropout"
    return f"Take a network with dropout: the architecture {network}."


def _layers(architecture: str) -> list[LayerSpec]:
    return [layer for _, layer in get_architecture(architecture).layers(*_NOMINAL)]
