"""Two checkpoints on disk, and the way back when the newest is damaged."""

import pytest

from cnn.errors import DiskFull
from cnn.files import RESERVE, TEMPORARY
from cnn.runs.checkpoints import DAMAGED, Checkpoints


@pytest.fixture
def store(tmp_path):
    return Checkpoints(tmp_path / "checkpoints")


def test_two_are_kept_and_the_newest_is_read(store):
    assert store.read() == (None, [])
    for epoch, batch in ((1, 0), (1, 7), (2, 0), (10, 0), (9, 99)):
        store.write(f"{epoch} {batch}".encode(), epoch, batch)
    assert [path.name[:11] for path in store.paths()] == ["00010-00000", "00009-00099"]
    assert store.read() == (b"10 0", [])


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:-1]),
    lambda path: path.write_bytes(b"\0" * path.stat().st_size),
    lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
    lambda path: path.write_bytes(path.read_bytes() + b"x"),
])
def test_a_damaged_newest_gives_way_to_the_one_before_and_is_set_aside(store, damage):
    store.write(b"older", 1, 0)
    newest = store.write(b"newest", 2, 0)
    damage(newest)
    assert store.read() == (b"older", [newest.name])
    assert not newest.exists()
    assert newest.with_name(DAMAGED + newest.name).exists()
    assert store.read() == (b"older", [])
    store.write(b"again", 2, 0)
    assert store.read() == (b"again", [])


def test_nothing_is_left_when_both_are_damaged(store):
    for epoch in (1, 2):
        store.write(b"x%d" % epoch, epoch, 0).write_bytes(b"y")
    data, damaged = store.read()
    assert data is None
    assert len(damaged) == 2


def test_other_files_in_the_folder_are_passed_over(store):
    store.write(b"good", 1, 0)
    for name in (".tmp-1234-00002-00000-0123456789abcdef.npz", "last.npz", "00003-00000-.npz"):
        (store.folder / name).write_bytes(b"?")
    assert store.read() == (b"good", [])


def test_what_killed_writers_left_is_swept_away_by_the_next_writer(store):
    store.write(b"good", 1, 0)
    for number in range(3):
        (store.folder / f"{TEMPORARY}{number}-00002-00000-0123456789abcdef.npz").write_bytes(b"?")
    (store.folder / "notes.txt").write_text("a person's")
    newest = store.write(b"newest", 2, 0)
    names = {path.name for path in store.folder.iterdir()}
    assert names == {path.name for path in store.paths()} | {"notes.txt"}
    assert store.paths()[0] == newest


def test_a_disk_without_room_is_found_out_before_it_is_filled(store, monkeypatch):
    store.write(b"good", 1, 0)
    usage = type("usage", (), {"free": RESERVE + 2})
    monkeypatch.setattr("cnn.files.shutil.disk_usage", lambda place: usage)
    with pytest.raises(DiskFull, match="are needed"):
        store.write(b"new", 2, 0)
    assert store.read() == (b"good", [])
    store.write(b"ne", 2, 0)


def test_only_the_newest_stays_after_the_end(store):
    for epoch in (1, 2):
        store.write(b"x%d" % epoch, epoch, 0)
    store.keep_newest()
    assert store.read() == (b"x2", [])
    assert len(list(store.folder.iterdir())) == 1
