"""What is said of pictures before they are imported."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from picture_files import class_files, picture, saved, scenery, write_folder, write_zip

from cnn.data.importing import Source, list_given
from cnn.data.looking import look_at, propose_size
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
    assert set(look.sizes) == {(12, 10)}
    assert look.skipped == [("train/notes.txt", "it is not named like a picture")]
    assert {name for name, _ in look.samples} <= {"a", "b"}
    assert 1 <= len(look.samples) <= 4
    assert look.samples[0][1].shape == (10, 12, 3)


def test_grey_pictures_and_groups_are_noticed_and_large_ones_made_small(tmp_path: Path) -> None:
    large = saved(np.repeat(scenery(0, 700)[..., :1], 3, axis=2))
    table = b"file,label,slide\n1.png,x,s1\n2.png,y,s2\n"
    look = look_at(write_zip(tmp_path / "z.zip", {"1.png": large, "2.png": large, "t.csv": table}))
    assert (look.channels, look.has_groups, look.size) == (1, True, 64)
    assert look.samples[0][1].shape == (512, 512, 3)
    assert look.file_names == ["1.png", "2.png"]


def test_given_files_can_be_looked_at_too() -> None:
    given = list_given([("cats", "x.png", picture(1)), ("dogs", "y.png", picture(2))])
    assert look_at(Source("given", nullcontext(given))).classes == {"cats": 1, "dogs": 1}


def test_nothing_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    look = look_at(tmp_path / "empty")
    assert (look.classes, look.samples, look.size, look.channels) == ({}, [], 64, 3)
    with pytest.raises(NotFound):
        look_at(tmp_path / "nothing")
    (tmp_path / "z.zip").write_bytes(b"no zip")
    with pytest.raises(BadInput):
        look_at(tmp_path / "z.zip")
