"""What can be changed in an imported set, as a list of small records that are applied in order.

| kind | other keys | effect |
|---|---|---|
| drop | items | these pictures are not used |
| move | items, to | these pictures belong to another class, which may be new |
| merge | classes, into | several classes become one |
| together | sets | the pictures of each set become one group, in the part where most of it is |
| weights | | an error costs the more, the rarer its class |

Every record may have `why`, for the person. Items are places in the list of imported files, which
never changes: taking a record out takes its effect back. Works on numbers and names alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels
from cnn.data.dividing import IN_TEST, IN_TRAIN, UNUSED
from cnn.errors import BadInput

Edit = dict[str, Any]
_KEYS = {"drop": {"items"}, "move": {"items", "to"}, "merge": {"classes", "into"},
         "together": {"sets"}, "weights": set()}


@dataclass
class State:
    """A set while it is being changed; the arrays are its own."""

    class_names: list[str]
    labels: Labels
    split: NDArray[np.int8]
    groups: Labels | None = None
    weighted: bool = False

    def label(self, name: Any) -> int:
        """Return the number of a class, or refuse a name that is none."""
        if name not in self.class_names:
            raise BadInput(f"There is no class {str(name)[:80]!r}.",
                           f"Classes: {', '.join(self.class_names[:20])}.")
        return self.class_names.index(name)

    def label_or_new(self, name: Any) -> int:
        """Return the number of a class, which is made if there is none of this name."""
        if not isinstance(name, str) or not 0 < len(name.strip()) <= 100:
            raise BadInput(f"A class needs a name of 1 to 100 characters. Received: {name!r}.")
        if name not in self.class_names:
            self.class_names.append(name)
        return self.class_names.index(name)

    def rows(self, items: Any) -> Labels:
        """Return a list of items as an array, or refuse what is no such list."""
        right = isinstance(items, list) and items and all(type(item) is int for item in items)
        if not right or not 0 <= min(items) <= max(items) < len(self.labels):
            raise BadInput(f"A change names pictures that are not there: {str(items)[:80]}.",
                           f"Use whole numbers from 0 to {len(self.labels) - 1}.")
        return np.array(items, np.int64)


def apply_all(state: State, edits: list[Edit]) -> State:
    """Apply changes in order and return the state, its classes sorted, without empty ones.

    Raises:
        BadInput: If a change cannot be understood, or too little would be left.
    """
    for edit in edits:
        check_edit(edit)
        _APPLY[edit["kind"]](state, edit)
    return _tidied(state) if edits else state


def check_edit(edit: Any) -> None:
    """Refuse what is no change, whatever the set.

    Raises:
        BadInput: If its kind or keys are unknown or missing.
    """
    kind = edit.get("kind") if isinstance(edit, dict) else None
    if kind not in _KEYS:
        raise BadInput(f"A change must be one of {', '.join(_KEYS)}. Received: {str(kind)[:80]!r}.",
                       'For instance {"kind": "drop", "items": [3, 14]}.')
    keys = set(edit) - {"kind", "why"}
    if keys != _KEYS[kind]:
        raise BadInput(f"The change {kind!r} has the keys {', '.join(sorted(keys)) or 'none'}.",
                       f"It needs: {', '.join(sorted(_KEYS[kind])) or 'none'}.")


def _drop(state: State, edit: Edit) -> None:
    state.split[state.rows(edit["items"])] = UNUSED


def _move(state: State, edit: Edit) -> None:
    rows = state.rows(edit["items"])
    state.labels[rows] = state.label_or_new(edit["to"])


def _merge(state: State, edit: Edit) -> None:
    if not isinstance(edit["classes"], list) or not edit["classes"]:
        raise BadInput("Merging needs the names of the classes.")
    old = [state.label(name) for name in edit["classes"]]
    state.labels[np.isin(state.labels, old)] = state.label_or_new(edit["into"])


def _together(state: State, edit: Edit) -> None:
    if not isinstance(edit["sets"], list):
        raise BadInput("Keeping pictures together needs a list of sets.")
    if state.groups is None:
        state.groups = np.arange(len(state.labels), dtype=np.int64)
    for items in edit["sets"]:
        numbers = np.unique(state.groups[state.rows(items)])
        whole = np.flatnonzero(np.isin(state.groups, numbers))
        state.groups[whole] = numbers[0]
        used = whole[state.split[whole] != UNUSED]
        in_test = state.split[used] == IN_TEST
        state.split[used] = IN_TEST if 2 * in_test.sum() > len(used) else IN_TRAIN


def _weights(state: State, edit: Edit) -> None:
    state.weighted = True


_APPLY: dict[str, Callable[[State, Edit], None]] = {
    "drop": _drop, "move": _move, "merge": _merge, "together": _together, "weights": _weights}


def _tidied(state: State) -> State:
    used = np.bincount(state.labels[state.split != UNUSED], minlength=len(state.class_names))
    train = np.bincount(state.labels[state.split == IN_TRAIN], minlength=len(state.class_names))
    present = sorted(np.flatnonzero(used).tolist(), key=lambda label: state.class_names[label])
    poor = [state.class_names[label] for label in present if train[label] < 2]
    if len(present) < 2 or poor or not (state.split == IN_TEST).any():
        what = (f"fewer than two training pictures of {', '.join(poor[:10])}" if poor else
                "fewer than two classes" if len(present) < 2 else "no test picture")
        raise BadInput(f"This change would leave {what}.", "Change less, or import more pictures.")
    numbers = np.full(len(state.class_names), -1, np.int64)
    numbers[present] = np.arange(len(present))
    state.split[numbers[state.labels] < 0] = UNUSED
    state.labels = np.maximum(numbers[state.labels], 0)
    state.class_names = [state.class_names[label] for label in present]
    return state


def balanced_weights(labels: Labels, classes: int) -> NDArray[np.float64]:
    """Return what an error in each class costs so that all classes cost the same in the end.

    Args:
        labels: Classes of the training images.
        classes: How many there are.

    Returns:
        (classes,), above 0; the mean over all images is 1. A class without images has 1.
    """
    counts = np.bincount(labels, minlength=classes)
    present = max(1, np.count_nonzero(counts))
    return np.where(counts, len(labels) / (present * np.maximum(counts, 1)), 1.0)


def edit_sentence(edit: Edit) -> str:
    """Return in words what a change does."""
    kind = edit["kind"]
    what = {
        "drop": lambda: f"{_amount(edit['items'], 'picture')} left out",
        "move": lambda: f"{_amount(edit['items'], 'picture')} moved to {edit['to']}",
        "merge": lambda: f"{', '.join(edit['classes'])} {_merged(edit)} {edit['into']}",
        "together": lambda: f"{_amount(edit['sets'], 'set')} of pictures kept together",
        "weights": lambda: "rare classes weigh more in training",
    }[kind]()
    return f"{what}: {edit['why']}" if edit.get("why") else what


def _merged(edit: Edit) -> str:
    return "merged into" if len(edit["classes"]) > 1 else "renamed to"


def _amount(things: list[Any], noun: str) -> str:
    return f"{len(things):,} {noun}{'' if len(things) == 1 else 's'}"
