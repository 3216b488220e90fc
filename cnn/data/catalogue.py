"""The one list of data sets: what there is, what is known about each, and how to get it.

Knows neither how a built-in set is made (`registry`) nor how it is stored (`store`): it joins them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from cnn.data import builtin, cifar, malaria, originals, store  # noqa: F401  (some register sets)
from cnn.data.dataset import Dataset
from cnn.data.dividing import SplitPlan, sentence
from cnn.data.progress import Progress, silent
from cnn.data.registry import BUILT_IN, PICTURE_SETS, BuiltIn, Origin, PictureSet
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
    available: bool  # whether `load` needs no network and no more than seconds
    note: str = ""  # what is needed where it is not available
    classes: tuple[str, ...] = ()  # from here on: known once it has been prepared
    image_shape: tuple[int, int, int] | None = None  # height, width, channels
    train_count: int = 0
    test_count: int = 0
    split: str = ""  # how the test split was made; "" where its authors made it
    homepage: str = ""  # this and the next: of published sets only
    citation: str = ""


def dataset_names() -> list[str]:
    """Return the names that are taken: the built-in sets, then the imported, damaged or not."""
    return [*BUILT_IN, *(name for name in store.stored_names() if name not in BUILT_IN)]


def all_names() -> list[str]:
    """Return the names of all data sets, also of those that have to be imported first."""
    names = dataset_names()
    return [*names, *(name for name in PICTURE_SETS if name not in names)]


def origin_of(name: str) -> Origin | None:
    """Return where a published set comes from; None for a person's own."""
    if name in BUILT_IN:
        return BUILT_IN[name].origin
    pictures = _pictures_of(name)
    return pictures.origin if pictures else None


def proposed_size(name: str) -> int | None:
    """Return the height and width to propose where `load` needs one, in pixels; None elsewhere."""
    return PICTURE_SETS[name].size if _is_to_be_imported(name) else None


def _is_to_be_imported(name: str) -> bool:
    return name in PICTURE_SETS and name not in store.stored_names()


def _pictures_of(name: str) -> PictureSet | None:
    """Return the published pictures of this name, unless the set is a person's own pictures."""
    known = PICTURE_SETS.get(name)
    if known is None or _is_to_be_imported(name):
        return known
    try:
        return known if store.read_meta(name).source == known.origin.files[0].name else None
    except (NotFound, Damaged):
        return None


def describe(name: str) -> DatasetInfo:
    """Return what is known about a data set, from its description alone, in no time.

    Raises:
        NotFound: If there is no data set of this name.
    """
    _check_known(name)
    try:
        meta = store.read_meta(name)
    except (NotFound, Damaged) as error:
        info = _describe_unprepared(name, error)
    else:
        info = DatasetInfo(name, meta.title, meta.description, meta.licence, meta.source, meta.kind,
                           True, "", meta.class_names, meta.image_shape,
                           meta.train_count, meta.test_count,
                           sentence(meta.split, meta.changes))
    pictures, origin = _pictures_of(name), origin_of(name)
    if pictures:  # the import knew no more than the name of the file
        info = replace(info, title=pictures.about.title, description=pictures.about.description,
                       licence=pictures.about.licence, source=pictures.about.source)
    return replace(info, homepage=origin.homepage, citation=origin.citation) if origin else info


def _describe_unprepared(name: str, error: NotFound | Damaged) -> DatasetInfo:
    if _is_to_be_imported(name):
        note = (originals.needs(PICTURE_SETS[name].origin.files)
                or "Its pictures are here; they have to be brought to one size.")
        return DatasetInfo(name, name, "", "", "", "built-in", False, note)
    if name not in BUILT_IN:
        return DatasetInfo(name, name, "", "", "", "imported", False, str(error))
    known = BUILT_IN[name]
    needs = known.needs()
    about = known.about
    return DatasetInfo(name, about.title, about.description, about.licence, about.source,
                       about.kind, not needs, needs)


def load(name: str, progress: Progress | None = None, size: int | None = None) -> Dataset:
    """Return a data set; a built-in one is made first, at its first use or if it is damaged.

    Args:
        name: One of `all_names()`.
        progress: Told how far a download or preparation is; it may raise `Cancelled`. Defaults to
            nobody.
        size: Height and width for published pictures of many sizes, when they are imported.
            Defaults to what `proposed_size` says.

    Raises:
        NotFound: If there is no data set of this name.
        BadInput: If the size is out of range.
        Damaged: If an imported set, or the file that a built-in one is made from, is damaged.
        Unavailable: If a download or the disk fails.
    """
    _check_known(name)
    tell = progress or silent
    if name in BUILT_IN:
        ready = _open_sound(name)
        return ready if ready is not None else _prepare(BUILT_IN[name], tell)
    if _is_to_be_imported(name):
        _import(PICTURE_SETS[name], size, tell)
    return store.open_set(name)


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


def _import(pictures: PictureSet, size: int | None, progress: Progress) -> None:
    from cnn.data.importing import import_images  # which asks this module for the taken names

    side = size or pictures.size
    # Under another name than the import's own lock, which would wait for this one.
    with store.preparing(f"{pictures.name}-pictures", progress):
        if not _is_to_be_imported(pictures.name):
            return
        path, = originals.fetch(pictures.origin.files, progress)
        import_images(path, pictures.name, (side, side), pictures.about.resize,
                      plan=SplitPlan(group=pictures.group), progress=progress)


def _check_known(name: str) -> None:
    names = all_names()
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        raise NotFound(f"There is no data set named {name[:80]!r}.",
                       f"{hint}Known data sets: {', '.join(names)}.")
