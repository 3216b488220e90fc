"""Makes a data set of a person's own pictures: class folders, or a zip of them.

One picture is in memory at a time. What cannot be used is skipped and reported; the import fails
only if too little is left or the source is not safe. How files are laid out is `layout`'s business,
where they come from `folders`' and `zips`'.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn.data import store
from cnn.data.catalogue import dataset_names, describe
from cnn.data.folders import list_folder
from cnn.data.images import RESIZE_WAYS, decode_image, resize, to_channels
from cnn.data.layout import Candidate, Entry, Skipped, arrange, shown
from cnn.data.progress import Progress, silent
from cnn.data.splits import Split, split_training
from cnn.data.zips import open_zip
from cnn.errors import BadInput, NotFound, Unavailable
from cnn.files import TEMPORARY, check_name

SIZES = (8, 512)  # smallest and largest height or width in pixels
MAX_STORED = 4 * 2**30  # bytes of all resized pictures together


@dataclass(frozen=True)
class ImportReport:
    """What became of the files of an import."""

    name: str
    kept: dict[str, int]  # class name: pictures in both splits
    skipped: list[Skipped]  # files that are not used, and why
    train_count: int
    test_count: int


@dataclass(frozen=True)
class _Way:
    """How each picture is brought to the form of the data set."""

    size: tuple[int, int]
    how: str
    channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return (*self.size, self.channels)

    def apply(self, data: bytes) -> bytes:
        return to_channels(resize(decode_image(data), self.size, self.how), self.channels).tobytes()


def import_images(
    source: Path, name: str, size: tuple[int, int], how: str = "crop", channels: int = 3,
    seed: int = 0, test_fraction: float = 0.2, progress: Progress | None = None,
) -> ImportReport:
    """Store the pictures of a folder or zip as the data set `name`.

    Args:
        source: A folder or zip of class folders, or of train and test folders of class folders.
        name: For the new data set.
        size: Height and width that every picture is brought to, 8 to 512 pixels.
        how: One of `RESIZE_WAYS`. Defaults to the centred crop.
        channels: 1 (grey) or 3 (RGB). Defaults to 3.
        seed: Decides which pictures become the test split. Defaults to 0.
        test_fraction: Share of each class for the test split, 0.05 to 0.5, where the source has no
            test folder. Defaults to a fifth.
        progress: Told how many pictures have been read. Defaults to nobody.

    Raises:
        BadInput: If the name is taken, a setting is out of range, the source is not understood, or
            fewer than two classes of two pictures each can be used.
        NotFound: If there is no such file or folder.
        Refused: If the source is a zip that is made to do harm.
        Unavailable: If the disk is full or cannot be written.
    """
    check_name(name, "data set name")
    way = _checked_way(size, how, channels)
    if not 0.05 <= test_fraction <= 0.5:
        raise BadInput(f"test_fraction must be from 0.05 to 0.5. Received: {test_fraction!r}.",
                       "0.2 keeps a fifth of the pictures for the test.")
    tell = progress or silent
    with store.preparing(name, tell), _opened(Path(source)) as (entries, unsafe), _scratch() as raw:
        if name in dataset_names():
            raise BadInput(f"There is already a data set named {name!r}.",
                           "Choose another name, or remove that data set first.")
        candidates, unused = arrange(entries)
        _check_room(len(candidates), way, raw.parent)
        kept, broken = _decode(candidates, way, raw, tell)
        skipped = [*unsafe, *unused, *broken]
        class_names = _checked_classes(kept, skipped)
        split, labels = _divided(kept, class_names, test_fraction, seed)
        tell(f"Storing {name}", 0, 0)
        images = np.memmap(raw, np.uint8, "r", shape=(len(kept), *way.shape))
        store.write_set(
            name, class_names, store.Part(images, labels, split.train),
            store.Part(images, labels, split.validation), store.About(
                kind="imported", title=name, licence="Not stated", source=shown(Path(source).name),
                description=f"{len(kept):,} pictures of {len(class_names)} classes.", resize=how))
        del images  # Windows deletes no file that is still mapped
    counts = Counter(candidate.class_name for candidate in kept)
    return ImportReport(name, {n: counts[n] for n in class_names}, skipped,
                        len(split.train), len(split.validation))


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


def _checked_way(size: tuple[int, int], how: str, channels: int) -> _Way:
    low, high = SIZES
    if len(size) != 2 or not all(type(n) is int and low <= n <= high for n in size):
        raise BadInput(f"The size must be a height and a width from {low} to {high} pixels. "
                       f"Received: {size!r}.", "Choose for instance 64 x 64.")
    if how not in RESIZE_WAYS or channels not in (1, 3):
        raise BadInput(
            f"Pictures are resized by one of {', '.join(RESIZE_WAYS)} to 1 (grey) or 3 (RGB) "
            f"channels. Received: {how!r}, {channels!r}.", "Choose one of these.")
    return _Way((size[0], size[1]), how, channels)


@contextmanager
def _opened(source: Path) -> Iterator[tuple[list[Entry], list[Skipped]]]:
    if source.is_dir():
        yield list_folder(source)
    elif source.is_file():
        with open_zip(source) as listed:
            yield listed
    else:
        raise NotFound(f"There is no file or folder {shown(str(source))}.",
                       "Give a zip file or a folder that holds one folder per class.")


@contextmanager
def _scratch() -> Iterator[Path]:
    """Yield the path for a file of resized pictures that is deleted in the end."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=store.writable_folder(store.STORE),
                                     ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "pictures"


