"""Files from a browser on their way to an import."""

from __future__ import annotations

import gc
import io
from pathlib import Path

import pytest
from picture_files import picture

from cnn.data import staging, store
from cnn.data.importing import import_images
from cnn.data.items import read_items
from cnn.data.staging import Given, Staging, source_of_given
from cnn.errors import DiskFull


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "data" / store.STORE


def keep(stage: Staging, data: bytes, ending: str = "") -> Path:
    return stage.keep(io.BytesIO(data), len(data), ending)


def test_files_are_kept_under_names_of_our_own_until_they_are_cleared(place: Path) -> None:
    stage = Staging()
    assert not place.exists()
    first, second = keep(stage, b"one"), keep(stage, b"two", ".zip")
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
    assert (first.name, second.name) == ("1", "2.zip")
    stage.clear()
    assert list(place.iterdir()) == []
    assert keep(stage, b"three").read_bytes() == b"three"


def test_the_files_of_a_visit_go_with_it(place: Path) -> None:
    stage = Staging()
    first = keep(stage, b"one")
    assert first.exists()
    del stage
    gc.collect()
    assert list(place.iterdir()) == []


def test_two_visitors_never_meet() -> None:
    first, second = Staging(), Staging()
    assert keep(first, b"one").parent != keep(second, b"two").parent


def test_given_pictures_are_imported_under_the_names_they_had(place: Path) -> None:
    stage = Staging()
    given = [Given(name, "con.png" if n else "../../x.png", keep(stage, picture(40 * n)))
             for name in ("cats", "a/b") for n in range(4)]
    report = import_images(source_of_given(given), "mine", (8, 8))
    assert report.kept == {"a-b": 3, "cats": 3}
    assert [file for file, _ in report.skipped] == ["cats/../../x.png", "a/b/../../x.png"]
    assert read_items(place / "mine").names[:2] == ("a-b/(2) con.png", "a-b/(3) con.png")
    assert stage._folder is not None
    assert stage._folder.is_dir()


def test_a_picture_that_is_gone_is_left_out(place: Path) -> None:
    stage = Staging()
    given = [Given(name, f"{n}.png", keep(stage, picture(40 * n)))
             for name in ("cats", "dogs") for n in range(4)]
    given[0].path.unlink()
    report = import_images(source_of_given(given), "mine", (8, 8))
    assert [file for file, _ in report.skipped] == ["cats/0.png"]


def test_a_full_disk_leaves_no_half_a_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Staging()
    keep(stage, b"one")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging.shutil, "copyfileobj", full)
    with pytest.raises(DiskFull):
        keep(stage, b"two")
    assert stage._folder is not None
    assert [path.name for path in stage._folder.iterdir()] == ["1"]
