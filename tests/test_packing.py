"""Packed model files: the same values in fewer bytes, for Keras and for our own readers."""

from __future__ import annotations

import errno
import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from cnn.errors import Unavailable
from cnn.files import atomic_path
from cnn.models.foreign.looking import look_into
from cnn.models.packing import PackedNetwork, narrow, pack


def network() -> keras.Model:
    model = keras.Sequential([
        keras.Input((8, 8, 3)), keras.layers.Conv2D(40, 3, name="rough"),
        keras.layers.BatchNormalization(), keras.layers.Conv2D(40, 3, name="fine"),
        keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
    kernel = model.get_layer("rough").kernel
    kernel.assign(np.asarray(kernel).astype(np.float16).astype(np.float32))
    return model


def dtypes(path: Path) -> dict[str, str]:
    """Return how each array in a model file is kept, by its path."""
    found: dict[str, str] = {}

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = str(item.dtype)

    with zipfile.ZipFile(path) as archive, \
            h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
        file.visititems(look)
    return found


@pytest.mark.parametrize(("values", "kept"), [
    (np.float32([0, -0.0, 1, -2.5, 65504, 2.0**-24]), "float16"),
    (np.float32([1, 2, 1 / 3]), "float32"),  # one value is enough
    (np.float32([65536]), "float32"),  # infinite in half precision
    (np.float32([2.0**-25]), "float32"),  # 0 in half precision
    (np.float32([np.nan]), "float32"),
    (np.zeros((0, 3), np.float32), "float16"),
    (np.float32(0.5), "float16"),
    (np.float64([1]), "float64"),
    (np.int64([1]), "int64"),
])
def test_only_what_half_precision_holds_exactly_is_kept_in_it(values: Any, kept: str) -> None:
    narrowed = narrow(values)
    assert narrowed.dtype == kept
    np.testing.assert_array_equal(narrowed.astype(values.dtype), values)


def test_what_is_no_array_of_numbers_stays() -> None:
    assert narrow(b"text") == b"text"


def test_keras_reads_the_same_float32_weights_from_a_smaller_file(tmp_path: Path) -> None:
    model, plain, packed = network(), tmp_path / "plain.keras", tmp_path / "packed.keras"
    model.save(plain)
    PackedNetwork(model).save(packed)
    assert packed.stat().st_size < 0.85 * plain.stat().st_size
    loaded = keras.models.load_model(packed)
    for mine, own in zip(loaded.weights, model.weights, strict=True):
        assert mine.dtype == "float32"
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(own))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["packed.keras", "plain.keras"]


def test_arrays_are_judged_one_by_one_and_their_facts_stay(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.keras", tmp_path / "packed.keras"
    network().save(plain)  # once: a file of Keras's names the second it was saved
    pack(plain, packed)
    kept, before = dtypes(packed), dtypes(plain)
    assert kept.keys() == before.keys()
    assert kept["layers/conv2d/vars/0"] == "float16"  # "rough": files have names of their own
    assert kept["layers/conv2d_1/vars/0"] == "float32"
    with zipfile.ZipFile(plain) as one, zipfile.ZipFile(packed) as other:
        assert one.namelist() == other.namelist()
        assert {info.compress_type for info in other.infolist()} == {zipfile.ZIP_DEFLATED}
        for name in ("config.json", "metadata.json"):
            assert one.read(name) == other.read(name)


def test_a_packed_model_can_be_given_as_ones_own(tmp_path: Path) -> None:
    model, file = network(), tmp_path / "packed.keras"
    PackedNetwork(model).save(file)
    _, arrays = look_into(file, tmp_path)
    np.testing.assert_array_equal(arrays["rough"][0], np.asarray(model.get_layer("rough").kernel))
    assert arrays["rough"][0].dtype == np.float32


def test_nothing_but_the_packed_file_is_left_when_the_disk_is_full(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(Unavailable, match=r"The disk is full: model\.keras"), \
            atomic_path(tmp_path / "model.keras") as file:
        PackedNetwork(network()).save(file)
    assert not list(tmp_path.iterdir())