def _check_room(count: int, way: _Way, folder: Path) -> None:
    needed = count * int(np.prod(way.shape))
    if needed > MAX_STORED:
        raise BadInput(
            f"{count:,} pictures of {way.size[0]} x {way.size[1]} take {needed / 2**30:.1f} GB; "
            f"the limit is {MAX_STORED / 2**30:g} GB.", "Choose a smaller size or fewer pictures.")
    if shutil.disk_usage(folder).free < 2 * needed + 2**26:  # for a while they are there twice
        raise Unavailable(f"The import needs {2 * needed / 2**30:.1f} GB of free disk space.",
                          "Free some space, or choose a smaller size.")


def _decode(
    candidates: list[Candidate], way: _Way, target: Path, progress: Progress
) -> tuple[list[Candidate], list[Skipped]]:
    """Write the pictures one after the other to `target`; return which, and why not the others."""
    kept, broken = [], []
    try:
        with target.open("wb") as file:
            for done, candidate in enumerate(candidates):
                progress("Reading pictures", done, len(candidates))
                try:
                    file.write(way.apply(candidate.entry.read()))
                    kept.append(candidate)
                except BadInput as error:
                    broken.append((shown("/".join(candidate.entry.parts)), error.message))
    except OSError as error:
        raise Unavailable(f"The pictures cannot be stored ({error.strerror or error}).",
                          "Free some disk space and try again.") from error
    return kept, broken


def _checked_classes(kept: list[Candidate], skipped: list[Skipped]) -> tuple[str, ...]:
    """Return the names of the classes; a folder without any picture is none."""
    train = Counter(candidate.class_name for candidate in kept if not candidate.in_test)
    strange = sorted({c.class_name for c in kept} - set(train))
    reasons = Counter(reason for _, reason in skipped).most_common(1)
    why = f" {len(skipped)} files were skipped, most often: {reasons[0][0]}." if reasons else ""
    if strange:
        raise BadInput(f"The test folder has classes that the train folder has not: "
                       f"{', '.join(strange[:10])}.{why}", "Give both the same class folders.")
    if len(train) < 2 or min(train.values()) < 2:
        smallest = sorted(train.items(), key=lambda item: (item[1], item[0]))[:10]
        found = ", ".join(f"{name} ({count})" for name, count in smallest) or "none"
        raise BadInput(
            "At least two classes with two training pictures each are needed. "
            f"Found: {found}.{why}",
            "Put the pictures of each class into one folder named after the class.")
    return tuple(sorted(train))


def _divided(
    kept: list[Candidate], class_names: tuple[str, ...], test_fraction: float, seed: int
) -> tuple[Split, np.ndarray]:
    """Return which pictures are for training and test (as validation), and all labels."""
    numbers = {name: number for number, name in enumerate(class_names)}
    labels = np.array([numbers[candidate.class_name] for candidate in kept], np.int64)
    in_test = np.array([candidate.in_test for candidate in kept])
    if not in_test.any():
        return split_training(labels, test_fraction, 0, seed), labels
    return Split(np.flatnonzero(~in_test), np.flatnonzero(in_test)), labels
