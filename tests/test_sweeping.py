"""What killed imports left is cleared, and what lives is not."""

import os
from pathlib import Path

import pytest

from cnn.data.progress import silent
from cnn.data.store import STORE, preparing
from cnn.data.sweeping import sweep


@pytest.fixture
def place(empty_folders: Path) -> Path:
    place = empty_folders / "data" / STORE
    place.mkdir(parents=True)
    return place


def make(folder: Path, days_old: float = 0) -> None:
    folder.mkdir()
    (folder / "images.npy").write_bytes(b"half")
    stamp = folder.stat().st_mtime - days_old * 86_400
    os.utime(folder, (stamp, stamp))


def test_unfinished_and_half_removed_sets_are_cleared(place: Path) -> None:
    for name in (".tmp-0123abcd-pets", ".tmp-removed-77-my-pets", "pets"):
        make(place / name)
    assert sweep() == [".tmp-0123abcd-pets", ".tmp-removed-77-my-pets"]
    assert (place / "pets" / "images.npy").exists()


def test_a_set_that_is_being_made_is_left_alone(place: Path) -> None:
    make(place / ".tmp-0123abcd-pets")
    with preparing("pets", silent):
        assert sweep() == []
    assert sweep() == [".tmp-0123abcd-pets"]


def test_files_of_other_writers_are_cleared_when_they_are_a_day_old(place: Path) -> None:
    (place / "pets").mkdir()
    for folder, days in ((place, 0.5), (place / "pets", 1.5)):
        file = folder / ".tmp-0123abcd-edits.json"
        file.write_text("{}")
        os.utime(file, (file.stat().st_mtime - days * 86_400,) * 2)
    assert sweep() == [".tmp-0123abcd-edits.json"]
    assert not list((place / "pets").iterdir())


def test_rubbish_without_a_name_is_cleared_when_it_is_a_day_old(place: Path) -> None:
    make(place / ".tmp-x1y2z3", days_old=0.5)
    make(place / ".tmp-a4b5c6", days_old=1.5)
    assert sweep() == [".tmp-a4b5c6"]
