"""`.keras` files for tests, written by hand: good ones, and what hostile ones are made of."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Config = dict[str, Any]
METADATA = json.dumps({"keras_version": "3.15.1"}).encode()
KERNEL = "layers/dense/vars/0"


def layer(kind: str, name: str = "", module: str = "keras.layers", **config: Any) -> Config:
    name = name or kind.lower()
    return {"module": module, "class_name": kind, "registered_name": None,
            "config": {"name": name, "trainable": True, **config}}


def entry(shape: tuple[Any, ...] = (8, 8, 3)) -> Config:
    return layer("InputLayer", "entry", batch_shape=[None, *shape], dtype="float32")


def sequential(*layers: Config, shape: tuple[Any, ...] = (8, 8, 3)) -> Config:
    return layer("Sequential", "net", "keras", layers=[entry(shape), *layers])


def dense(units: int = 2, activation: str = "softmax", **more: Any) -> Config:
    return layer("Dense", units=units, activation=activation, use_bias=True, **more)


def plain_net() -> Config:
    """Flatten and Dense: what is damaged in most tests."""
    return sequential(layer("Flatten"), dense())


def hdf5(change: Callable[[h5py.File], None] | None = None) -> bytes:
    """The weights of `plain_net`."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file[KERNEL] = np.full((192, 2), 0.01, np.float32)
        file["layers/dense/vars/1"] = np.zeros(2, np.float32)
        if change:
            change(file)
    return memory.getvalue()


def hanging_hdf5() -> bytes:
    """One changed number in the list of the sources of a virtual data set, and HDF5 never returns.

    The number is the size of the last text in the file's heap: behind it a reader finds an item of
    no length, goes on by nothing, and finds it again.
    """
    def make_virtual(file: h5py.File) -> None:
        del file[KERNEL]
        layout = h5py.VirtualLayout(shape=(192, 2), dtype="f4")
        layout[:] = h5py.VirtualSource("elsewhere.h5", "data", shape=(192, 2))
        file.create_virtual_dataset(KERNEL, layout)

    data = bytearray(hdf5(make_virtual))
    at = data.find(b"GCOL") + 16 + 8  # the heap's head, then the size of its first text
    size = struct.unpack_from("<Q", data, at)[0]
    struct.pack_into("<Q", data, at, size + 256)
    return bytes(data)


def write_keras(
    path: Path, config: Config | bytes | None = None, weights: bytes | None = None,
    metadata: bytes = METADATA, pack: int = zipfile.ZIP_STORED, **more: bytes
) -> Path:
    """Write a `.keras` file.

    Args:
        path: Where to.
        config: Of the network. Defaults to that of `plain_net`.
        weights: HDF5. Defaults to those of `plain_net`.
        metadata: The member of that name.
        pack: How members are packed.
        more: Other members by name.
    """
    text = config if isinstance(config, bytes) else json.dumps(config or plain_net()).encode()
    with zipfile.ZipFile(path, "w", pack) as archive:
        archive.writestr("metadata.json", metadata)
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", hdf5() if weights is None else weights)
        for name, data in more.items():
            archive.writestr(name, data)
    return path
