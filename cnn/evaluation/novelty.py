"""How unlike the training images a picture is to a network: "probably none of these".

Two signs, each measured against what is usual on validation images, and added: how little the
network finds of any class (the energy of Liu et al., arXiv 2010.03759), and how unusual the mean
values of its feature maps are (distances after Lee et al., arXiv 1807.03888, over all classes).
Nothing is learned from pictures of other things. NumPy only; knows nothing of networks: their inner
values come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.errors import Damaged
from cnn.files import atomic_path

FILE_NAME = "novelty.npz"
UNLIKE = 0.95  # from this novelty on: one in twenty pictures like the training images reaches it
DIRECTIONS = 32  # of a layer's values in which the spread is known one by one
_TINY = 1e-12

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Look:
    """What a network made of N images."""

    logits: Values  # (N, K)
    means: tuple[Values, ...]  # of each channel of some layers' feature maps, (N, C) each


@dataclass(frozen=True)
class Spread:
    """How the values of one layer vary: in a few directions each, in all others together."""

    mean: Values  # (C,)
    directions: Values  # (C, R), at right angles, of length 1
    variances: Values  # (R,)
    rest: float  # mean variance in the other directions

    def distance(self, values: Values) -> Values:
        """Return the squared distance from the mean, in units of what is usual; (N, C) to (N,)."""
        away = values.astype(np.float64) - self.mean
        along = away @ self.directions
        across = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        found: Values = (along**2 / self.variances).sum(axis=1) + across / self.rest
        return found


@dataclass(frozen=True)
class Novelty:
    """What is usual for one network, to compare pictures with."""

    spreads: tuple[Spread, ...]  # of the layers, in the order of `Look.means`
    usual: Values  # (1 + layers,), mean of each sign on validation images, energy first
    scale: Values  # (1 + layers,), their standard deviation
    layers_scale: float  # standard deviation of the layers' signs taken together
    validation: Values  # (n,), scores of validation images, ascending

    def novelties(self, look: Look) -> Values:
        """Return how strange each image is: the share of validation images less strange, 0 to 1.

        The image itself counts as one of them: even the strangest of few images gets no 100 %, and
        of images like these at most 5 % get `UNLIKE` or more, however few there are.
        """
        below = np.searchsorted(self.validation, self._scores(look))
        return below / (len(self.validation) + 1)

    def fits(self, look: Look) -> bool:
        """Whether these values can be of the network that this was learned from."""
        return [values.shape[1:] for values in look.means] == [
            spread.mean.shape for spread in self.spreads]

    def _scores(self, look: Look) -> Values:
        signs = (_signs(look, self.spreads) - self.usual) / self.scale
        scores: Values = signs[:, 0]
        if self.spreads:
            scores = scores + signs[:, 1:].mean(axis=1) / self.layers_scale
        return scores


def learn_novelty(training: Look, validation: Look) -> Novelty:
    """Learn what is usual.

    Args:
        training: Of some images that the network learned from: how its values vary.
        validation: Of images that it did not learn from: how strange such images look to it.
    """
    spreads = tuple(_spread(values) for values in training.means)
    signs = _signs(validation, spreads)
    usual, scale = signs.mean(axis=0), np.maximum(signs.std(axis=0), _TINY)
    together = ((signs[:, 1:] - usual[1:]) / scale[1:]).mean(axis=1) if spreads else np.ones(1)
    novelty = Novelty(spreads, usual, scale, max(float(together.std()), _TINY), np.empty(0))
    return Novelty(spreads, usual, scale, novelty.layers_scale,
                   np.sort(novelty._scores(validation)))


def _signs(look: Look, spreads: tuple[Spread, ...]) -> Values:
    """Return the signs of strangeness, (N, 1 + layers): minus the energy, and log distances."""
    logits = look.logits.astype(np.float64)
    columns = [-np.logaddexp.reduce(logits, axis=1)]
    columns += [np.log(np.maximum(spread.distance(values), _TINY))
                for spread, values in zip(spreads, look.means, strict=True)]
    return np.stack(columns, axis=1)


def _spread(values: Values) -> Spread:
    mean = values.mean(axis=0, dtype=np.float64)
    away = values - mean
    variances, directions = np.linalg.eigh(away.T @ away / len(away))
    variances, directions = variances[::-1], directions[:, ::-1]
    kept = min(DIRECTIONS, len(mean) - 1, len(values) - 1)
    # With fewer images than directions, or channels that never change, a variance would be zero.
    rest = max(float(variances[kept:].mean()), 1e-6 * float(variances[0]), _TINY)
    return Spread(mean, directions[:, :kept], np.maximum(variances[:kept], rest), rest)


def write_novelty(folder: Path, novelty: Novelty) -> None:
    """Store it in a model folder."""
    arrays: dict[str, Any] = {
        "usual": novelty.usual, "scale": novelty.scale, "validation": novelty.validation,
        "layers_scale": novelty.layers_scale}
    for place, spread in enumerate(novelty.spreads):
        # Three digits are enough for a direction, and these are nearly all there is.
        arrays |= {f"{key}_{place}": np.asarray(
            value, np.float16 if key == "directions" else np.float32)
            for key, value in vars(spread).items()}
    with atomic_path(folder / FILE_NAME) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_novelty(folder: Path) -> Novelty | None:
    """Read what `write_novelty` stored; None for a model that has none.

    Raises:
        Damaged: If the file is unreadable.
    """
    try:
        with np.load(folder / FILE_NAME, allow_pickle=False) as arrays:
            spreads = tuple(
                Spread(arrays[f"mean_{place}"], arrays[f"directions_{place}"],
                       arrays[f"variances_{place}"], float(arrays[f"rest_{place}"]))
                for place in range(len(arrays["usual"]) - 1))
            found = Novelty(spreads, arrays["usual"], arrays["scale"],
                            float(arrays["layers_scale"]), arrays["validation"])
        if not len(found.validation) or found.usual.shape != found.scale.shape:
            raise ValueError("its parts do not fit together")
    except FileNotFoundError:
        return None
    except Exception as error:  # a flipped bit in a compressed file can end in many kinds
        raise damaged(folder.name, str(error)) from error
    return found


def damaged(name: str, reason: str) -> Damaged:
    """Return what to say where a model's file cannot be used."""
    return Damaged(f"What {name} knows of its training images cannot be read ({reason}).",
                   f"Delete {FILE_NAME} in the folder of the model, or write it again where its "
                   f"data set is: python -m cnn evaluate {name} --novelty")
