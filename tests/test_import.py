"""Importing class folders and zips: what is understood, what is skipped, what is refused."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from picture_files import Files, class_files, picture, write_folder, write_zip

from cnn.data import folders, importing, store, zips
from cnn.data.catalogue import dataset_names, describe, load
from cnn.data.dividing import SplitPlan
from cnn.data.importing import ImportReport, import_images, remove_imported
from cnn.errors import BadInput, NotFound, Refused, Unavailable


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "data"


def imported(source: Path, size: tuple[int, int] = (8, 8)) -> ImportReport:
    return import_images(source, "mine", size)


@pytest.fixture(params=["folder", "zip"])
def pack(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Files], Path]:
    if request.param == "zip":
        return lambda files: write_zip(tmp_path / "pictures.zip", files)
    return lambda files: write_folder(tmp_path / "pictures", files)


def first_values(images: np.ndarray) -> list[int]:
    return sorted(int(value) for value in images[:, 0, 0, 0])


def test_class_folders_become_a_data_set(pack: Callable[[Files], Path]) -> None:
    report = imported(pack(class_files(dogs=10, cats=20)))
    assert report.kept == {"cats": 20, "dogs": 10}
    assert (report.train_count, report.test_count, report.skipped) == (24, 6, [])
    dataset = load("mine")
    assert (dataset.class_names, dataset.image_shape) == (("cats", "dogs"), (8, 8, 3))
    assert np.bincount(dataset.test_labels).tolist() == [4, 2]
    for images, labels in ((dataset.train_images, dataset.train_labels),
                           (dataset.test_images, dataset.test_labels)):
        assert ((images[:, 0, 0, 0] < 10) == (labels == 1)).all()  # dogs were made first
    everything = np.concatenate([dataset.train_images, dataset.test_images])
    assert first_values(everything) == list(range(30))


def test_it_is_described_and_listed(pack: Callable[[Files], Path]) -> None:
    source = pack(class_files(a=2, b=3))
    imported(source)
    info = describe("mine")
    assert dataset_names()[-1] == "mine"
    assert (info.kind, info.available, info.source) == ("imported", True, source.name)
    assert (info.classes, info.train_count, info.test_count) == (("a", "b"), 3, 2)
    assert "5 pictures of 2 classes" in info.description


def test_folder_and_zip_of_the_same_files_give_the_same_data(tmp_path: Path) -> None:
    files = class_files(a=5, b=7)
    for name, source in (("one", write_folder(tmp_path / "f", files)),
                         ("two", write_zip(tmp_path / "z.zip", dict(sorted(files.items()))))):
        import_images(source, name, (8, 8))
    assert load("one").fingerprint == load("two").fingerprint


@pytest.mark.parametrize("wrapper", ["", "wrapper/", "two/wrappers/"])
def test_train_val_and_test_folders_are_kept(
    pack: Callable[[Files], Path], wrapper: str
) -> None:
    files = (class_files(f"{wrapper}Train/", 0, a=3, b=2) | class_files(f"{wrapper}val/", 50, a=1)
             | class_files(f"{wrapper}test/", 100, a=2, b=1))
    report = imported(pack(files))
    assert (report.train_count, report.test_count) == (6, 3)
    dataset = load("mine")
    assert first_values(dataset.train_images) == [0, 1, 2, 3, 4, 50]
    assert first_values(dataset.test_images) == [100, 101, 102]
    assert dataset.held_back is not None
    assert first_values(dataset.train_images[dataset.held_back]) == [50]


def test_a_class_that_the_source_only_validates_is_trained_on(
    pack: Callable[[Files], Path]
) -> None:
    files = (class_files("train/", 0, a=3, b=3) | class_files("val/", 50, b=1, c=2)
             | class_files("test/", 100, a=1))
    imported(pack(files))
    dataset = load("mine")
    assert dataset.held_back is not None
    assert dataset.train_labels[dataset.held_back].tolist() == [1]  # b


def test_validation_folders_are_put_with_the_rest_where_the_split_is_drawn(
    pack: Callable[[Files], Path]
) -> None:
    files = class_files("train/", 0, a=4, b=4) | class_files("val/", 50, a=1, b=1)
    imported(pack(files))
    assert load("mine").held_back is None


@pytest.mark.parametrize("prefix", ["train/", "wrapper/", "train/wrapper/", "data/train/"])
def test_folders_that_hold_everything_are_taken_off(
    pack: Callable[[Files], Path], prefix: str
) -> None:
    report = imported(pack(class_files(prefix, a=10, b=10)))
    assert (report.kept, report.test_count) == ({"a": 10, "b": 10}, 4)


def test_a_test_folder_without_classes_is_not_the_test_split(pack: Callable[[Files], Path]) -> None:
    report = imported(pack(class_files("train/", a=5, b=5) | {"test/1.png": picture()}))
    assert report.skipped == [("test/1.png", "it is not in a class folder")]
    assert (report.train_count, report.test_count) == (8, 2)


def test_useless_files_are_skipped_with_their_reasons(pack: Callable[[Files], Path]) -> None:
    files = class_files("set/", a=3, b=3) | {
        "set/a/notes.txt": b"notes", "set/b/inner.zip": b"PK", "set/loose.png": picture(),
        "set/a/text.png": b"this is text", "set/b/half.jpg": picture(9, kind="JPEG")[:300],
        "set/a/empty.png": b"", "readme.md": b"",
        "set/docs/readme.txt": b"a folder without any picture is no class",
        "__MACOSX/set/a/._0.png": b"junk", "set/a/.DS_Store": b"junk", "set/a/Thumbs.db": b"junk",
    }
    report = imported(pack(files))
    assert report.kept == {"a": 3, "b": 3}
    reasons = dict(report.skipped)
    assert reasons["set/a/notes.txt"] == reasons["readme.md"] == "it is not named like a picture"
    assert reasons["set/loose.png"] == "it is not in a class folder"
    assert "text file" in reasons["set/a/text.png"]
    assert "damaged" in reasons["set/b/half.jpg"]
    assert set(reasons) == {
        "set/a/notes.txt", "set/b/inner.zip", "set/loose.png", "set/a/text.png", "set/b/half.jpg",
        "set/a/empty.png", "readme.md", "set/docs/readme.txt"}


def test_size_way_and_channels_are_applied(pack: Callable[[Files], Path]) -> None:
    import_images(pack(class_files(a=2, b=2)), "mine", (16, 24), how="fit", channels=1)
    dataset = load("mine")
    assert (dataset.image_shape, dataset.resize) == ((16, 24, 1), "fit")


def test_the_seed_and_fraction_decide_the_test_split(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "f", class_files(a=20, b=20))
    for name, seed, fraction in (("one", 0, 0.2), ("again", 0, 0.2), ("other", 1, 0.2),
                                 ("half", 0, 0.5)):
        import_images(source, name, (8, 8), plan=SplitPlan("ratio", fraction, seed))
    prints = [load(name).fingerprint for name in ("one", "again", "other")]
    assert prints[0] == prints[1] != prints[2]
    assert len(load("half").test_labels) == 20


def test_progress_counts_pictures(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    import_images(write_folder(tmp_path / "f", class_files(a=2, b=2)), "mine", (8, 8),
                  progress=lambda *call: calls.append(call))
    assert calls == [*(("Reading pictures", n, 4) for n in range(4)), ("Storing mine", 0, 0)]


@pytest.mark.parametrize(("files", "message"), [
    (class_files(a=5), r"two classes .* Found: a \(5\)"),
    (class_files(a=5, b=1), r"two classes .* Found: b \(1\), a \(5\)"),
    ({"1.png": picture(), "2.png": picture()}, "Found: none.*not in a class folder"),
    ({"a/1.txt": b"", "b/1.txt": b""}, "Found: none.*2 files were skipped.*not named like"),
    (class_files(a=3) | {"b/1.png": b"x", "b/2.png": picture()}, "skipped, most often: This is a"),
    (class_files(a=2, A=2, b=2), "'A' and 'a' differ only in case"),
    (class_files(a=2, b=2) | class_files("a/inner/", c=1), "a/inner/c is a folder inside"),
    (class_files("train/", a=2, b=2) | class_files("more/", a=2), "more, train stand side"),
    (class_files("train/", a=2, b=2) | class_files("test/", a=1, c=1), "that the train folder"),
    (class_files("test/", a=2, b=2) | class_files("testing/", a=2), "stand side by side"),
    (class_files("train/", a=5, b=1) | class_files("test/", a=1, b=1), r"Found: b \(1\)"),
    ({}, "Found: none"),
])
def test_what_is_not_a_set_of_classes_is_refused_and_leaves_nothing(
    tmp_path: Path, data: Path, files: Files, message: str
) -> None:
    source = write_zip(tmp_path / "pictures.zip", files)
    with pytest.raises(BadInput, match=message):
        imported(source)
    assert store.stored_names() == []
    assert [p for p in (data / store.STORE).iterdir() if p.is_dir()] == []


@pytest.mark.parametrize(("changes", "message"), [
    ({"name": "digits"}, "already a data set named 'digits'"),
    ({"name": "Mine!"}, "data set name 'Mine!' cannot be used"),
    ({"size": (7, 8)}, r"from 8 to 512 .* Received: \(7, 8\)"),
    ({"size": (8, 513)}, "from 8 to 512"),
    ({"size": (8, 8.0)}, "from 8 to 512"),
    ({"how": "nearest"}, "crop, fit, stretch .* 'nearest'"),
    ({"channels": 4}, "1 .grey. or 3 .RGB."),
])
def test_impossible_settings_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    source = write_folder(tmp_path / "f", class_files(a=2, b=2))
    settings: dict[str, object] = {"source": source, "name": "mine", "size": (8, 8)} | changes
    with pytest.raises(BadInput, match=message):
        import_images(**settings)  # type: ignore[arg-type]


def test_an_import_never_replaces_another(tmp_path: Path) -> None:
    imported(write_folder(tmp_path / "f", class_files(a=2, b=2)))
    fingerprint = load("mine").fingerprint
    with pytest.raises(BadInput, match="already") as caught:
        imported(write_folder(tmp_path / "g", class_files(a=9, b=9)))
    assert "remove" in caught.value.hint
    assert load("mine").fingerprint == fingerprint


def test_removing(tmp_path: Path) -> None:
    imported(write_folder(tmp_path / "f", class_files(a=2, b=2)))
    remove_imported("mine")
    assert "mine" not in dataset_names()
    with pytest.raises(NotFound):
        remove_imported("mine")
    with pytest.raises(BadInput, match="built in"):
        remove_imported("digits")


def test_a_damaged_import_can_be_removed_and_made_again(tmp_path: Path, data: Path) -> None:
    source = write_folder(tmp_path / "f", class_files(a=2, b=2))
    imported(source)
    (data / store.STORE / "mine" / "meta.json").unlink()
    with pytest.raises(BadInput, match="already"):
        imported(source)
    remove_imported("mine")
    assert imported(source).kept == {"a": 2, "b": 2}


def test_a_source_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file or folder"):
        imported(tmp_path / "nothing")


def test_too_large_a_result_is_refused_before_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_STORED", 8 * 8 * 3 * 3)
    with pytest.raises(BadInput, match="4 pictures of 8 x 8"):
        imported(write_folder(tmp_path / "f", class_files(a=2, b=2)))


def test_a_full_disk_is_said_before_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(Unavailable, match=r"are needed and .* are free"):
        imported(write_folder(tmp_path / "f", class_files(a=2, b=2)))


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "f", class_files(a=2, b=2))
    secret = write_folder(tmp_path / "elsewhere", class_files(c=3))
    (root / "a" / "link.png").symlink_to(secret / "c" / "0.png")
    (root / "c").symlink_to(secret / "c")
    (root / "b" / "round").symlink_to(root)
    report = imported(root)
    assert report.kept == {"a": 2, "b": 2}
    assert {name for name, _ in report.skipped} == {"a/link.png", "b/round", "c"}


def test_a_folder_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MAX_FILES", 5)
    with pytest.raises(BadInput, match="more than 5 files"):
        imported(write_folder(tmp_path / "f", class_files(a=3, b=3)))


# Zips made to do harm. Each holds good pictures too: what is skipped must not spoil the rest.

GOOD = class_files(a=2, b=2)


@pytest.mark.parametrize("name", [
    "../../outside/1.png", "/etc/1.png", "a/../../1.png", "C:/1.png", "..\\1.png", "a//1.png",
    "a/\u202egnp.exe.png", "a/new\nline.png",
])
def test_unsafe_names_are_skipped_and_shown_harmlessly(tmp_path: Path, name: str) -> None:
    report = imported(write_zip(tmp_path / "z.zip", {**GOOD, name: picture()}))
    assert [reason for _, reason in report.skipped] == ["its name is not safe"]
    assert not any(c in report.skipped[0][0] for c in "\u202e\n")
    assert not (tmp_path / "outside").exists()


def test_backslashes_of_windows_zips_are_folders(tmp_path: Path) -> None:
    files = {name.replace("/", "\\"): content for name, content in GOOD.items()}
    assert imported(write_zip(tmp_path / "z.zip", files)).kept == {"a": 2, "b": 2}


def test_links_in_a_zip_are_skipped(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a/link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(write_zip(tmp_path / "z.zip", GOOD), "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert imported(tmp_path / "z.zip").skipped == [
        ("a/link.png", "it is a link or no ordinary file")]


def test_encrypted_files_are_skipped_with_that_reason(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", GOOD)
    content = bytearray(path.read_bytes())
    for place in range(len(content)):
        if content[place:place + 4] == b"PK\1\2":
            content[place + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(BadInput, match="4 files were skipped, most often: it is protected by a pa"):
        imported(path)


def test_other_packing_methods_are_skipped(tmp_path: Path) -> None:
    with zipfile.ZipFile(write_zip(tmp_path / "z.zip", GOOD), "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a/bz.png", picture())
    assert imported(tmp_path / "z.zip").skipped == [
        ("a/bz.png", "it is packed in a way that is not supported")]


def test_two_files_of_one_name_count_once(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", GOOD)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a/0.png", picture(77))
    report = imported(path)
    assert (report.kept, report.skipped) == (
        {"a": 2, "b": 2}, [("a/0.png", "there are two files of this name")])


def test_a_file_that_unpacks_too_far_is_skipped(tmp_path: Path) -> None:
    files = {**GOOD, "a/bomb.png": bytes(3 * 2**20), "a/large.png": os.urandom(21 * 2**20)}
    report = imported(write_zip(tmp_path / "z.zip", files))
    reasons = dict(report.skipped)
    assert reasons["a/bomb.png"] == "it unpacks to more than 200 times its packed size"
    assert "the limit is 20 MB" in reasons["a/large.png"]


def test_all_files_together_are_limited_as_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "z.zip", GOOD)
    monkeypatch.setattr(zips, "MAX_UNPACKED", sum(map(len, GOOD.values())) - 1)
    with pytest.raises(Refused, match="unpacks to more than"):
        imported(path)
    monkeypatch.setattr(zips, "MAX_UNPACKED", sum(map(len, GOOD.values())))
    assert imported(path).kept == {"a": 2, "b": 2}


@pytest.mark.parametrize("prefix", [b"", b"#!/bin/sh self-extracting\n"])
@pytest.mark.parametrize("comment", [b"", b"a comment"])
def test_files_are_counted_where_zipfile_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: bytes, comment: bytes
) -> None:
    path = write_zip(tmp_path / "z.zip", GOOD, comment)
    path.write_bytes(prefix + path.read_bytes())
    monkeypatch.setattr(zips, "MAX_FILES", 3)
    with pytest.raises(Refused, match="more than 3 files"):
        imported(path)
    monkeypatch.setattr(zips, "MAX_FILES", 4)
    assert imported(path).kept == {"a": 2, "b": 2}


def test_a_second_end_record_in_the_comment_misleads_nobody(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read as a zip"):
        imported(write_zip(tmp_path / "z.zip", GOOD, b"PK\5\6" + b"\xff" * 30))


def test_files_of_a_large_zip64_are_counted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
        path = write_zip(tmp_path / "z.zip", GOOD)
    assert b"PK\6\6" in path.read_bytes()
    monkeypatch.setattr(zips, "MAX_FILES", 3)
    with pytest.raises(Refused, match="more than 3 files"):
        imported(path)
    monkeypatch.setattr(zips, "MAX_FILES", 4)
    assert imported(path).kept == {"a": 2, "b": 2}


def test_overlapping_files_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", GOOD)
    content = bytearray(path.read_bytes())
    listed = [n for n in range(len(content)) if content[n:n + 4] == b"PK\1\2"]
    content[listed[1] + 42:listed[1] + 46] = content[listed[0] + 42:listed[0] + 46]
    path.write_bytes(content)
    with pytest.raises(Refused, match="overlap"):
        imported(path)


def test_a_file_with_a_wrong_checksum_is_skipped(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", {**GOOD, "b/9.png": picture(9)})
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\1\2")
    content[place + 16:place + 20] = struct.pack("<L", 1)
    path.write_bytes(content)
    [(name, reason)] = imported(path).skipped
    assert name == "b/9.png"
    assert "damaged in the zip" in reason


@pytest.mark.parametrize("content", [b"", b"text", b"PK\5\6" + bytes(17), b"PK\5\6" + b"\xff" * 18,
                                     picture(), b"PK\6\7" + bytes(16) + b"PK\5\6" + bytes(18)])
def test_what_is_not_a_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "z.zip").write_bytes(content)
    with pytest.raises(BadInput, match="The file cannot be read as a zip"):
        imported(tmp_path / "z.zip")


def test_no_changed_byte_ends_in_another_kind_of_error(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    sound = write_zip(path, GOOD).read_bytes()
    random = np.random.default_rng(0)
    for number in range(60):
        content = bytearray(sound)
        content[random.integers(len(sound))] ^= 1 << int(random.integers(8))
        path.write_bytes(content)
        try:
            report = import_images(path, f"mine-{number}", (8, 8))
        except (BadInput, Refused):
            continue
        assert sum(report.kept.values()) + len(report.skipped) >= 4
