"""The report before a training: what was kept and left out, and what may be wrong with it.

Gathers what `findings` judges: every image is read once, and nothing is changed. Works for every
prepared set; what can be mended can be in imported ones.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from cnn.data import store
from cnn.data.catalogue import load
from cnn.data.changes import edit_sentence
from cnn.data.dataset import Dataset, Images
from cnn.data.duplicates import equal_sets, join, near_pairs, take_prints
from cnn.data.edits import edits
from cnn.data.facts import NOTE, PROBLEM, WARNING, Facts, Finding, Fix
from cnn.data.findings import findings
from cnn.data.items import Items, read_items
from cnn.data.layout import Skipped
from cnn.data.progress import Progress, silent, with_time_left
from cnn.data.rows import RowView
from cnn.data.stock import changed_state
from cnn.errors import BadInput

_WORTH_COMPARING = 2.0  # contrast of an image, below which it is like any other blank one


@dataclass(frozen=True)
class Preflight:
    """What is known of a set before it is trained on."""

    name: str
    fingerprint: str  # of the set as it was looked at
    split: str  # how the test split was made, in words
    classes: dict[str, tuple[int, int]]  # name: training and test images
    skipped: list[Skipped]  # files that were left out at the import, and why
    findings: list[Finding]  # the worst first
    changes: list[str]  # made since the import, in words, oldest first
    complete: bool  # False: so many near copies that the search was ended early
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preflight:
        """Return the report that `to_dict` wrote, after a way through JSON.

        Raises:
            KeyError, TypeError, ValueError: If it is none.
        """
        found = [Finding(**{**one, "fixes": tuple(Fix(**fix) for fix in one["fixes"])})
                 for one in values["findings"]]
        classes = {name: (int(train), int(test))
                   for name, (train, test) in values["classes"].items()}
        skipped = [(str(file), str(reason)) for file, reason in values["skipped"]]
        return cls(**{**values, "classes": classes, "skipped": skipped, "findings": found})

    def amounts(self) -> dict[str, int]:
        """Return how many findings there are of each level, the worst first."""
        return {level: sum(one.level == level for one in self.findings)
                for level in (PROBLEM, WARNING, NOTE)}


def preflight(name: str, progress: Progress | None = None) -> Preflight:
    """Look through a data set.

    Args:
        name: Of a set that is stored, or can be made without a network.
        progress: Told how far it is; it may raise `Cancelled`. Defaults to nobody.

    Raises:
        NotFound: If there is no data set of this name.
        Damaged: If its files are damaged.
        Unavailable: If it has to be downloaded and cannot be.
    """
    begin = time.monotonic()
    tell = with_time_left(progress or silent)
    dataset = load(name, tell)
    changeable = store.read_meta(name).imported
    items = read_items(store.set_folder(name)) if changeable else None
    facts, complete = _gather(dataset, items, tell)
    found = findings(facts)
    if not changeable:
        found = [replace(finding, fixes=()) for finding in found]
    counts = [np.bincount(labels, minlength=len(dataset.class_names)).tolist()
              for labels in (dataset.train_labels, dataset.test_labels)]
    return Preflight(
        name, dataset.fingerprint, dataset.split,
        dict(zip(dataset.class_names, zip(*counts, strict=True), strict=True)),
        list(facts.skipped), found, [edit_sentence(edit) for edit in edits(name)], complete,
        round(time.monotonic() - begin, 2))


def _gather(dataset: Dataset, items: Items | None, tell: Progress) -> tuple[Facts, bool]:
    train, test = len(dataset.train_labels), len(dataset.test_labels)
    prints = join([take_prints(dataset.train_images, tell, 0, train + test),
                   take_prints(dataset.test_images, tell, train, train + test)])
    equal = equal_sets(prints)
    first = np.ones(train + test, bool)
    for rows in equal:
        first[rows[1:]] = False
    worth = np.flatnonzero(first & (prints.spread >= _WORTH_COMPARING))
    near, complete = near_pairs(prints, worth, tell)
    places = np.arange(train + test)
    if dataset.train_items is not None and dataset.test_items is not None:
        places = np.concatenate([dataset.train_items, dataset.test_items])
    facts = Facts(
        dataset.class_names, np.concatenate([dataset.train_labels, dataset.test_labels]),
        np.arange(train + test) >= train, places, min(dataset.image_shape[:2]), prints.spread,
        equal, near, weighted=dataset.class_weights is not None)
    if items is not None:
        groups = changed_state(store.set_folder(dataset.name), edits(dataset.name)).groups
        facts = replace(
            facts, widths=items.widths[places], heights=items.heights[places],
            groups=None if groups is None else groups[places], skipped=items.skipped)
    return facts, complete


def item_names(name: str) -> list[str]:
    """Return what the pictures of a set are called, by their places in its list.

    Raises:
        NotFound: If no set of this name is stored.
        Damaged: If its files are damaged.
    """
    meta = store.read_meta(name)
    if meta.imported:
        return list(read_items(store.set_folder(name)).names)
    return [*(f"training image {row}" for row in range(meta.train_count)),
            *(f"test image {row}" for row in range(meta.test_count))]


def item_image(dataset: Dataset, item: int) -> Images:
    """Return one picture of a set by its place in the list, also one that was left out since.

    Returns:
        uint8 (height, width, channels), read-only.
    """
    if isinstance(dataset.train_images, RowView):
        return dataset.train_images.base[item]
    train = len(dataset.train_labels)
    return dataset.train_images[item] if item < train else dataset.test_images[item - train]


def find_fix(report: Preflight, wanted: str) -> Fix:
    """Return the fix that a person names: a finding, or a finding and one of its fixes.

    Args:
        report: Of the set as it is now.
        wanted: For instance "leaks", which takes its first fix, or "leaks:together".

    Raises:
        BadInput: If nothing of this name was found, or it cannot be mended so.
    """
    kind, _, name = wanted.partition(":")
    known = {finding.kind: finding for finding in report.findings if finding.fixes}
    if kind not in known:
        raise BadInput(f"There is nothing to mend by the name {kind[:40]!r} in {report.name}.",
                       f"What can be mended: {', '.join(known) or 'nothing'}.")
    fixes = known[kind].fixes
    chosen = next((fix for fix in fixes if fix.name == (name or fixes[0].name)), None)
    if chosen is None:
        raise BadInput(f"{kind} cannot be mended by {name[:40]!r}.",
                       f"Fixes: {', '.join(fix.name for fix in fixes)}.")
    return chosen
