"""Downloads from a server of our own on this machine: whole and right, or nothing and a reason."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cnn.data import download as module
from cnn.data import download_meter
from cnn.data.download import RemoteFile, download, received
from cnn.data.progress import Cancelled, silent
from cnn.errors import DiskFull, Unavailable
from tests.mirrors import Mirrors, serving

BODY = bytes(range(256)) * 1024  # 256 kB
HALF = len(BODY) // 2


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "_SCHEMES", ("http",))
    monkeypatch.setattr(download_meter, "TELL_SECONDS", 0.01)
    with serving(BODY) as mirrors:
        yield mirrors


def leave_part(folder: Path, file: RemoteFile, content: bytes, **note: str) -> None:
    """Leave what an earlier try would have left."""
    (folder / f"{file.name}.part").write_bytes(content)
    known = {"sha256": file.sha256, "url": file.mirrors[0], "etag": '"1"'} | note
    (folder / f"{file.name}.part.json").write_text(json.dumps(known))


def only_the_file(folder: Path) -> bool:
    return [p.name for p in folder.iterdir()] == ["data.bin"]


@pytest.mark.parametrize("path", ["good", "moved", "unsized", "slow", "stubborn"])
def test_a_good_file_arrives_whole(site: Mirrors, tmp_path: Path, path: str) -> None:
    folder = tmp_path / "new"
    download([site.file(path)], folder, silent)
    assert (folder / "data.bin").read_bytes() == BODY
    assert only_the_file(folder)


def test_progress_says_how_much_how_fast_and_from_where(site: Mirrors, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    download([site.file("slow")], tmp_path, lambda *call: calls.append(call))
    what, done, total = calls[-2]
    assert (done, total) == (len(BODY), len(BODY))
    assert what.startswith("Downloading data.bin: 256 kB of 256 kB, ")
    assert "B/s, 0 s left (127.0.0.1)" in what
    assert calls[-1][0] == "Checking data.bin"
    counts = [done for _, done, _ in calls]
    assert counts == sorted(counts)


def test_progress_of_several_files_is_of_all_of_them(site: Mirrors, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    files = [site.file("good", name=f"part/{n}") for n in range(3)]
    download(files, tmp_path, lambda *call: calls.append(call))
    assert calls[-1][1:] == (3 * len(BODY), 3 * len(BODY))
    assert (tmp_path / "part" / "2").read_bytes() == BODY


@pytest.mark.parametrize(("path", "reason"), [
    ("wrong", "not the official file"),
    ("login", "42 bytes instead of 262,144"),
    ("encoded", "packed"),
    ("gone", "404 Not Found"),
    ("strange", "Content-Length"),
    ("endless", "more than the file has"),
    ("circle", "redirects"),
    ("elsewhere", "leads to ftp"),
])
def test_a_bad_answer_leaves_nothing_and_says_what_to_do(
    site: Mirrors, tmp_path: Path, path: str, reason: str
) -> None:
    with pytest.raises(Unavailable, match=reason) as caught:
        download([site.file(path)], tmp_path, silent)
    assert "data.bin could not be downloaded (127.0.0.1: " in caught.value.message
    assert "\n" not in caught.value.message
    for way_on in ("try again", "--file", "'digits'", "imported"):
        assert way_on in caught.value.hint
    assert received(site.file(path), tmp_path) == 0
    assert not (tmp_path / "data.bin").exists()
    assert not (tmp_path / "data.bin.part").exists()


def test_an_address_that_is_not_protected_is_never_asked(
    site: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SCHEMES", ("https",))
    with pytest.raises(Unavailable, match="not protected"):
        download([site.file("good")], tmp_path, silent)
    assert site.asked == []


def test_no_server_is_unavailable(site: Mirrors, tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/data.bin"
        with pytest.raises(Unavailable, match="could not be downloaded"):
            download([replace(site.file("good"), mirrors=(url,))], tmp_path, silent)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", ["wrong", "login", "gone", "endless", "encoded"])
def test_the_next_mirror_is_tried(site: Mirrors, tmp_path: Path, bad: str) -> None:
    download([site.file(bad, "good")], tmp_path, silent)
    assert (tmp_path / "data.bin").read_bytes() == BODY
    assert only_the_file(tmp_path)


@pytest.mark.parametrize("path", ["cut", "unsizedcut"])
def test_what_came_before_a_break_is_kept_and_said(
    site: Mirrors, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROUNDS", 1)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1: .+") as caught:
        download([site.file(path)], tmp_path, silent)
    kept = received(site.file(path), tmp_path)
    assert kept == (HALF if path == "cut" else 5000)
    assert f"after the {'128' if path == 'cut' else '5'} kB that are here" in caught.value.hint
    assert not (tmp_path / "data.bin").exists()


def test_a_server_that_breaks_off_is_asked_for_the_rest_again(
    site: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROUNDS", 3)
    with pytest.raises(Unavailable):
        download([site.file("cut")], tmp_path, silent)
    assert [asked for _, asked in site.asked] == [
        None, f"bytes={HALF}-", f"bytes={HALF + HALF // 2}-"]
    download([site.file("good")], tmp_path, silent)
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_another_mirror_goes_on_where_one_broke_off(site: Mirrors, tmp_path: Path) -> None:
    download([site.file("cut", "good")], tmp_path, silent)
    assert site.asked == [("cut", None), ("good", f"bytes={HALF}-")]
    assert (tmp_path / "data.bin").read_bytes() == BODY
    assert only_the_file(tmp_path)


def test_a_part_is_gone_on_with_at_the_next_try(site: Mirrors, tmp_path: Path) -> None:
    file = site.file("good")
    leave_part(tmp_path, file, BODY[:1000])
    assert received(file, tmp_path) == 1000
    download([file], tmp_path, silent)
    assert site.asked == [("good", "bytes=1000-")]
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_a_whole_part_is_only_checked(site: Mirrors, tmp_path: Path) -> None:
    leave_part(tmp_path, site.file("good"), BODY)
    download([site.file("good")], tmp_path, silent)
    assert site.asked == []
    assert only_the_file(tmp_path)


@pytest.mark.parametrize("path", ["stubborn", "good"])
def test_a_server_that_sends_all_begins_again(site: Mirrors, tmp_path: Path, path: str) -> None:
    if path == "good":
        site.version = '"2"'  # the file has changed there since
    leave_part(tmp_path, site.file(path), b"x" * 1000)
    download([site.file(path)], tmp_path, silent)
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_a_part_that_turns_out_wrong_is_thrown_away_and_the_mirror_asked_once_more(
    site: Mirrors, tmp_path: Path
) -> None:
    leave_part(tmp_path, site.file("good"), b"x" * 1000)
    download([site.file("good")], tmp_path, silent)
    assert [asked for _, asked in site.asked] == ["bytes=1000-", None]
    assert (tmp_path / "data.bin").read_bytes() == BODY


@pytest.mark.parametrize(("content", "note"), [
    (BODY[:1000], {"sha256": "of another version"}), (BODY + b"more", {}), (b"", {})])
def test_a_part_of_another_file_is_not_used(
    site: Mirrors, tmp_path: Path, content: bytes, note: dict[str, str]
) -> None:
    leave_part(tmp_path, site.file("good"), content, **note)
    assert received(site.file("good"), tmp_path) == 0
    download([site.file("good")], tmp_path, silent)
    assert site.asked == [("good", None)]
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_a_damaged_note_makes_it_begin_again(site: Mirrors, tmp_path: Path) -> None:
    leave_part(tmp_path, site.file("good"), BODY[:1000])
    (tmp_path / "data.bin.part.json").write_text("{")
    download([site.file("good")], tmp_path, silent)
    assert site.asked == [("good", None)]


def test_another_range_than_was_asked_for_is_refused_and_the_part_kept(
    site: Mirrors, tmp_path: Path
) -> None:
    leave_part(tmp_path, site.file("lyingrange"), BODY[:1000])
    with pytest.raises(Unavailable, match="another part"):
        download([site.file("lyingrange")], tmp_path, silent)
    assert received(site.file("lyingrange"), tmp_path) == 1000


def test_a_slow_mirror_is_left_for_a_faster_one_which_goes_on(
    site: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_meter, "WINDOW_SECONDS", 0.3)
    monkeypatch.setattr(download_meter, "HURRY_SECONDS", 0.5)
    site.pause = 0.5  # so that one hiccup of this computer does not make it look quick
    download([site.file("slow", "good")], tmp_path, silent)
    (first, _), (second, asked) = site.asked
    assert (first, second) == ("slow", "good")
    assert asked is not None
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_a_slow_mirror_is_better_than_none(
    site: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_meter, "WINDOW_SECONDS", 0.2)
    monkeypatch.setattr(download_meter, "HURRY_SECONDS", 0.1)
    site.pause = 0.02
    download([site.file("slow", "gone")], tmp_path, silent)
    assert [path for path, _ in site.asked] == ["slow", "gone", "slow"]
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_a_drip_counts_as_nothing(
    site: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_meter, "WINDOW_SECONDS", 0.2)
    monkeypatch.setattr(download_meter, "STALLED", 1e9)
    monkeypatch.setattr(module, "_ROUNDS", 1)
    with pytest.raises(Unavailable, match="slow, "):
        download([site.file("slow")], tmp_path, silent)
    assert received(site.file("slow"), tmp_path) > 0


def test_a_silent_server_is_given_up(
    site: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SILENCE_SECONDS", 0.2)
    with pytest.raises(Unavailable, match="timed out"):
        download([site.file("waiting")], tmp_path, silent)
    assert received(site.file("waiting"), tmp_path) > 0


def test_a_cancelled_download_keeps_what_has_come(site: Mirrors, tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if done > 20_000:
            raise Cancelled

    with pytest.raises(Cancelled):
        download([site.file("slow")], tmp_path, stop)
    kept = received(site.file("slow"), tmp_path)
    assert 20_000 < kept < len(BODY)
    download([site.file("good")], tmp_path, silent)
    assert site.asked[-1] == ("good", f"bytes={kept}-")
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_a_killed_process_leaves_a_part_that_is_gone_on_with(
    site: Mirrors, tmp_path: Path
) -> None:
    file = site.file("waiting")
    code = ("import sys; from pathlib import Path; from cnn.data import download as d; "
            "d._SCHEMES = ('http',); "
            f"d.download([d.{file!r}], Path(sys.argv[1]), lambda *_: None)")
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)],
                             cwd=Path(__file__).parent.parent)
    end = time.monotonic() + 60
    while not received(file, tmp_path):
        assert time.monotonic() < end
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert not (tmp_path / "data.bin").exists()
    download([site.file("good")], tmp_path, silent)
    path, asked = site.asked[-1]
    assert path == "good"
    assert asked is not None
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_an_earlier_file_survives_a_failed_download(site: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"earlier")
    with pytest.raises(Unavailable):
        download([site.file("wrong")], tmp_path, silent)
    assert (tmp_path / "data.bin").read_bytes() == b"earlier"


def test_a_folder_that_cannot_be_written_is_said(site: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot be written"):
        download([site.file("good")], tmp_path / "file", silent)


def test_a_download_that_does_not_fit_on_the_disk_is_not_begun(
    site: Mirrors, tmp_path: Path
) -> None:
    with pytest.raises(DiskFull):
        download([replace(site.file("good"), size=2**60)], tmp_path, silent)
    assert site.asked == []


def test_a_disk_that_fills_on_the_way_is_said_and_the_part_kept(
    site: Mirrors, tmp_path: Path
) -> None:
    def full(what: str, done: int, total: int) -> None:
        if done > 20_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull):
        download([site.file("slow")], tmp_path, full)
    assert received(site.file("slow"), tmp_path) > 20_000
