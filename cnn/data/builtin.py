"""Makes `digits` and `mnist` from the files they come in.

Knows these files only; storing and listing is done elsewhere. `cnn.data.cifar` makes `cifar10`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from cnn.data.dataset import Images, Labels
from cnn.data.download import download
from cnn.data.progress import Progress
from cnn.data.registry import Made, register
from cnn.data.splits import split_training
from cnn.data.store import About, Part, find, writable_folder
from cnn.errors import Damaged, Unavailable

_DIGITS = tuple("0123456789")
_MNIST = "mnist.npz"
_MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


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
), _digits_needs)
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


def _mnist_needs() -> str:
    return "" if find(_MNIST) else f"Downloads {_MNIST} (11 MB) at first use."


@register("mnist", About(
    kind="built-in", title="MNIST", dark_background=True,
    description="70,000 handwritten digits, 28×28 grey: the classic first task.",
    licence="CC BY-SA 3.0", source="Y. LeCun and C. Cortes, from NIST",
), _mnist_needs)
def make_mnist(progress: Progress) -> Made:
    """Make MNIST from `mnist.npz`, downloading that if it is in no data folder.

    Raises:
        Damaged: If the file that is there is not MNIST.
        Unavailable: If it has to be downloaded and cannot be.
    """
    path = find(_MNIST)
    if path is None:
        path = writable_folder() / _MNIST
        download((_MNIST_URL,), path, _MNIST_SHA256, progress)
    progress("Reading MNIST", 0, 0)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            train = _mnist_part(arrays["x_train"], arrays["y_train"])
            test = _mnist_part(arrays["x_test"], arrays["y_test"])
    except Exception as error:  # zipfile, zlib and NumPy fail in many ways on a broken file
        raise Damaged(f"{path} is not the MNIST file ({error}).",
                      "Delete it: it is downloaded again at the next use.") from error
    return _DIGITS, train, test


def _mnist_part(images: Images, labels: Labels) -> Part:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(f"images are {images.dtype} {images.shape}, expected uint8 (n, 28, 28)")
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or len(labels) == 0:
        raise ValueError(f"labels are {labels.dtype} {labels.shape} for {len(images)} images")
    if labels.min() < 0 or labels.max() > 9:
        raise ValueError(f"labels are from {labels.min()} to {labels.max()}, expected 0 to 9")
    return Part(images[..., np.newaxis], labels.astype(np.int64))
