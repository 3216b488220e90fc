"""Makes a data set of a person's own pictures: a folder, a zip, a table, or files dropped by class.

What cannot be used is left out and reported; the import fails only if too little is left or the
source is not safe. How files are laid out is `layout`'s business, where they come from `folders`'
and `zips`', how they are decoded `decoding`'s, how they are divided `dividing`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data import store
from cnn.data.catalogue import dataset_names, describe
from cnn.data.decoding import Stored, Way, Written, write_images
from cnn.data.dividing import IN_TEST, IN_TRAIN, UNUSED, Divided, SplitPlan, divide, sentence
from cnn.data.folders import list_beside, list_folder
from cnn.data.items import Items, write_items
from cnn.data.layout import Entry, Skipped, arrange, path_of, shown, usable_parts
from cnn.data.progress import Progress, silent, with_time_left
from cnn.data.stock import IMAGES, write_description
from cnn.data.sweeping import sweep
from cnn.data.tables import TABLES, TEST, VALIDATION
from cnn.data.zips import open_zip
from cnn.errors import BadInput, NotFound
from cnn.files import atomic_path, check_name, need_space

MAX_STORED = 4 * 2**30  # bytes of all resized pictures together
Listed = tuple[list[Entry], list[Skipped]]


@dataclass(frozen=True)
class ImportReport:
    """What became of the files of an import."""

    name: str
    kept: dict[str, int]  # class name: pictures in both splits
    skipped: list[Skipped]  # files that are not used, and why
    train_count: int
    test_count: int
    split: str  # how the test split was made, in words


@dataclass(frozen=True)
class Source:
    """Where pictures come from, opened only while they are read."""

    name: str
    opened: AbstractContextManager[Listed]
    table_decides: bool = False


def import_images(
    source: Path | Source, name: str, size: tuple[int, int], how: str = "crop", channels: int = 3,
    plan: SplitPlan | None = None, progress: Progress | None = None,
) -> ImportReport:
    """Store the pictures of a folder or zip, or those that a table names, as the data set `name`.

    Args:
        source: A folder, a zip, or a CSV table beside or above its pictures; or a `Source`.
        name: For the new data set.
        size: Height and width that every picture is brought to, 8 to 512 pixels.
        how: One of `RESIZE_WAYS`. Defaults to the centred crop.
        channels: 1 (grey) or 3 (RGB). Defaults to 3.
        plan: How the test split is made. Defaults to the source's own, or a fifth of each class.
        progress: Told how many pictures have been read, before each, with the time left. It may
            raise `Cancelled` (see `progress.until`): nothing is left of the import then. Defaults
            to nobody.

    Raises:
        BadInput: If the name is taken, a setting is out of range, the source is not understood, or
            fewer than two classes of two pictures each can be used.
        NotFound: If there is no such file or folder.
        Refused: If the source is a zip that is made to do harm.
        Unavailable: If the disk is full or cannot be written.
    """
    found = source if isinstance(source, Source) else source_of(Path(source))
    return _import(found, name, Way(size, how, channels), plan, progress)


def check_new_name(name: str) -> None:
    """Refuse a name that no new data set can have.

    Raises:
        BadInput: If it is taken or cannot be a name.
    """
    check_name(name, "data set name")
    if name in dataset_names():
        raise BadInput(f"There is already a data set named {name!r}.",
                       "Choose another name, or remove that data set first.")


def given_source(pictures: Iterable[tuple[str, str, Callable[[], bytes]]]) -> Source:
    """Return pictures that a person gave class by class as if they lay in class folders.

    Browsers send a file's name without its folder, so two that differ may be called the same: those
    that come later get a number.

    Args:
        pictures: Class name, file name and what reads the content of each.
    """
    return Source("files given by class", nullcontext(_list_given(pictures)))


def _list_given(pictures: Iterable[tuple[str, str, Callable[[], bytes]]]) -> Listed:
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    names: Counter[tuple[str, ...]] = Counter()
    for class_name, file_name, read in pictures:
        try:
            plain = class_name.strip().replace("/", "-").replace("\\", "-")
            parts = usable_parts(f"{plain}/{file_name}")
        except BadInput as error:
            skipped.append((shown(f"{class_name}/{file_name}"), error.message))
            continue
        if parts:
            names[parts] += 1
            again = f"({names[parts]}) " if names[parts] > 1 else ""
            entries.append(Entry((parts[0], again + parts[-1]), read))
    return entries, skipped


def source_of(path: Path) -> Source:
    """Return what to read for a path.

    Raises:
        NotFound: If there is no such file or folder.
    """
    title = shown(path.name or str(path))
    if path.is_dir():
        return Source(title, _listed(path))
    if not path.is_file():
        raise NotFound(f"There is no file or folder {shown(str(path))}.",
                       "Give a zip file, a table, or a folder that holds one folder per class.")
    if path.name.lower().endswith(TABLES):
        return Source(title, _listed(path), table_decides=True)
    return Source(title, open_zip(path))


@contextmanager
def _listed(path: Path) -> Iterator[Listed]:
    yield list_folder(path) if path.is_dir() else list_beside(path)


def remove_imported(name: str) -> None:
    """Delete an imported data set, sound or damaged.

    Raises:
        BadInput: If it is a built-in one.
        NotFound: If there is no data set of this name.
        Unavailable: If it cannot be deleted.
    """
    if describe(name).kind != "imported":
        raise BadInput(f"{name!r} is built in and cannot be removed.",
                       "Only imported data sets can be.")
    store.remove_set(name)


def _import(
    source: Source, name: str, way: Way, plan: SplitPlan | None, progress: Progress | None
) -> ImportReport:
    check_new_name(name)
    tell = with_time_left(progress or silent)
    sweep()
    with store.preparing(name, tell), source.opened as (entries, unsafe):
        check_new_name(name)  # again: another import may have made it meanwhile
        candidates, unused = arrange(entries, source.table_decides)
        target = store.writable_folder(store.STORE) / name
        _check_room(len(candidates), way, target.parent)
        with atomic_path(target) as folder:
            folder.mkdir()
            written = write_images(folder / IMAGES, candidates, way, tell)
            tell(f"Storing {name}", 0, 0)
            made = _Made(written, [*unsafe, *unused, *written.broken], plan or SplitPlan())
            write_items(folder, made.items)
            about = store.About(
                kind="imported", title=name, licence="Not stated", source=source.name,
                description=f"{made.count:,} pictures of {len(made.class_names)} classes.",
                resize=way.how)
            write_description(folder, made.description(about, way))
    return made.report(name)


def _check_room(count: int, way: Way, folder: Path) -> None:
    needed = count * int(np.prod(way.shape))
    if needed > MAX_STORED:
        raise BadInput(
            f"{count:,} pictures of {way.size[0]} x {way.size[1]} take {needed / 2**30:.1f} GB; "
            f"the limit is {MAX_STORED / 2**30:g} GB.", "Choose a smaller size or fewer pictures.")
    need_space(folder, needed + 500 * count)  # 500: for a name and what is known of the picture


class _Made:
    """What an import comes to, once its pictures are decoded.

    Args:
        written: The decoded pictures.
        skipped: Files that are not used so far.
        plan: How the test split is made.
    """

    def __init__(self, written: Written, skipped: list[Skipped], plan: SplitPlan) -> None:
        stored = written.stored
        self.class_names, used, poor = _usable(stored, skipped, plan.by in ("", "folders"))
        numbers = {name: number for number, name in enumerate(self.class_names)}
        self._labels = np.array([numbers.get(one.file.class_name, 0) for one in stored], np.int64)
        self._divided = divide([stored[row].file for row in used], self._labels[used], plan)
        self._split = np.full(len(stored), UNUSED, np.int8)
        self._split[used] = self._divided.split
        self._skipped = [*skipped, *poor]
        self._stored, self._used, self._digest = stored, used, written.digest
        self.count = len(used)
        self.items = self._items(self._divided)

    def _items(self, divided: Divided) -> Items:
        groups = None
        if divided.groups is not None:
            # Pictures that are not used are in no group: each gets a number of its own.
            groups = np.arange(len(self._stored), dtype=np.int64) + int(divided.groups.max()) + 1
            groups[self._used] = divided.groups
        by_source = divided.how["by"] == "folders"  # else its parts are put together
        return Items(
            self._labels, self._split, groups,
            np.array([by_source and one.file.split == VALIDATION for one in self._stored], bool),
            names=tuple(path_of(one.file.entry) for one in self._stored),
            group_names=divided.group_names,
            widths=np.array([one.width for one in self._stored], np.int64),
            heights=np.array([one.height for one in self._stored], np.int64),
            bytes=np.array([one.bytes for one in self._stored], np.int64),
            skipped=tuple(self._skipped))

    def description(self, about: store.About, way: Way) -> dict[str, Any]:
        """Return what the store says of the set without opening it."""
        digest = hashlib.sha256(f"{self._digest} {json.dumps(self.class_names)}".encode())
        for numbers in (self._labels, self._split, self.items.groups, self.items.held_back):
            digest.update(b"" if numbers is None else numbers.tobytes())
        return {
            **asdict(about), "class_names": self.class_names, "image_shape": way.shape,
            "train_count": self._count(IN_TRAIN), "test_count": self._count(IN_TEST),
            "fingerprint": digest.hexdigest(), "split": self._divided.how}

    def report(self, name: str) -> ImportReport:
        counts = np.bincount(self._labels[self._used], minlength=len(self.class_names)).tolist()
        return ImportReport(name, dict(zip(self.class_names, counts, strict=True)), self._skipped,
                            self._count(IN_TRAIN), self._count(IN_TEST),
                            sentence(self._divided.how))

    def _count(self, part: int) -> int:
        return int((self._split == part).sum())


def _usable(
    stored: list[Stored], skipped: list[Skipped], as_given: bool
) -> tuple[tuple[str, ...], NDArray[np.int64], list[Skipped]]:
    """Return the classes, the rows of their pictures, and what else is left out.

    A class needs two pictures to train on: one of them may be held back while it trains.
    """
    in_test = [as_given and one.file.split == TEST for one in stored]
    train = Counter(one.file.class_name for one, test in zip(stored, in_test, strict=True)
                    if not test)
    reasons = Counter(reason for _, reason in skipped).most_common(1)
    files = "1 file was" if len(skipped) == 1 else f"{len(skipped):,} files were"
    why = f" {files} skipped, most often: {reasons[0][0]}." if reasons else ""
    strange = sorted({one.file.class_name for one in stored} - set(train))
    if strange:
        raise BadInput(f"The test folder has classes that the train folder has not: "
                       f"{', '.join(strange[:10])}.{why}", "Give both the same class folders.")
    names = tuple(sorted(name for name, count in train.items() if count > 1))
    if len(names) < 2:
        smallest = sorted(train.items(), key=lambda item: (item[1], item[0]))[:10]
        found = ", ".join(f"{name} ({count})" for name, count in smallest) or "none"
        raise BadInput(
            "At least two classes with two training pictures each are needed. "
            f"Found: {found}.{why}",
            "Put the pictures of each class into one folder named after the class.")
    rows = [row for row, one in enumerate(stored) if train[one.file.class_name] > 1]
    poor = [(path_of(one.file.entry), "its class has no other picture to train on")
            for one in stored if train[one.file.class_name] < 2]
    return names, np.array(rows, np.int64), poor
