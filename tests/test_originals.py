"""Taking a person's own copy of an official file: only the right bytes, under the right name."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from cnn.data import originals
from cnn.data.download import RemoteFile
from cnn.data.progress import silent
from cnn.errors import BadInput, DiskFull, NotFound, Unavailable

BODIES = {"a.gz": b"first file", "folder/b.gz": b"second one, longer"}
FILES = tuple(RemoteFile(name, ("https://example.org/x",), hashlib.sha256(body).hexdigest(),
                         len(body)) for name, body in BODIES.items())


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "data"


def test_a_file_is_known_by_its_bytes_whatever_its_name(data: Path, tmp_path: Path) -> None:
    (tmp_path / "download (1).bin").write_bytes(BODIES["folder/b.gz"])
    calls: list[tuple[str, int, int]] = []
    originals.take_path(FILES, tmp_path / "download (1).bin", lambda *call: calls.append(call))
    assert (data / "folder" / "b.gz").read_bytes() == BODIES["folder/b.gz"]
    assert originals.missing(FILES) == FILES[:1]
    assert calls == [("Copying download (1).bin", 18, 18)]


def test_a_folder_gives_all_files_that_it_holds(tmp_path: Path) -> None:
    for name, body in BODIES.items():
        (tmp_path / name.rpartition("/")[2]).write_bytes(body)
    originals.take_path(FILES, tmp_path, silent)
    assert originals.missing(FILES) == ()
    assert originals.needs(FILES) == ""


def test_a_file_that_is_in_its_place_already_stays_right(data: Path) -> None:
    data.mkdir()
    (data / "a.gz").write_bytes(BODIES["a.gz"])
    originals.take_path(FILES, data / "a.gz", silent)
    assert (data / "a.gz").read_bytes() == BODIES["a.gz"]


@pytest.mark.parametrize(("body", "why"), [
    (b"fourteen bytes", "it has 14 bytes"), (b"", "it has 0 bytes"),
    (b"other byte", r"its bytes are others \(SHA-256\)")])
def test_other_bytes_are_refused_and_leave_nothing(data: Path, body: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=f"mine.gz is not an official file.*{why}") as caught:
        originals.take(FILES, io.BytesIO(body), "mine.gz", silent)
    assert "a.gz (10 bytes), b.gz (18 bytes)" in caught.value.hint
    assert not [path for path in data.rglob("*") if path.is_file()]


def test_a_refused_copy_leaves_the_earlier_file(data: Path) -> None:
    data.mkdir()
    (data / "a.gz").write_bytes(BODIES["a.gz"])
    with pytest.raises(BadInput):
        originals.take(FILES, io.BytesIO(b"other byte"), "a.gz", silent)
    assert (data / "a.gz").read_bytes() == BODIES["a.gz"]


def test_a_path_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        originals.take_path(FILES, tmp_path / "nowhere", silent)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"holds none of a\.gz, b\.gz"):
        originals.take_path(FILES, tmp_path / "empty", silent)


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(originals, "_copy", full)
    with pytest.raises(DiskFull):
        originals.take(FILES, io.BytesIO(BODIES["a.gz"]), "a.gz", silent)


def test_what_is_missing_is_fetched_and_all_are_returned(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir()
    (data / "a.gz").write_bytes(BODIES["a.gz"])
    asked: list[tuple[RemoteFile, ...]] = []

    def arrive(files: tuple[RemoteFile, ...], folder: Path, progress: object) -> None:
        asked.append(files)
        (folder / "folder").mkdir()
        (folder / "folder" / "b.gz").write_bytes(BODIES["folder/b.gz"])

    monkeypatch.setattr(originals, "download", arrive)
    assert originals.needs(FILES) == "Downloads folder/b.gz (0 kB) at first use."
    for _ in range(2):
        assert originals.fetch(FILES, silent) == [data / "a.gz", data / "folder" / "b.gz"]
    assert asked == [FILES[1:]]


def test_a_failed_download_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("no network")

    monkeypatch.setattr(originals, "download", fail)
    with pytest.raises(Unavailable, match="no network"):
        originals.fetch(FILES, silent)
