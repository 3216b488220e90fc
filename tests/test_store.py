"""The store: whole or not at all, mapped, and damage is found when a set is opened."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cnn.data import store
from cnn.data.progress import silent
from cnn.errors import Damaged, NotFound, Unavailable

ABOUT = store.About(kind="imported", title="Shapes", description="d", licence="l", source="s",
                    resize="fit", dark_background=True)
FILES = ("train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy")


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "data"


def write(name: str = "shapes", seed: int = 0, classes: tuple[str, ...] = ("a", "b", "c")) -> None:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
    labels = np.arange(40) % 3
    with store.preparing(name, silent):
        store.write_set(name, classes, store.Part(images, labels, np.arange(30)),
                        store.Part(images, labels, np.arange(39, 29, -1)), ABOUT)


def test_what_was_written_comes_back() -> None:
    write()
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
    dataset = store.open_set("shapes")
    assert np.array_equal(dataset.train_images, images[:30])
    assert np.array_equal(dataset.test_images, images[39:29:-1])
    assert dataset.test_labels.tolist() == [n % 3 for n in range(39, 29, -1)]
    assert dataset.train_labels.dtype == np.int64
    assert (dataset.class_names, dataset.image_shape) == (("a", "b", "c"), (6, 5, 3))
    assert (dataset.resize, dataset.dark_background) == ("fit", True)


def test_arrays_are_mapped_and_read_only() -> None:
    write()
    images = store.open_set("shapes").train_images
    assert isinstance(images.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_meta_says_what_is_stored_without_arrays(data: Path) -> None:
    write()
    for name in FILES:
        (data / store.STORE / "shapes" / name).unlink()
    meta = store.read_meta("shapes")
    assert (meta.train_count, meta.test_count, meta.image_shape) == (30, 10, (6, 5, 3))
    assert (meta.title, meta.kind) == ("Shapes", "imported")


def test_fingerprint_depends_on_the_content_and_class_names_only() -> None:
    write("one")
    write("two")
    write("other-images", seed=1)
    write("other-classes", classes=("a", "b", "d"))
    prints = [store.read_meta(n).fingerprint for n in ("one", "two", "other-images",
                                                       "other-classes")]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_large_parts_are_copied_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    write("whole")
    monkeypatch.setattr(store, "_CHUNK", 7)
    write("pieces")
    assert store.read_meta("pieces").fingerprint == store.read_meta("whole").fingerprint


def test_unknown_set_is_not_found() -> None:
    with pytest.raises(NotFound, match="nothing"):
        store.open_set("nothing")


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [_truncate, _lengthen, _zero, _empty, Path.unlink])
@pytest.mark.parametrize("file", FILES)
def test_a_harmed_array_is_found(data: Path, file: str, harm: object) -> None:
    write()
    harm(data / store.STORE / "shapes" / file)  # type: ignore[operator]
    with pytest.raises(Damaged, match="'shapes' is damaged"):
        store.open_set("shapes")


def test_no_flipped_bit_in_a_header_leads_to_another_kind_of_error(data: Path) -> None:
    write()
    path = data / store.STORE / "shapes" / "train_labels.npy"
    sound = path.read_bytes()
    for place in range(80):
        harmed = bytearray(sound)
        harmed[place] ^= 4
        path.write_bytes(harmed)
        with pytest.raises(Damaged):
            store.open_set("shapes")


def test_labels_without_a_class_are_damage(data: Path) -> None:
    write()
    path = data / store.STORE / "shapes" / "train_labels.npy"
    np.save(path, np.full(30, 3, np.int64))
    with pytest.raises(Damaged, match="labels from 3 to 3"):
        store.open_set("shapes")


@pytest.mark.parametrize("change", [
    {"format": 0}, {"image_shape": [6, 5]}, {"image_shape": "6x5"}, {"train_count": 0},
    {"train_count": "30"}, {"class_names": [1, 2, 3]}, {"class_names": None}, {"title": 3},
    {"unknown": 1}, {"resize": None}, {"dark_background": "no"}, {"fingerprint": ["x"]},
])
def test_a_changed_description_is_damage(data: Path, change: dict[str, object]) -> None:
    write()
    path = data / store.STORE / "shapes" / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(Damaged, match="meta"):
        store.open_set("shapes")


@pytest.mark.parametrize("key", ["class_names", "train_count", "fingerprint"])
def test_an_incomplete_description_is_damage(data: Path, key: str) -> None:
    write()
    path = data / store.STORE / "shapes" / "meta.json"
    values = json.loads(path.read_text())
    del values[key]
    path.write_text(json.dumps(values))
    with pytest.raises(Damaged, match=key):
        store.read_meta("shapes")


def test_writing_again_replaces_a_damaged_set(data: Path) -> None:
    write()
    (data / store.STORE / "shapes" / "meta.json").write_text("{")
    write()
    assert len(store.open_set("shapes").train_labels) == 30


def test_a_writer_that_fails_leaves_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(Unavailable, match="disk is full"):
        write()
    assert store.stored_names() == []
    assert [p.name for p in (data / store.STORE).iterdir() if p.is_dir()] == []


def test_a_data_folder_that_cannot_be_written_is_passed_over(
    data: Path, tmp_path: Path
) -> None:
    data.write_text("a file where the folder should be: cannot be written, whoever runs this")
    write()
    assert (tmp_path / "keras" / "datasets" / store.STORE / "shapes").is_dir()
    assert store.stored_names() == ["shapes"]
    assert len(store.open_set("shapes").test_labels) == 10


def test_no_writable_folder_at_all_is_said(data: Path, tmp_path: Path) -> None:
    data.write_text("")
    (tmp_path / "keras").write_text("")
    with pytest.raises(Unavailable, match="No data folder can be written"):
        write()


def test_removed_sets_are_gone_and_others_stay() -> None:
    write("one")
    write("two")
    store.remove_set("one")
    assert store.stored_names() == ["two"]
    with pytest.raises(NotFound):
        store.remove_set("one")
