"""The list of built-in data sets: each maker registers itself here, once.

Knows what a maker must give, not how any set is made; `catalogue` brings the makers in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnn.data.progress import Progress
from cnn.data.store import About, Part

Made = tuple[tuple[str, ...], Part, Part]  # class names, training split, test split
Maker = Callable[[Progress], Made]


@dataclass(frozen=True)
class BuiltIn:
    """A data set that everybody can have by its name."""

    name: str
    about: About
    needs: Callable[[], str]  # what is missing here to make it without a network; "" if nothing
    make: Maker


BUILT_IN: dict[str, BuiltIn] = {}


def register(name: str, about: About, needs: Callable[[], str]) -> Callable[[Maker], Maker]:
    """Enter the decorated maker in the list of built-in data sets.

    Raises:
        ValueError: If the name is taken.
    """
    if name in BUILT_IN:
        raise ValueError(f"There are two built-in data sets named {name!r}.")

    def enter(make: Maker) -> Maker:
        BUILT_IN[name] = BuiltIn(name, about, needs, make)
        return make

    return enter
