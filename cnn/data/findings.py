"""What may be wrong with a set of pictures: one function per check, each with what would mend it.

Works on what is known of the images (`Facts`), not on the images; `preflight` gathers that. A
finding names pictures by their places in the set's list, as `changes` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from cnn.data.duplicates import Pairs, linked_sets
from cnn.data.facts import NOTE, PROBLEM, WARNING, Facts, Finding, Fix

_BLANK = 2.0  # of 255: with less contrast than this there is nothing to see
_FEW = 20  # training pictures of a class, below which hardly anything is learnt
_UNEVEN, _VERY_UNEVEN = 2.0, 10.0  # largest class over smallest
_LONG = 2.0  # long side over short: a centred square shows less than half


Check = Callable[[Facts], Finding | None]


def _drop(facts: Facts, rows: Iterable[int], words: str, why: str) -> Fix:
    return Fix("drop", words, {"kind": "drop", "items": facts.places(rows), "why": why})


def _number(count: int, one: str, many: str) -> str:
    """Return a number with what it is of, as it is said of one and of several."""
    return f"{count:,} {one if count == 1 else many}"


def _together(sets: list[list[int]], why: str) -> Fix:
    return Fix("together", "Keep each set in one part, the training or the test images.",
               {"kind": "together", "sets": sets, "why": why})


def leaks(facts: Facts) -> Finding | None:
    """Find test images that were also trained on."""
    return _leak(facts, facts.equal_pairs(), "leaks", PROBLEM, "the same picture as")


def near_leaks(facts: Facts) -> Finding | None:
    """Find test images that are nearly one that was trained on."""
    return _leak(facts, facts.near, "near-leaks", WARNING, "nearly the same picture as")


def _leak(facts: Facts, pairs: Pairs, kind: str, level: str, what: str) -> Finding | None:
    pairs = pairs[facts.in_test[pairs[:, 0]] != facts.in_test[pairs[:, 1]]]
    if not len(pairs):
        return None
    rows = np.unique(pairs)
    test, train = rows[facts.in_test[rows]], rows[~facts.in_test[rows]]
    why = f"{what} a test image"
    return Finding(
        kind, level,
        f"{_number(len(test), 'test image shows', 'test images show')} {what} a training image.",
        "The test then asks what the network has already seen, and its result is too good.",
        facts.linked(pairs),
        (_drop(facts, train, f"Leave out {_number(len(train), 'training twin', 'training twins')}.",
               why),
         _together(facts.linked(pairs), why)))


def group_leaks(facts: Facts) -> Finding | None:
    """Find groups with images in both parts."""
    if facts.groups is None:
        return None
    both = np.intersect1d(facts.groups[facts.in_test], facts.groups[~facts.in_test])
    if not len(both):
        return None
    sets = [facts.places(np.flatnonzero(facts.groups == group).tolist()) for group in both]
    return Finding(
        "group-leaks", PROBLEM,
        f"{_number(len(both), 'group is', 'groups are')} in the training and the test images.",
        "What a group has in common, such as its light, then helps in the test and nowhere else.",
        sets, (_together(sets, "a group must not be divided"),))


def conflicts(facts: Facts) -> Finding | None:
    """Find equal images of different classes."""
    return _conflict(facts, facts.equal_pairs(), "conflicts", PROBLEM, "the same picture")


def near_conflicts(facts: Facts) -> Finding | None:
    """Find nearly equal images of different classes."""
    return _conflict(facts, facts.near, "near-conflicts", WARNING, "nearly the same picture")


def _conflict(facts: Facts, pairs: Pairs, kind: str, level: str, what: str) -> Finding | None:
    pairs = pairs[facts.labels[pairs[:, 0]] != facts.labels[pairs[:, 1]]]
    if not len(pairs):
        return None
    rows = np.unique(pairs)
    classes = np.sort(facts.labels[pairs], axis=1)
    unique, counts = np.unique(classes, axis=0, return_counts=True)
    one, other = (facts.class_names[label] for label in unique[counts.argmax()])
    edit = {"kind": "merge", "classes": [one, other], "into": one, "why": f"they share {what}"}
    merge = Fix("merge", f"Make {one} and {other}, which share most, one class.", edit)
    return Finding(
        kind, level, f"{len(rows):,} images are {what} as one of another class.",
        "The network is told two things of one picture; at most one of them is right.",
        facts.linked(pairs),
        (_drop(facts, rows.tolist(), "Leave all of them out.", f"{what} in two classes"),
         *_majority(facts, pairs, what), *([merge] if len(facts.class_names) > 2 else [])))


def _majority(facts: Facts, pairs: Pairs, what: str) -> list[Fix]:
    """Return the move of what most of its copies contradict, to the class that most are of."""
    wrong: dict[int, list[int]] = {}
    for rows in linked_sets(pairs):
        counts = np.bincount(facts.labels[rows])
        most = int(counts.argmax())
        if 2 * counts[most] > len(rows):
            wrong.setdefault(most, []).extend(row for row in rows if facts.labels[row] != most)
    if not wrong:
        return []
    to = max(wrong, key=lambda label: len(wrong[label]))
    name = facts.class_names[to]
    return [Fix("move", f"Move {len(wrong[to]):,} to {name}, as most of their copies are.",
                {"kind": "move", "items": facts.places(wrong[to]), "to": name,
                 "why": f"most copies of {what} are there"})]


def duplicates(facts: Facts) -> Finding | None:
    """Find images that are there several times, in one class and part."""
    sets, spare = [], []
    for rows in facts.equal:
        key = facts.in_test[rows] * len(facts.class_names) + facts.labels[rows]
        for value in np.unique(key):
            same = rows[key == value]
            if len(same) > 1:
                sets.append(facts.places(same))
                spare += same[1:].tolist()
    if not sets:
        return None
    return Finding(
        "duplicates", WARNING,
        _number(len(spare), "image is a copy of another of its class.",
                "images are copies of another of their class."),
        "Copies count several times, in training and in the test.", sets,
        (_drop(facts, spare, "Keep one of each.", "exact copies"),))


def near_duplicates(facts: Facts) -> Finding | None:
    """Find images that are nearly another of their class and part, and in no group with it."""
    one, other = facts.near.T
    apart = np.ones(len(one), bool) if facts.groups is None else (
        facts.groups[one] != facts.groups[other])  # a group is never divided anyway
    pairs = facts.near[(facts.labels[one] == facts.labels[other])
                       & (facts.in_test[one] == facts.in_test[other]) & apart]
    if not len(pairs):
        return None
    spare: set[int] = set()
    for first, second in pairs[np.lexsort(pairs.T[::-1])].tolist():
        if first not in spare:  # else the copy it is like has gone already
            spare.add(second)
    sets = facts.linked(pairs)
    return Finding(
        "near-duplicates", NOTE,
        _number(len(spare), "image is nearly another of its class.",
                "images are nearly another of their class."),
        "Kept together, none is trained on while the other checks the training.", sets,
        (_together(sets, "nearly the same picture"),
         _drop(facts, spare, "Keep one of each.", "near copies")))


def blank(facts: Facts) -> Finding | None:
    """Find images on which there is nothing to see."""
    rows = np.flatnonzero(facts.spread < _BLANK)
    if not len(rows):
        return None
    return Finding(
        "blank", WARNING, f"{_number(len(rows), 'image is', 'images are')} of one colour.",
        "There is nothing to learn.",
        [[place] for place in facts.places(rows)],
        (_drop(facts, rows.tolist(), "Leave them out.", "of one colour"),))


def tiny(facts: Facts) -> Finding | None:
    """Find images that were enlarged to twice their size and more."""
    if facts.widths is None or facts.heights is None:
        return None
    rows = np.flatnonzero(2 * np.minimum(facts.widths, facts.heights) < facts.side)
    if not len(rows):
        return None
    many = 2 * len(rows) > len(facts.labels)
    return Finding(
        "tiny", WARNING, f"{_number(len(rows), 'original is', 'originals are')} less than half as "
        "large as stored.",
        "Import them again at a smaller size." if many else "Enlarged pictures show no details.",
        [[place] for place in facts.places(rows)],
        () if many else (_drop(facts, rows.tolist(), "Leave them out.", "far too small"),))


def mixed_sizes(facts: Facts) -> Finding | None:
    """Say what sizes the originals had."""
    if facts.widths is None or facts.heights is None or not len(facts.widths):
        return None
    sizes = np.unique(np.stack([facts.widths, facts.heights], axis=1), axis=0)
    if len(sizes) == 1:
        return None
    areas = facts.widths * facts.heights
    low, high = (f"{facts.widths[row]}×{facts.heights[row]}"
                 for row in (int(areas.argmin()), int(areas.argmax())))
    long = np.flatnonzero(np.maximum(facts.widths, facts.heights)
                          > _LONG * np.minimum(facts.widths, facts.heights))
    hint = (f"{_number(len(long), 'is', 'are')} more than twice as long as wide: imported again "
            "with fit, nothing is cut off." if len(long) else "All were brought to one size.")
    return Finding("mixed-sizes", NOTE, f"The originals have {len(sizes):,} sizes, "
                   f"from {low} to {high}.", hint, [[place] for place in facts.places(long)])


def imbalance(facts: Facts) -> Finding | None:
    """Compare the largest class with the smallest."""
    counts = np.bincount(facts.labels[~facts.in_test], minlength=len(facts.class_names))
    ratio = counts.max() / max(1, counts.min())
    if ratio < _UNEVEN:
        return None
    large, small = (facts.class_names[int(place)] for place in (counts.argmax(), counts.argmin()))
    fix = Fix("weights", "Let an error cost the more, the rarer its class.",
              {"kind": "weights", "why": f"{large} has {ratio:.1f} times as many as {small}"})
    return Finding(
        "imbalance", WARNING if ratio >= _VERY_UNEVEN else NOTE,
        f"{large} has {counts.max():,} training images, {small} {counts.min():,}.",
        "Rare classes weigh more already." if facts.weighted else
        "A network that often says the frequent class is often right.",
        [], () if facts.weighted else (fix,))


def few(facts: Facts) -> Finding | None:
    """Find classes with hardly any training images."""
    counts = np.bincount(facts.labels[~facts.in_test], minlength=len(facts.class_names))
    labels = np.flatnonzero(counts < _FEW)
    if not len(labels):
        return None
    names = ", ".join(f"{facts.class_names[label]} ({counts[label]})" for label in labels[:10])
    rows = np.flatnonzero(np.isin(facts.labels, labels))
    fix = _drop(facts, rows.tolist(), "Leave these classes out.", "too few of a class")
    return Finding(
        "few", WARNING, f"Fewer than {_FEW} training images: {names}.",
        "Add pictures, merge classes, or leave them out.", [],
        (fix,) if len(facts.class_names) - len(labels) >= 2 else ())


def skipped(facts: Facts) -> Finding | None:
    """Say how many files could not be used at the import."""
    if not facts.skipped:
        return None
    return Finding("skipped", NOTE, f"{_number(len(facts.skipped), 'file was', 'files were')} left "
                   "out at the import.", "Each is listed with its reason.", [])


CHECKS: tuple[Check, ...] = (
    leaks, group_leaks, conflicts, near_leaks, near_conflicts, duplicates, near_duplicates, blank,
    tiny, imbalance, few, mixed_sizes, skipped)


def findings(facts: Facts) -> list[Finding]:
    """Return all that was found, the worst first."""
    found = [finding for check in CHECKS if (finding := check(facts)) is not None]
    return sorted(found, key=lambda finding: (PROBLEM, WARNING, NOTE).index(finding.level))
