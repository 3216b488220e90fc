"""Many dropped files: what of them is taken, and where they are until the visit ends."""

from __future__ import annotations

import gc
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from cnn import files as cnn_files
from cnn.data import store
from cnn.data.drops import Announced, Bounds, Drop, Tray, find_tray, left_out_lines
from cnn.errors import BadInput, DiskFull, NotFound, Refused

BOUNDS = Bounds(("jpg", "png"), files=3, each=2 * 2**20, total=3 * 2**20)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "data" / store.STORE


def announce(tray: Tray, *names: str, size: int = 3) -> Drop:
    return tray.announce([Announced(name, size) for name in names])


def keep(drop: Drop, numbers: Sequence[int], data: bytes) -> None:
    drop.keep(numbers, io.BytesIO(data))


def on_disk(place: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in place.rglob("*") if path.is_file())


def test_files_come_under_names_of_our_own_and_are_listed_by_theirs(place: Path) -> None:
    tray = Tray(BOUNDS)
    drop = announce(tray, "b.PNG", "../../a.jpg", "c.png")
    assert list(drop.wanted) == [1, 0, 2]
    keep(drop, [2, 0], b"333111")
    keep(drop, [1], b"222")
    found = drop.files()
    assert [(file.name, file.size, file.path.read_bytes()) for file in found] == [
        ("../../a.jpg", 3, b"222"), ("b.PNG", 3, b"111"), ("c.png", 3, b"333")]
    assert {file.path.parent.parent for file in found} == {place}
    assert {file.path.name for file in found} == {"1", "2", "3"}
    assert drop.left_out() == {}


@pytest.mark.parametrize("name", ["/etc/passwd.png", "..\\..\\x.png", "C:\\x.png", "a\0b.png",
                                  "..", "x/../../y.png", "\u202egnp.exe.png", "n" * 5000 + ".png"])
def test_no_name_leads_to_a_path_or_lies(place: Path, name: str) -> None:
    tray = Tray(BOUNDS)
    drop = announce(tray, name)
    keep(drop, drop.wanted, b"123" if drop.wanted else b"")
    outside = [path for path in place.parent.parent.rglob("*") if path.is_file()
               and place not in path.parents]
    assert outside == []
    (shown,) = [*(file.name for file in drop.files()),
                *(name for names in drop.left_out().values() for name in names)]
    assert shown.isprintable()
    assert len(shown) <= 200


def test_what_cannot_be_taken_is_named_with_its_reason() -> None:
    half = 2**29
    drop = Drop([
        Announced("a.txt", 1), Announced("big.png", half + 1), Announced("b.pdf", 1),
        Announced("1.png", half), Announced("2.png", half), Announced("3.png", 1),
        Announced("png", 1), Announced("c.gif", 1), Announced(".DS_Store", 1),
        Announced("d/Thumbs.db", 9)],
        Bounds(("jpg", "png"), files=3, each=half, total=2 * half))
    assert [file.name for file in drop.wanted.values()] == ["1.png", "2.png"]
    assert left_out_lines(drop.left_out()) == [
        "1 for being more than 1 GB at once: 3.png",
        "4 because of the name, which must end in jpg or png: a.txt, b.pdf, c.gif and 1 more",
        "1 for having more than 512 MB: big.png",
        "2 because the browser could not read them: 1.png, 2.png"]


def test_of_a_long_name_the_end_counts() -> None:
    drop = announce(Tray(BOUNDS), "folder/" * 100 + "a.png", "folder/" * 100 + "b.txt")
    assert [file.name[-10:] for file in drop.wanted.values()] == ["lder/a.png"]
    assert next(iter(drop.left_out().values()))[0].endswith("/b.txt")


def test_more_files_than_fit_are_left_out() -> None:
    drop = announce(Tray(BOUNDS), "4.png", "1.png", "2.png", "3.png", "5.png")
    assert [file.name for file in drop.wanted.values()] == ["1.png", "2.png", "3.png"]
    assert drop.left_out()["for being more than 3 at once"] == ["4.png", "5.png"]


