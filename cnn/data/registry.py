"""The list of built-in data sets: each maker registers itself here, once.

Knows what a maker must give, not how any set is made; `catalogue` brings the makers in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnn.data.download import RemoteFile
from cnn.data.progress import Progress
from cnn.data.store import About, Part

Made = tuple[tuple[str, ...], Part, Part]  # class names, training split, test split
Maker = Callable[[Progress], Made]


@dataclass(frozen=True)
class Origin:
    """Where a published data set comes from."""

    homepage: str
    citation: str
    files: tuple[RemoteFile, ...] = ()  # the official files that it is made of, all needed


@dataclass(frozen=True)
class BuiltIn:
    """A data set that everybody can have by its name."""

    name: str
    about: About
    needs: Callable[[], str]  # what is missing here to make it without a network; "" if nothing
    make: Maker
    origin: Origin


@dataclass(frozen=True)
class PictureSet:
    """A published archive of pictures of many sizes: a data set once it has been imported."""

    name: str
    about: About
    origin: Origin  # of one file, a zip of class folders
    size: int  # proposed height and width in pixels
    group: str = ""  # pattern in file names whose pictures must stay together, as in `SplitPlan`


BUILT_IN: dict[str, BuiltIn] = {}
PICTURE_SETS: dict[str, PictureSet] = {}


def register(
    name: str, about: About, needs: Callable[[], str], origin: Origin
) -> Callable[[Maker], Maker]:
    """Enter the decorated maker in the list of built-in data sets.

    Raises:
        ValueError: If the name is taken.
    """
    _check_free(name)

    def enter(make: Maker) -> Maker:
        BUILT_IN[name] = BuiltIn(name, about, needs, make, origin)
        return make

    return enter


def register_pictures(pictures: PictureSet) -> None:
    """Enter an archive of pictures in the list.

    Raises:
        ValueError: If the name is taken.
    """
    _check_free(pictures.name)
    PICTURE_SETS[pictures.name] = pictures


def _check_free(name: str) -> None:
    if name in BUILT_IN or name in PICTURE_SETS:
        raise ValueError(f"There are two built-in data sets named {name!r}.")
