"""What is said of pictures before they are imported."""

from pathlib import Path

import numpy as np
import pytest
from picture_files import class_files, picture, saved, scenery, write_folder, write_zip

from cnn.data.dividing import SplitPlan
from cnn.data.importing import given_source, import_images
from cnn.data.looking import Tried, look_at, propose_size, size_reason, try_plan
from cnn.errors import BadInput, NotFound


@pytest.mark.parametrize(("shortest", "proposed"), [
    ([], 64), ([4], 8), ([12], 12), ([20], 16), ([28], 24), ([32], 32), ([50], 48), ([130], 64),
    ([4000, 3000, 30], 64), ([10, 33, 5000], 32)])
def test_the_proposed_size_is_one_that_most_pictures_fill(
    shortest: list[int], proposed: int
) -> None:
    assert propose_size([(size + 7, size) for size in shortest]) == proposed


def test_a_folder_is_looked_at_without_being_imported(tmp_path: Path) -> None:
    files = class_files("train/", a=30, b=2) | class_files("test/", 50, a=2, b=2)
    files |= {"train/a/broken.png": b"x", "train/notes.txt": b""}
    look = look_at(write_folder(tmp_path / "f", files))
    assert look.classes == {"a": 33, "b": 4}
    assert (look.has_test, look.has_groups, look.size, look.channels) == (True, False, 10, 3)
    assert (look.table, look.parts) == ("", {"train": 33, "test": 4})
    assert set(look.sizes) == {(12, 10)}
    assert look.skipped == [("train/notes.txt", "it is not named like a picture")]
    assert {name for name, _ in look.samples} <= {"a", "b"}
    assert 1 <= len(look.samples) <= 4
    assert look.samples[0][1].shape == (10, 12, 3)


def test_grey_pictures_and_groups_are_noticed_and_large_ones_made_small(tmp_path: Path) -> None:
    large = saved(np.repeat(scenery(0, 1400)[..., :1], 3, axis=2))
    table = b"file,label,slide\n1.png,x,s1\n2.png,y,s2\n"
    look = look_at(write_zip(tmp_path / "z.zip", {"1.png": large, "2.png": large, "t.csv": table}))
    assert (look.channels, look.has_groups, look.size) == (1, True, 64)
    assert (look.table, look.parts) == ("t.csv", {})
    assert look.samples[0][1].shape == (1024, 1024, 3)
    assert [file.entry.parts for file in look.files] == [("1.png",), ("2.png",)]
    with pytest.raises(BadInput, match="closed"):
        look.files[0].entry.read()


def test_given_files_can_be_looked_at_too() -> None:
    given = given_source((name, "x.png", lambda: picture(1)) for name in ("cats", "dogs"))
    assert look_at(given).classes == {"cats": 1, "dogs": 1}


def test_nothing_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    look = look_at(tmp_path / "empty")
    assert (look.classes, look.samples, look.size, look.channels) == ({}, [], 64, 3)
    with pytest.raises(NotFound):
        look_at(tmp_path / "nothing")
    (tmp_path / "z.zip").write_bytes(b"no zip")
    with pytest.raises(BadInput):
        look_at(tmp_path / "z.zip")


def test_the_reason_for_a_size_names_the_pictures_own(tmp_path: Path) -> None:
    small = look_at(write_folder(tmp_path / "f", class_files(a=3, b=3)))
    assert "10 pixels or less" in size_reason(small)
    large = write_folder(tmp_path / "g", {f"a/{n}.png": picture(n, (200, 130)) for n in range(3)})
    assert "130 pixels and more" in size_reason(look_at(large))
    (tmp_path / "empty").mkdir()
    assert size_reason(look_at(tmp_path / "empty")) == ""


def test_ways_to_split_are_tried_before_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    names = [f"{'ab'[n % 2]}/S{n // 4}_IMG_{n}.png" for n in range(40)]
    files = {name: picture(n) for n, name in enumerate(names)} | {"a/alone.png": picture(99)}
    look = look_at(write_folder(tmp_path / "f", files))
    assert try_plan(look, SplitPlan("ratio", 0.2)) == Tried(33, 8, {}, 0)
    tried = try_plan(look, SplitPlan("group", 0.2, group="^(.+)_IMG"))
    assert tried.groups == {f"S{n}": 4 for n in range(10)}
    assert (tried.train + tried.test, tried.alone) == (41, 1)
    report = import_images(tmp_path / "f", "mine", (8, 8),
                           plan=SplitPlan("group", 0.2, group="^(.+)_IMG"))
    assert (report.train_count, report.test_count) == (tried.train, tried.test)


@pytest.mark.parametrize(("plan", "words"), [
    (SplitPlan("folders"), "no test folder"), (SplitPlan("group"), "nothing that says"),
    (SplitPlan("group", group="x{9}"), "fits no file name"),
    (SplitPlan("group", group="png"), "too few")])
def test_a_way_that_does_not_fit_is_refused_before_the_import(
    tmp_path: Path, plan: SplitPlan, words: str
) -> None:
    look = look_at(write_folder(tmp_path / "f", class_files(a=3, b=3)))
    with pytest.raises(BadInput, match=words):
        try_plan(look, plan)