def test_what_did_not_come_is_said() -> None:
    drop = announce(Tray(BOUNDS), "a.png", "b.png")
    keep(drop, [1], b"222")
    assert [file.name for file in drop.files()] == ["b.png"]
    assert left_out_lines(drop.left_out()) == ["1 because the browser could not read them: a.png"]


def test_a_file_that_comes_twice_stays_as_it_was(place: Path) -> None:
    drop = announce(Tray(BOUNDS), "a.png")
    keep(drop, [0], b"111")
    keep(drop, [0], b"222")
    assert on_disk(place) == [b"111"]


def test_a_stream_that_ends_early_leaves_no_half_a_file(place: Path) -> None:
    drop = announce(Tray(BOUNDS), "a.png", "b.png")
    with pytest.raises(BadInput, match="ended before"):
        keep(drop, [0, 1], b"11122")
    assert on_disk(place) == [b"111"]


@pytest.mark.parametrize("number", [-1, 1, 7])
def test_a_file_that_is_not_wanted_is_refused(place: Path, number: int) -> None:
    drop = announce(Tray(BOUNDS), "a.png", "b.txt")
    with pytest.raises(BadInput, match="not wanted"):
        keep(drop, [number], b"111")
    assert on_disk(place) == []


def test_a_drop_takes_the_place_of_the_last_when_it_has_come(place: Path) -> None:
    tray = Tray(BOUNDS)
    first = announce(tray, "a.png")
    keep(first, [0], b"111")
    assert tray.drop is None
    tray.take("another")
    assert tray.drop is None
    tray.take(first.id)
    tray.take(first.id)
    assert tray.drop is first
    second = announce(tray, "b.png")
    keep(second, [0], b"222")
    assert tray.drop is first
    tray.take(second.id)
    assert tray.drop is second
    assert on_disk(place) == [b"222"]
    tray.clear()
    assert tray.drop is None
    assert on_disk(place) == []


def test_a_cancelled_drop_leaves_nothing_and_takes_nothing_more(place: Path) -> None:
    tray = Tray(BOUNDS)
    drop = announce(tray, "a.png", "b.png")
    keep(drop, [0], b"111")
    tray.cancel(drop.id)
    assert on_disk(place) == []
    with pytest.raises(NotFound):
        tray.coming(drop.id)
    with pytest.raises(NotFound):
        keep(drop, [1], b"222")
    tray.take(drop.id)
    assert tray.drop is None


def test_a_new_drop_ends_one_that_is_still_coming(place: Path) -> None:
    tray = Tray(BOUNDS)
    first = announce(tray, "a.png")
    keep(first, [0], b"111")
    second = announce(tray, "b.png")
    assert on_disk(place) == []
    assert tray.coming(second.id) is second
    with pytest.raises(NotFound):
        tray.cancel(first.id)


def test_a_visit_is_found_by_its_secret_as_long_as_it_lasts(place: Path) -> None:
    tray, other = Tray(BOUNDS), Tray(BOUNDS)
    assert find_tray(tray.secret) is tray
    assert len(tray.secret) > 40
    assert tray.secret != other.secret
    drop = announce(tray, "a.png")
    keep(drop, [0], b"111")
    tray.take(drop.id)
    secret = tray.secret
    del tray, drop
    gc.collect()
    assert on_disk(place) == []
    with pytest.raises(Refused, match="does not know this visit"):
        find_tray(secret)
    with pytest.raises(Refused):
        find_tray("")


def test_a_disk_without_room_is_said_before_anything_comes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 2 * 2**20})
    monkeypatch.setattr(cnn_files.shutil, "disk_usage", lambda path: usage)
    tray = Tray(BOUNDS)
    earlier = announce(tray, "a.png")
    with pytest.raises(DiskFull, match="3 MB are needed and 2 MB are free"):
        announce(tray, "b.png", size=2 * 2**20)
    assert tray.coming(earlier.id) is earlier
