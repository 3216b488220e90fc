"""Makes `digits`, `mnist` and `fashion-mnist` from the files they come in.

Knows these files only; storing and listing is done elsewhere. `cnn.data.cifar` makes the others.
"""

from __future__ import annotations

import gzip
import importlib.util
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cnn.data import originals
from cnn.data.dataset import Images, Labels
from cnn.data.download import RemoteFile
from cnn.data.progress import Progress
from cnn.data.registry import Made, Origin, register
from cnn.data.splits import split_training
from cnn.data.store import About, Part
from cnn.errors import Damaged, Unavailable

_DIGITS = tuple("0123456789")
_KERAS_STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
# SHA-256 and the first address: keras/src/datasets/mnist.py. The second is the address of earlier
# versions of Keras, with the MD5 (8a61469f7ea1b51cbae51d4f78837e45) that the first had there too.
_MNIST = RemoteFile(
    "mnist.npz",
    (f"{_KERAS_STORE}/mnist.npz", "https://s3.amazonaws.com/img-datasets/mnist.npz"),
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1", 11_490_434)

_GARMENTS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
             "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_FASHION_AUTHORS = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion"


def _fashion_file(name: str, sha256: str, size: int) -> RemoteFile:
    mirrors = (f"{_KERAS_STORE}/{name}", f"{_FASHION_AUTHORS}/{name}")
    return RemoteFile(f"fashion-mnist/{name}", mirrors, sha256, size)


# SHA-256 and the first address: keras/src/datasets/fashion_mnist.py; the same with the sizes:
# tensorflow_datasets/url_checksums/fashion_mnist.txt. The second is the authors' own repository.
_FASHION = tuple(_fashion_file(*facts) for facts in (
    ("train-images-idx3-ubyte.gz",
     "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26_421_880),
    ("train-labels-idx1-ubyte.gz",
     "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29_515),
    ("t10k-images-idx3-ubyte.gz",
     "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4_422_102),
    ("t10k-labels-idx1-ubyte.gz",
     "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5_148)))
_MOST_VALUES = 60_000 * 28 * 28  # in one of these files


def _digits_file() -> Path | None:
    # Looked up, not imported: scikit-learn costs the server a second and 80 MB.
    spec = importlib.util.find_spec("sklearn")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            return path
    return None


def _digits_needs() -> str:
    return "" if _digits_file() else "Needs scikit-learn: pip install scikit-learn."


@register("digits", About(
    kind="built-in", title="Digits 8×8", dark_background=True,
    description="1,797 handwritten digits, 8×8 grey: trains in seconds and needs no network.",
    licence="CC BY 4.0", source="scikit-learn, from the UCI archive (E. Alpaydin and C. Kaynak)",
), _digits_needs, Origin(
    "https://archive.ics.uci.edu/ml/datasets/Optical+Recognition+of+Handwritten+Digits",
    "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI Machine Learning "
    "Repository, 1998."))
def make_digits(progress: Progress) -> Made:
    """Make the digits that come with scikit-learn, a fifth of them as the test split.

    Raises:
        Unavailable: If scikit-learn is not installed.
    """
    path = _digits_file()
    if path is None:
        raise Unavailable("The digits data come with scikit-learn, which is not installed.",
                          "Install it: pip install scikit-learn.")
    progress("Reading digits", 0, 0)
    table = np.loadtxt(path, delimiter=",", dtype=np.float64)  # 64 values 0 to 16, then the digit
    images = np.round(table[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    labels = table[:, -1].astype(np.int64)
    split = split_training(labels, 0.2, 0, seed=0)
    return _DIGITS, Part(images, labels, split.train), Part(images, labels, split.validation)


@register("mnist", About(
    kind="built-in", title="MNIST", dark_background=True,
    description="70,000 handwritten digits, 28×28 grey: the classic first task.",
    licence="CC BY-SA 3.0", source="Y. LeCun and C. Cortes, from NIST",
), lambda: originals.needs((_MNIST,)), Origin(
    "http://yann.lecun.com/exdb/mnist/",
    "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document "
    "Recognition. Proceedings of the IEEE 86 (11), 1998.", (_MNIST,)))
def make_mnist(progress: Progress) -> Made:
    """Make MNIST from `mnist.npz`, downloading that if it is in no data folder.

    Raises:
        Damaged: If the file that is there is not MNIST.
        Unavailable: If it has to be downloaded and cannot be.
    """
    path, = originals.fetch((_MNIST,), progress)
    progress("Reading MNIST", 0, 0)
    train, test = _guarded(path, "MNIST", _read_mnist)
    return _DIGITS, train, test


def _read_mnist(path: Path) -> tuple[Part, Part]:
    with np.load(path, allow_pickle=False) as arrays:
        return (_grey_part(arrays["x_train"], arrays["y_train"]),
                _grey_part(arrays["x_test"], arrays["y_test"]))


@register("fashion-mnist", About(
    kind="built-in", title="Fashion-MNIST", dark_background=True,
    description="70,000 pictures of ten kinds of clothes, 28×28 grey: like MNIST, but harder.",
    licence="MIT", source="H. Xiao, K. Rasul and R. Vollgraf, Zalando Research, 2017",
), lambda: originals.needs(_FASHION), Origin(
    "https://github.com/zalandoresearch/fashion-mnist",
    "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine "
    "Learning Algorithms. arXiv:1708.07747, 2017.", _FASHION))
def make_fashion_mnist(progress: Progress) -> Made:
    """Make Fashion-MNIST from its four files, downloading those that are in no data folder.

    Raises:
        Damaged: If a file that is there is not of Fashion-MNIST.
        Unavailable: If one has to be downloaded and cannot be.
    """
    paths = originals.fetch(_FASHION, progress)
    progress("Reading Fashion-MNIST", 0, 0)
    arrays = [_guarded(path, "Fashion-MNIST", read_idx) for path in paths]
    train = _guarded(paths[0], "Fashion-MNIST", lambda _: _grey_part(*arrays[:2]))
    test = _guarded(paths[2], "Fashion-MNIST", lambda _: _grey_part(*arrays[2:]))
    return _GARMENTS, train, test


def read_idx(path: Path) -> Images:
    """Return the array in a packed IDX file of bytes, of any shape.

    Raises:
        Exception: Of some kind, if it is not such a file.
    """
    with gzip.open(path) as file:
        start, kind, rank = struct.unpack(">HBB", file.read(4))
        if (start, kind) != (0, 8) or rank > 3:
            raise ValueError("it is no IDX file of bytes")
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        count = math.prod(shape)
        if count > _MOST_VALUES:
            raise ValueError(f"it says it has {count:,} values")
        data = file.read(count + 1)
    if len(data) != count:
        raise ValueError(f"it does not have the {count:,} values it says")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _guarded(path: Path, title: str, read: Callable[[Path], Any]) -> Any:
    try:
        return read(path)
    except Exception as error:  # zipfile, gzip, zlib and NumPy fail in many ways on a broken file
        raise Damaged(f"{path} is not the {title} file ({error}).",
                      "Delete it: it is downloaded again at the next use.") from error


def _grey_part(images: Images, labels: Labels) -> Part:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(f"images are {images.dtype} {images.shape}, expected uint8 (n, 28, 28)")
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or len(labels) == 0:
        raise ValueError(f"labels are {labels.dtype} {labels.shape} for {len(images)} images")
    if labels.min() < 0 or labels.max() > 9:
        raise ValueError(f"labels are from {labels.min()} to {labels.max()}, expected 0 to 9")
    return Part(images[..., np.newaxis], labels.astype(np.int64))
