"""The one list of data sets: what there is, what is known about each, and how to get it.

Knows neither how a built-in set is made (`registry`) nor how it is stored (`store`): it joins them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from cnn.data import builtin, cifar, store  # noqa: F401  (the makers register themselves)
from cnn.data.dataset import Dataset
from cnn.data.dividing import sentence
from cnn.data.progress import Progress, silent
from cnn.data.registry import BUILT_IN, BuiltIn
from cnn.errors import Damaged, NotFound


@dataclass(frozen=True)
class DatasetInfo:
    """What is known about a data set without loading it."""

    name: str
    title: str
    description: str
    licence: str
    source: str
    kind: str  # built-in or imported
    available: bool  # whether `load` needs no network
    note: str = ""  # what is needed where it is not available
    classes: tuple[str, ...] = ()  # from here on: known once it has been prepared
    image_shape: tuple[int, int, int] | None = None  # height, width, channels
    train_count: int = 0
    test_count: int = 0
    split: str = ""  # how the test split was made; "" where its authors made it


def dataset_names() -> list[str]:
    """Return the names of all data sets: the built-in ones, then the imported, damaged or not."""
    return [*BUILT_IN, *(name for name in store.stored_names() if name not in BUILT_IN)]


def describe(name: str) -> DatasetInfo:
    """Return what is known about a data set, from its description alone, in no time.

    Raises:
        NotFound: If there is no data set of this name.
    """
    _check_known(name)
    try:
        meta = store.read_meta(name)
    except (NotFound, Damaged) as error:
        return _describe_unprepared(name, error)
    return DatasetInfo(name, meta.title, meta.description, meta.licence, meta.source, meta.kind,
                       True, "", meta.class_names, meta.image_shape,
                       meta.train_count, meta.test_count, sentence(meta.split, meta.changes))


def _describe_unprepared(name: str, error: NotFound | Damaged) -> DatasetInfo:
    if name not in BUILT_IN:
        return DatasetInfo(name, name, "", "", "", "imported", False, str(error))
    known = BUILT_IN[name]
    needs = known.needs()
    about = known.about
    return DatasetInfo(name, about.title, about.description, about.licence, about.source,
                       about.kind, not needs, needs)


def load(name: str, progress: Progress | None = None) -> Dataset:
    """Return a data set; a built-in one is made first, at its first use or if it is damaged.

    Args:
        name: One of `dataset_names()`.
        progress: Told how far a download or preparation is. Defaults to nobody.

    Raises:
        NotFound: If there is no data set of this name.
        Damaged: If an imported set, or the file that a built-in one is made from, is damaged.
        Unavailable: If a download or the disk fails.
    """
    _check_known(name)
    if name not in BUILT_IN:
        return store.open_set(name)
    ready = _open_sound(name)
    return ready if ready is not None else _prepare(BUILT_IN[name], progress or silent)


def _open_sound(name: str) -> Dataset | None:
    try:
        return store.open_set(name)
    except (NotFound, Damaged):
        return None


def _prepare(known: BuiltIn, progress: Progress) -> Dataset:
    with store.preparing(known.name, progress):
        made = _open_sound(known.name)  # perhaps by the process that was waited for
        if made is not None:
            return made
        class_names, train, test = known.make(progress)
        progress(f"Storing {known.name}", 0, 0)
        store.write_set(known.name, class_names, train, test, known.about)
    return store.open_set(known.name)


def _check_known(name: str) -> None:
    names = dataset_names()
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        raise NotFound(f"There is no data set named {name[:80]!r}.",
                       f"{hint}Known data sets: {', '.join(names)}.")
