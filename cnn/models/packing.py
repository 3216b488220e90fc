"""Makes the file of a network smaller than Keras leaves it, without a loss.

The result is an ordinary `.keras` file: Keras turns the weights into what its layers say, whatever
they were kept in. Needs no TensorFlow; knows nothing of what the weights mean.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from cnn.models.foreign.archive import WEIGHTS


class PackedNetwork:
    """A Keras network whose file is packed once it is written, for `save_model`."""

    def __init__(self, model: Any) -> None:
        """Hold the network.

        Args:
            model: Keras model.
        """
        self._model = model

    def save(self, path: Path) -> None:
        """Write the network to a file that ends in `.keras`.

        Raises:
            OSError: If there is no room.
        """
        loose = path.with_name(f"loose-{path.name}")
        try:
            self._model.save(loose)
            pack(loose, path)
        finally:
            loose.unlink(missing_ok=True)


def pack(source: Path, target: Path) -> None:
    """Write a `.keras` file with the same values as another that is smaller.

    Arrays whose every value fits into half precision are kept so, and all members are deflated.

    Args:
        source: Of a file that Keras has written here: one from elsewhere could harm its reader.
        target: Where to write; what was there is lost.

    Raises:
        OSError: If there is no room.
    """
    with zipfile.ZipFile(source) as loose, \
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in loose.namelist():
            content = loose.read(name)
            packed.writestr(name, _narrowed(content) if name == WEIGHTS else content)


def _narrowed(content: bytes) -> bytes:
    """Return an HDF5 file with the same values in fewer bytes."""
    import h5py

    result = io.BytesIO()
    with h5py.File(io.BytesIO(content), "r") as source, h5py.File(result, "w") as target:
        _copy(source, target)
    return result.getvalue()


def _copy(source: Any, target: Any) -> None:
    import h5py

    target.attrs.update(source.attrs)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy(item, target.create_group(name))
        else:
            kept = target.create_dataset(name, data=narrow(item[()]))
            kept.attrs.update(item.attrs)


def narrow(values: Any) -> Any:
    """Return float32 values in half precision if that holds each of them, else as they are.

    Args:
        values: Array or scalar of any dtype.
    """
    if getattr(values, "dtype", None) != np.float32:
        return values
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    return half if np.array_equal(half, values) else values
