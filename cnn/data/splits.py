"""Divides labelled images into a training and a validation part, each class in proportion.

Looks at labels and groups alone, never at images or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Dataset, Labels
from cnn.data.grouping import hold_back_groups
from cnn.errors import BadInput

Rows = NDArray[np.int64]  # (N,), positions of images in a split, ascending


@dataclass(frozen=True)
class Split:
    """Which images of a training split are trained on and which are held back."""

    train: Rows
    validation: Rows


def hold_back(
    dataset: Dataset, validation_fraction: float, train_images: int, seed: int
) -> Split:
    """Divide the training images of a data set: as it does itself, or whole groups, or single ones.

    Args:
        dataset: Its test split is not looked at.
        validation_fraction: As for `split_training`; not used where the data set itself says which
            images are held back.
        train_images: How many to train on; 0 for all that are not held back.
        seed: Decides which images are drawn.

    Raises:
        BadInput: If there are too few images or groups for this.
    """
    if dataset.held_back is not None:
        return _without(dataset.held_back, dataset.train_labels, train_images, seed)
    return split_training(dataset.train_labels, validation_fraction, train_images, seed,
                          dataset.train_groups)


def split_training(
    labels: Labels, validation_fraction: float, train_images: int, seed: int,
    groups: Labels | None = None,
) -> Split:
    """Divide the images with `labels` into a training and a validation part.

    The validation part depends on the labels, its fraction and the seed only; with fewer training
    images it stays the same, and a smaller training part is drawn from the same order as a larger.

    Args:
        labels: The class of each image.
        validation_fraction: Share of the images to hold back, above 0 and below 1. Every class with
            two images or more has at least one in the validation part and one that can be trained
            on, so with many small classes the share comes out larger.
        train_images: How many of the other images to train on; 0 for all of them.
        seed: Decides which images are drawn.
        groups: Equal for images that must not be divided, such as those of one patient; the share
            then comes out only as nearly as whole groups allow. Defaults to each image by itself.

    Raises:
        BadInput: If there are too few images or groups for this.
    """
    if groups is not None:
        return _split_groups(labels, groups, validation_fraction, train_images, seed)
    order, classes, rank, sizes = _shuffled_by_class(labels, seed)
    least = (sizes >= 2).astype(np.int64)
    wanted = max(round(len(labels) * validation_fraction), int(least.sum()))
    if wanted == 0 or wanted > np.maximum(sizes - 1, 0).sum():
        raise BadInput(
            f"{len(labels)} images of {np.count_nonzero(sizes)} classes are too few "
            f"to hold back a part of {validation_fraction:g}.",
            "At least one class needs two images. Use more images or a smaller part.")
    held_back = _in_proportion(sizes, wanted, least, np.maximum(sizes - 1, 0))
    trained = _training_sizes(sizes - held_back, train_images)
    in_train = (rank >= held_back[classes]) & (rank < (held_back + trained)[classes])
    return Split(np.sort(order[in_train]), np.sort(order[rank < held_back[classes]]))


def _split_groups(
    labels: Labels, groups: Labels, fraction: float, train_images: int, seed: int
) -> Split:
    held = hold_back_groups(labels, groups, fraction, seed)
    return _without(held, labels, train_images, seed)


def _without(held: NDArray[np.bool_], labels: Labels, train_images: int, seed: int) -> Split:
    """Return the split that holds back these images and draws the training part from the rest."""
    rest = np.flatnonzero(~held)
    order, classes, rank, sizes = _shuffled_by_class(labels[rest], seed)
    drawn = rank < _training_sizes(sizes, train_images)[classes]
    return Split(rest[np.sort(order[drawn])], np.flatnonzero(held))


def stratified_sample(labels: Labels, most: int, seed: int) -> Rows:
    """Return the rows of a random part of the images in which each class has its share.

    Args:
        labels: The class of each image.
        most: How many images to draw; all are taken where there are no more. Each class has one at
            least, so with more classes than this there are more images.
        seed: Decides which images are drawn.
    """
    order, classes, rank, sizes = _shuffled_by_class(labels, seed)
    wanted = min(max(most, int(np.count_nonzero(sizes))), len(labels))
    return np.sort(order[rank < _training_sizes(sizes, wanted)[classes]])


def _shuffled_by_class(labels: Labels, seed: int) -> tuple[Rows, Labels, Rows, Rows]:
    """Return all rows in random order but class after class, their classes and places in them."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    classes = np.asarray(labels)[order]
    sizes = np.bincount(classes).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    return order, classes, np.arange(len(labels)) - starts[classes], sizes


def _training_sizes(sizes: Rows, train_images: int) -> Rows:
    """Return how many of each class to train on, when `sizes` of them are left for it."""
    if train_images == 0:
        return sizes
    classes, available = int(np.count_nonzero(sizes)), int(sizes.sum())
    if not classes <= train_images <= available:
        raise BadInput(
            f"train_images must be 0 (all) or from {classes} (one per class) to {available} "
            f"(what the validation part leaves). Received: {train_images}.",
            "Choose a number in this range.")
    return _in_proportion(sizes, train_images, np.minimum(sizes, 1), sizes)


def _in_proportion(sizes: Rows, wanted: int, least: Rows, most: Rows) -> Rows:
    """Share out `wanted` images among classes by the largest remainder, within the two bounds."""
    quota = sizes * (wanted / sizes.sum())
    share = np.clip(np.floor(quota).astype(np.int64), least, most)
    while (missing := wanted - int(share.sum())) != 0:
        step = 1 if missing > 0 else -1
        possible = share < most if missing > 0 else share > least
        need = np.where(possible, (quota - share) * step, -np.inf)
        share[int(np.argmax(need))] += step
    return share
