"""Makes `cifar10` from the official batches: a folder or an archive, found here or downloaded.

The batches are pickles, and a pickle can run any code. Here it can build numbers, texts, lists and
dictionaries, and keep the bytes of an array; anything else in it is refused.
"""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np

from cnn.data.dataset import Images, Labels
from cnn.data.download import download
from cnn.data.progress import Progress
from cnn.data.registry import Made, register
from cnn.data.store import About, Part, data_folders, find, writable_folder
from cnn.errors import CnnError, Damaged

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer",
               "dog", "frog", "horse", "ship", "truck")
_TRAIN = tuple(f"data_batch_{n}" for n in range(1, 6))
_TEST = "test_batch"
_BATCHES = (*_TRAIN, _TEST)
_BATCH_BYTES = 100 * 2**20  # official batches have 31 MB, repickled ones up to 45 MB
_FOLDERS = (  # the official name, then the places where versions of Keras unpack
    "cifar-10-batches-py",
    "cifar-10-batches-py-target/cifar-10-batches-py",
    "cifar-10-batches-py_extracted/cifar-10-batches-py",
)
_ARCHIVE = "cifar-10-python.tar.gz"
_ARCHIVES = (_ARCHIVE, "cifar-10-batches-py.tar.gz", "cifar-10-batches-py-target_archive")
_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


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


def read_batch(file: BinaryIO) -> tuple[Images, Labels]:
    """Return the images, uint8 (N, 32, 32, 3), and labels, 0 to 9, of one CIFAR-10 batch.

    Raises:
        Exception: Of some kind, if it is not such a batch; nothing in it has been run.
    """
    batch = _Unpickler(file, encoding="bytes").load()
    values = {k.decode() if isinstance(k, bytes) else k: v for k, v in batch.items()}
    data, labels = values["data"].array(), np.asarray(values["labels"])
    if data.ndim != 2 or data.shape[1] != 3072 or labels.shape != data.shape[:1] or not len(data):
        raise ValueError(f"it has {data.shape} values and {labels.shape} labels")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
        raise ValueError("its labels are not all from 0 to 9")
    return data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels.astype(np.int64)


def _found() -> Path | None:
    """Return the folder or archive to read, folders first: they need no unpacking."""
    for path in (folder / name for folder in data_folders() for name in _FOLDERS):
        if all((path / batch).exists() for batch in _BATCHES):
            return path
    return find(*_ARCHIVES)


def _needs() -> str:
    return "" if _found() else f"Downloads {_ARCHIVE} (170 MB) at first use."


@register("cifar10", About(
    kind="built-in", title="CIFAR-10",
    description="60,000 colour photographs of ten kinds of things, 32×32.",
    licence="None stated by its authors", source="A. Krizhevsky, University of Toronto, 2009",
), _needs)
def make_cifar10(progress: Progress) -> Made:
    """Make CIFAR-10 from its batches, downloading them if they are in no data folder.

    Raises:
        Damaged: If what is there is not CIFAR-10.
        Unavailable: If it has to be downloaded and cannot be.
    """
    path = _found()
    if path is None:
        path = writable_folder() / _ARCHIVE
        download((_URL,), path, _SHA256, progress)
    batches = _read_folder(path, progress) if path.is_dir() else _read_archive(path, progress)
    train = [batches[name] for name in _TRAIN]
    images = np.concatenate([batch[0] for batch in train])
    labels = np.concatenate([batch[1] for batch in train])
    return CLASS_NAMES, Part(images, labels), Part(*batches[_TEST])


def _read_folder(path: Path, progress: Progress) -> dict[str, tuple[Images, Labels]]:
    batches = {}
    for done, name in enumerate(_BATCHES):
        progress("Reading CIFAR-10", done, len(_BATCHES))
        batches[name] = _guarded(path / name, _read_file)
    return batches


def _read_archive(path: Path, progress: Progress) -> dict[str, tuple[Images, Labels]]:
    """Read the batches as they stream by: nothing is unpacked to the disk."""
    return _guarded(path, partial(_stream_archive, progress=progress))


def _stream_archive(path: Path, progress: Progress) -> dict[str, tuple[Images, Labels]]:
    batches: dict[str, tuple[Images, Labels]] = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if name not in _BATCHES or name in batches or not member.isreg():
                continue
            if member.size > _BATCH_BYTES or member.issparse():
                raise ValueError(f"{name} is too large")
            progress("Reading CIFAR-10", len(batches), len(_BATCHES))
            file = archive.extractfile(member)
            batches[name] = read_batch(io.BytesIO(file.read() if file else b""))
    missing = [name for name in _BATCHES if name not in batches]
    if missing:
        raise ValueError(f"it has no {', '.join(missing)}")
    return batches


def _read_file(path: Path) -> tuple[Images, Labels]:
    with path.open("rb") as file:
        return read_batch(file)


def _guarded(path: Path, read: Callable[[Path], Any]) -> Any:
    """Return what `read` makes of the file at `path`, or say that the file is damaged."""
    try:
        return read(path)
    except CnnError:
        raise
    except Exception as error:  # a broken pickle or archive fails in many ways
        raise Damaged(f"{path} is not a CIFAR-10 file ({error}).",
                      "Delete it: the data are downloaded at the next use.") from error
