"""Decides which pictures of an import become the test split, and says how in a sentence.

By ratio within each class, as the source has divided them, or by group: pictures of one slide,
patient or film stay together, or the test would ask what was seen before. Knows names, classes and
groups of files, but neither pictures nor folders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels
from cnn.data.layout import Candidate
from cnn.data.splits import split_training
from cnn.data.tables import TEST
from cnn.errors import BadInput

WAYS = {
    "ratio": "A share of each class, drawn at random.",
    "folders": "As the folders or the table say.",
    "group": "Whole groups of pictures, drawn at random.",
}
# A repeated bracket with a repeat in it, such as (a+)+: some names it would search for years, and
# nothing can interrupt that.
_ENDLESS = re.compile(r"\([^()]*(?<!\\)[+*][^()]*\)(?:[+*]|\{\d*,)")
IN_TRAIN, IN_TEST, UNUSED = 0, 1, -1  # as `Divided.split` and the list of items name the parts


@dataclass(frozen=True)
class SplitPlan:
    """How the test split shall be made."""

    by: str = ""  # one of WAYS; "": folders where the source has a test part, group if asked, ratio
    test_fraction: float = 0.2  # where the source does not divide; of each class
    seed: int = 0
    group: str = ""  # pattern in the file name; its first bracket is the group, or all of it

    def __post_init__(self) -> None:
        if self.by and self.by not in WAYS:
            raise BadInput(f"split must be one of {', '.join(WAYS)}. Received: {self.by!r}.",
                           "Choose one of these names.")
        if not 0.05 <= self.test_fraction <= 0.5:
            raise BadInput(
                f"test_fraction must be from 0.05 to 0.5. Received: {self.test_fraction!r}.",
                "0.2 keeps a fifth of the pictures for the test.")
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            raise BadInput(f"seed must be a whole number from 0 to {2**31 - 1}. "
                           f"Received: {self.seed!r}.", "0 is as good as any.")
        try:
            re.compile(self.group)
        except re.error as error:
            raise BadInput(f"The group pattern {self.group!r} is not a regular expression "
                           f"({error}).", "For names such as A7_IMG_3.png: ^(.+)_IMG") from error
        if _ENDLESS.search(self.group):
            raise BadInput(f"The group pattern {self.group!r} repeats a bracket that has a repeat "
                           "in it, which can take for ever.",
                           "Repeat only one of them: (.+)_ instead of (.+)+_.")


@dataclass(frozen=True)
class Divided:
    """The parts, and what is known about them."""

    split: NDArray[np.int8]  # (N,), IN_TRAIN or IN_TEST
    groups: Labels | None  # (N,), numbers of groups
    group_names: tuple[str, ...]
    how: dict[str, Any]  # for the description of the set: the plan as it was carried out


def divide(files: Sequence[Candidate], labels: Labels, plan: SplitPlan) -> Divided:
    """Return which files belong to the test split.

    Args:
        files: The usable ones.
        labels: Their classes, (N,).
        plan: How to divide them.

    Raises:
        BadInput: If the source has no test part or groups and the plan asks for them, or too few.
    """
    given = np.array([file.split == TEST for file in files])
    names = group_names(files, plan.group)
    by = plan.by or ("folders" if given.any() else "group" if plan.group or any(names) else "ratio")
    if by == "folders" and not given.any():
        raise BadInput("The source has no test folder and no column that names the test pictures.",
                       f"Choose another way to split: {', '.join(w for w in WAYS if w != by)}.")
    if by == "group" and not any(names):
        raise BadInput("There is nothing that says which pictures form a group.",
                       "Give a pattern for the file names, or a table with a column 'group'.")
    unique, codes = _numbered(names)
    groups = codes if unique else None
    if by == "folders":
        in_test = given
    else:
        in_test = np.zeros(len(files), bool)
        in_test[split_training(labels, plan.test_fraction, 0, plan.seed,
                               groups if by == "group" else None).validation] = True
    how = {**asdict(plan), "by": by, "alone": sum(not name for name in names) if unique else 0}
    return Divided(in_test.astype(np.int8), groups, unique, how)


def group_names(files: Sequence[Candidate], pattern: str) -> list[str]:
    """Return the group of each file by its name or, without a pattern, as the table says.

    A file that the pattern does not fit gets "": it is a group by itself.

    Raises:
        BadInput: If the pattern fits none.
    """
    if not pattern:
        return [file.group for file in files]
    names = [_group(re.search(pattern, file.entry.parts[-1])) for file in files]
    if files and not any(names):
        raise BadInput(f"The group pattern {pattern!r} fits no file name.",
                       f"The first file is named {files[0].entry.parts[-1]!r}.")
    return names


def _group(match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    return (match.group(1) if match.re.groups else match.group(0)) or ""


def _numbered(names: list[str]) -> tuple[tuple[str, ...], Labels]:
    """Return the group names and each file's number; who is alone gets a number of his own."""
    unique = tuple(sorted(set(names) - {""}))
    numbers = {name: number for number, name in enumerate(unique)}
    codes, following = [], len(unique)
    for name in names:
        codes.append(numbers.get(name, following))
        following += not name
    return unique, np.array(codes, np.int64)


def sentence(how: dict[str, Any], changes: int = 0) -> str:
    """Return in words how a set was divided, for its card.

    Args:
        how: `Divided.how`, or nothing for a set that its authors divided.
        changes: How many times it was changed since.
    """
    if not how:
        return ""
    share = f"{100 * how['test_fraction']:g} % test, seed {how['seed']}"
    by = {"folders": "as the source divides it", "ratio": f"by ratio in each class, {share}",
          "group": f"by group, {share}"}[how["by"]]
    if how["by"] == "group" and how["group"]:
        by += f", groups named by {how['group']}"
    after = f"; {changes} change{'s' if changes > 1 else ''} since" if changes else ""
    return by + after
