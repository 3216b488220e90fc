"""What was worked out about images: kept, bounded, and never a reason to fail."""

import numpy as np
import pytest

from cnn.data import looks
from cnn.errors import Unavailable

NUMBERS = {"numbers": np.arange(3)}


@pytest.fixture(autouse=True)
def nothing_in_memory(monkeypatch):
    monkeypatch.setattr(looks, "_in_memory", {})


def test_it_is_found_under_its_fingerprint_and_name_alone(empty_folders):
    looks.keep("a" * 64, "one", NUMBERS)
    np.testing.assert_array_equal(looks.find("a" * 64, "one")["numbers"], [0, 1, 2])
    assert looks.find("a" * 64, "two") is None
    assert looks.find("b" * 64, "one") is None


def test_objects_are_neither_written_nor_read(empty_folders):
    looks.keep("a" * 64, "one", NUMBERS)
    file, = empty_folders.rglob("one.npz")
    np.savez(file, numbers=np.array([{"an": "object"}], dtype=object))
    assert looks.find("a" * 64, "one") is None


@pytest.mark.parametrize("problem", [Unavailable("No folder."), PermissionError("read-only")])
def test_where_nothing_can_be_written_it_is_kept_in_memory(empty_folders, monkeypatch, problem):
    def fails(inside):
        raise problem

    monkeypatch.setattr(looks, "writable_folder", fails)
    for number in range(30):
        looks.keep(f"{number:064}", "one", NUMBERS)
    assert looks.find(f"{29:064}", "one") is NUMBERS
    assert looks.find(f"{0:064}", "one") is None  # a bounded memory
    assert not list(empty_folders.rglob("*.npz"))


def test_the_oldest_fingerprints_are_cleared_out(empty_folders, monkeypatch):
    import os

    monkeypatch.setattr(looks, "_KEPT", 3)
    for number in range(5):
        looks.keep(f"{number:064}"[::-1], "one", NUMBERS)
        for folder in (empty_folders / "data" / "cnn-studio" / ".looks").iterdir():
            stat = folder.stat()  # a minute goes by
            os.utime(folder, (stat.st_atime - 60, stat.st_mtime - 60))
    there = [looks.find(f"{number:064}"[::-1], "one") is not None for number in range(5)]
    assert there == [False, False, True, True, True]
