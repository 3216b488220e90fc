"""What can be imported beside class folders, how it is divided, and what an ended import leaves."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from picture_files import Files, class_files, picture, saved, scenery, write_folder, write_zip
from PIL import Image

from cnn.data import store
from cnn.data.catalogue import describe, load
from cnn.data.dividing import SplitPlan
from cnn.data.importing import given_source, import_images
from cnn.data.items import read_items
from cnn.data.progress import Cancelled, silent, until
from cnn.errors import BadInput, DiskFull, Refused
from cnn.paths import PROJECT


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "data"


@pytest.fixture(params=["folder", "zip"])
def pack(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Files], Path]:
    if request.param == "zip":
        return lambda files: write_zip(tmp_path / "pictures.zip", files)
    return lambda files: write_folder(tmp_path / "pictures", files)


def loose(count: int) -> Files:
    return {f"images/{number}.png": picture(number) for number in range(count)}


def rubbish(data: Path) -> list[str]:
    return [path.name for path in (data / store.STORE).iterdir()
            if path.name.startswith(".tmp") or path.is_dir()]


# Tables


@pytest.mark.parametrize("prefix", ["", "wrapper/"])
def test_a_table_says_what_the_files_show(pack: Callable[[Files], Path], prefix: str) -> None:
    table = "file;label\n" + "".join(f"images/{n}.png;{'ab'[n % 2]}\n" for n in range(10))
    files = {f"{prefix}{name}": content
             for name, content in (loose(11) | {"labels.csv": table.encode("utf-8-sig")}).items()}
    report = import_images(pack(files), "mine", (8, 8))
    assert report.kept == {"a": 5, "b": 5}
    assert report.skipped == [(f"{prefix}images/10.png", "the table does not name it")]
    dataset = load("mine")
    assert (dataset.train_images[:, 0, 0, 0] % 2 == dataset.train_labels).all()


def test_a_table_that_is_pointed_at_is_used_with_the_files_beside_it(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "f", loose(6))
    (root / "a.csv").write_text("".join(f"{n},{'ab'[n % 2]}\n" for n in range(6)))
    (root / "b.csv").write_text("id,label\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in range(6)))
    assert import_images(root / "b.csv", "mine", (8, 8)).kept == {"x": 3, "y": 3}
    (root / "b.csv").write_text("nothing.png,x\n")
    with pytest.raises(BadInput, match="names no picture that is there"):
        import_images(root / "b.csv", "other", (8, 8))


def test_split_and_group_columns_are_used(tmp_path: Path) -> None:
    lines = [f"{n}.png,{'ab'[n % 2]},{'test' if n > 7 else 'val' if n > 5 else 'train'},s{n // 2}"
             for n in range(12)]
    root = write_folder(tmp_path / "f", loose(12))
    (root / "t.csv").write_text("\n".join(["file,label,split,group", *lines]))
    report = import_images(root, "mine", (8, 8))
    assert (report.train_count, report.test_count) == (8, 4)
    assert report.split == "as the source divides it"
    dataset = load("mine")
    assert dataset.train_groups is not None
    assert dataset.train_groups.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]  # by names: 0.png, 1.png, 10..
    assert dataset.held_back is not None
    assert dataset.held_back.tolist() == [False] * 6 + [True] * 2
    items = read_items(store.set_folder("mine"))
    assert items.group_names == ("s0", "s1", "s2", "s3", "s4", "s5")


@pytest.mark.parametrize(("table", "message"), [
    ("file,label,split\n0.png,a,elsewhere\n", "the split 'elsewhere', which is none of train"),
    ("0.png,a\n1.png,A\n2.png,b\n", "differ only in case"),
])
def test_a_table_that_contradicts_itself_is_refused(
    tmp_path: Path, table: str, message: str
) -> None:
    root = write_folder(tmp_path / "f", loose(3))
    (root / "t.csv").write_text(table)
    with pytest.raises(BadInput, match=message):
        import_images(root, "mine", (8, 8))


def test_lines_that_cannot_be_used_are_reported(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "f", loose(6))
    (root / "t.csv").write_text(
        "0.png,a\n1.png,a\n2.png,b\n3.png,b\n4.png,a\n4.png,b\n5.png,\n9.png,a\n../x.png,a\n")
    assert dict(import_images(root, "mine", (8, 8)).skipped) == {
        "9.png": "the table names it, but it is not there",
        "../x.png": "the table names it, but it is not there",
        "images/5.png": "it has no label in the table",
        "images/4.png": "the table says two different things of it"}


@pytest.mark.parametrize("table", [b"x,y\n1,2\n", b"one column", b"file,width\na/0.png,12\n",
                                   b"a/0.png,7\nb/1.png,8\n", b"\0" * 9])
def test_a_table_about_other_things_leaves_class_folders_as_they_are(
    tmp_path: Path, table: bytes
) -> None:
    root = write_folder(tmp_path / "f", class_files(a=2, b=2) | {"about.csv": table})
    report = import_images(root, "mine", (8, 8))
    assert (report.kept, report.skipped) == (
        {"a": 2, "b": 2}, [("about.csv", "it is not named like a picture")])


# Files given class by class


def test_given_files_become_a_data_set_and_may_have_one_name() -> None:
    given = [("cats", "image.png", picture(n)) for n in range(3)]
    given += [("dogs", "image.png", picture(100 + n)) for n in range(4)]
    given += [("dogs", "../x.png", b""), ("dogs", "t.txt", b"")]
    source = given_source((name, file, partial(bytes, data)) for name, file, data in given)
    report = import_images(source, "mine", (8, 8))
    assert report.kept == {"cats": 3, "dogs": 4}
    assert [name for name, _ in report.skipped] == ["dogs/../x.png", "dogs/t.txt"]
    assert describe("mine").source == "files given by class"


# Division


def slides() -> Files:
    return {f"{'ab'[n % 2]}/S{n % 7}_IMG_{n}.png": picture(n) for n in range(56)}


def test_groups_named_in_file_names_stay_together(pack: Callable[[Files], Path]) -> None:
    report = import_images(pack(slides()), "mine", (8, 8),
                           plan=SplitPlan(group="^(.+)_IMG", test_fraction=0.3))
    assert report.split == "by group, 30 % test, seed 0, groups named by ^(.+)_IMG"
    items = read_items(store.set_folder("mine"))
    dataset = load("mine")
    assert dataset.split == report.split == describe("mine").split
    test = {items.names[item].split("_")[0][2:] for item in dataset.test_items}
    train = {items.names[item].split("_")[0][2:] for item in dataset.train_items}
    assert test and train and not test & train
    assert len(set(dataset.train_groups)) == len(train)


def test_a_picture_that_the_pattern_does_not_fit_is_a_group_by_itself(tmp_path: Path) -> None:
    files = slides() | {f"a/other{n}.png": picture(200 + n) for n in range(4)}
    import_images(write_folder(tmp_path / "f", files), "mine", (8, 8),
                  plan=SplitPlan(group="^(.+)_IMG"))
    items = read_items(store.set_folder("mine"))
    assert len(set(items.groups)) == 7 + 4
    assert store.read_meta("mine").split["alone"] == 4


def test_a_given_test_folder_can_be_mixed_again(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "f", class_files("train/", a=8, b=8)
                        | class_files("test/", 50, a=2, b=2))
    report = import_images(root, "mine", (8, 8), plan=SplitPlan("ratio", 0.5))
    assert (report.train_count, report.test_count) == (10, 10)
    assert report.split == "by ratio in each class, 50 % test, seed 0"


@pytest.mark.parametrize(("plan", "message"), [
    (SplitPlan("folders"), "no test folder"),
    (SplitPlan("group"), "nothing that says which pictures"),
    (SplitPlan(group="^x_(.*)"), "fits no file name"),
    (SplitPlan(group="^(one)"), "too few to hold"),
])
def test_an_impossible_division_is_refused_and_leaves_nothing(
    tmp_path: Path, data: Path, plan: SplitPlan, message: str
) -> None:
    files = {f"{name}/one{n}.png": picture(n) for n in range(3) for name in "ab"}
    with pytest.raises(BadInput, match=message):
        import_images(write_folder(tmp_path / "f", files), "mine", (8, 8), plan=plan)
    assert rubbish(data) == []


@pytest.mark.parametrize("values", [
    {"by": "luck"}, {"test_fraction": 0.0}, {"test_fraction": float("nan")}, {"group": "("},
    {"seed": -1}, {"seed": 1.5}])
def test_a_plan_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        SplitPlan(**values)  # type: ignore[arg-type]


# What is kept of each picture


def test_what_the_originals_were_is_kept(tmp_path: Path) -> None:
    files = class_files(a=3, b=3) | {"a/wide.png": picture(9, (40, 20)), "b/x.png": b"no picture"}
    import_images(write_folder(tmp_path / "f", files), "mine", (8, 8))
    items = read_items(store.set_folder("mine"))
    row = items.names.index("a/wide.png")
    assert (items.widths[row], items.heights[row]) == (40, 20)
    assert items.bytes[row] == len(files["a/wide.png"])
    assert [file for file, _ in items.skipped] == ["b/x.png"]
    assert items.groups is None


def test_a_class_of_one_picture_is_left_out_and_said(tmp_path: Path) -> None:
    report = import_images(write_folder(tmp_path / "f", class_files(a=4, b=4, c=1)), "mine", (8, 8))
    assert report.kept == {"a": 4, "b": 4}
    assert report.skipped == [("c/0.png", "its class has no other picture to train on")]
    assert load("mine").class_names == ("a", "b")


@pytest.mark.parametrize("zipped", [False, True])
def test_an_empty_class_folder_is_no_class_and_is_said(tmp_path: Path, zipped: bool) -> None:
    source = write_folder(tmp_path / "f", class_files("all/", a=2, b=2))
    (source / "all" / "empty").mkdir()
    if zipped:
        source = Path(shutil.make_archive(str(tmp_path / "z"), "zip", source))
    report = import_images(source, "mine", (8, 8))
    assert report.kept == {"a": 2, "b": 2}
    assert report.skipped == [("all/empty", "the folder is empty")]


def test_unusual_pictures_are_imported_and_truncated_ones_are_not(tmp_path: Path) -> None:
    hills = scenery(0)
    files = class_files(a=2, b=2)
    files["a/16bit.png"] = saved(hills[..., 0].astype(np.uint16) * 257)
    files["a/cmyk.jpg"] = saved(hills, "JPEG", "CMYK")
    files["a/palette.gif"] = saved(hills, "GIF")
    files["a/animated.gif"] = saved(hills, "GIF", save_all=True,
                                    append_images=[Image.new("RGB", (48, 48))])
    files["b/half.jpg"] = saved(hills, "JPEG")[:-200]
    report = import_images(write_folder(tmp_path / "f", files), "mine", (8, 8))
    assert report.kept == {"a": 6, "b": 2}
    assert [name for name, _ in report.skipped] == ["b/half.jpg"]


# Names and zips made to confuse


def test_long_and_lying_names_never_reach_the_data(tmp_path: Path) -> None:
    files = class_files(a=2, b=2) | {
        f"a/{'n' * 300}.png": picture(50), f"{'c' * 300}/1.png": picture(51),
        f"{'c' * 300}/2.png": picture(52), "\u202eb/1.png": picture(53),
        "a/\u2028.png": picture(54)}
    report = import_images(write_zip(tmp_path / "z.zip", files), "mine", (8, 8))
    assert report.kept == {"a": 3, "b": 2}
    assert sorted(reason for _, reason in report.skipped) == [
        "its name is not safe"] * 2 + ["the name of its class is too long"] * 2
    assert max(map(len, read_items(store.set_folder("mine")).names)) <= 200


def test_names_that_differ_in_case_are_two_files_and_in_unicode_form_one(tmp_path: Path) -> None:
    files = class_files(b=2) | {"a/X.png": picture(1), "a/x.png": picture(2),
                                "a/\u00e9.png": picture(3), "a/e\u0301.png": picture(4)}
    report = import_images(write_zip(tmp_path / "z.zip", files), "mine", (8, 8))
    assert report.kept == {"a": 3, "b": 2}
    assert report.skipped == [("a/\u00e9.png", "there are two files of this name")]


def test_zips_inside_a_zip_are_not_opened(tmp_path: Path) -> None:
    bomb = write_zip(tmp_path / "inner.zip", {"a/0.png": bytes(2**20)}).read_bytes()
    files = class_files(a=2, b=2) | {"a/in.zip": bomb, "a/in.png": bomb}
    report = import_images(write_zip(tmp_path / "z.zip", files), "mine", (8, 8))
    assert report.kept == {"a": 2, "b": 2}
    assert len(report.skipped) == 2


def test_a_size_that_lies_is_found_while_reading(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", class_files(a=2, b=3))
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\1\2")
    content[place + 24:place + 28] = (5).to_bytes(4, "little")
    path.write_bytes(content)
    report = import_images(path, "mine", (8, 8))
    assert report.kept == {"a": 2, "b": 2}
    assert len(report.skipped) == 1


def test_a_million_entries_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    entry = b"PK\1\2" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"x"
    listing = entry * 1_000_000
    end = (b"PK\6\6" + (44).to_bytes(8, "little") + bytes(12) + (10**6).to_bytes(8, "little") * 2
           + len(listing).to_bytes(8, "little") + bytes(8) + b"PK\6\7" + bytes(4)
           + len(listing).to_bytes(8, "little") + (1).to_bytes(4, "little") + b"PK\5\6" + bytes(4)
           + b"\xff" * 12 + bytes(2))
    (tmp_path / "z.zip").write_bytes(listing + end)
    with pytest.raises(Refused, match="holds more than"):
        import_images(tmp_path / "z.zip", "mine", (8, 8))


# Ended before it was done


def fifty(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "f", class_files(a=25, b=25))


def test_a_cancelled_import_leaves_nothing_and_can_be_made_again(
    tmp_path: Path, data: Path
) -> None:
    source, seen = fifty(tmp_path), []
    with pytest.raises(Cancelled):
        import_images(source, "mine", (8, 8), progress=until(
            lambda: len(seen) > 20, lambda what, done, total: seen.append(done)))
    assert seen[-1] == 20
    assert rubbish(data) == store.stored_names() == []
    assert import_images(source, "mine", (8, 8)).kept == {"a": 25, "b": 25}


def test_a_disk_that_fills_in_the_middle_leaves_nothing_but_what_was_there(
    tmp_path: Path, data: Path
) -> None:
    source = fifty(tmp_path)
    import_images(source, "before", (8, 8))

    def fill(what: str, done: int, total: int) -> None:
        if done == 30:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull, match="mine was not written"):
        import_images(source, "mine", (8, 8), progress=fill)
    assert rubbish(data) == store.stored_names() == ["before"]
    assert len(load("before").train_labels) == 40


def test_the_next_import_clears_what_a_killed_one_left(tmp_path: Path, data: Path) -> None:
    source = fifty(tmp_path)
    code = ("import sys, time\nfrom pathlib import Path\nfrom cnn.data.importing import "
            "import_images\ndef tell(what, done, total):\n    if done == 30:\n"
            "        print('half', flush=True)\n        time.sleep(600)\n"
            "import_images(Path(sys.argv[1]), 'mine', (8, 8), progress=tell)")
    process = subprocess.Popen([sys.executable, "-c", code, str(source)], cwd=PROJECT,
                               stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"half\n"
        import_images(source, "other", (8, 8))
        assert len(rubbish(data)) == 2  # the other's, and what lives is left alone
    finally:
        process.kill()
        process.wait()
    import_images(source, "third", (8, 8))
    assert sorted(rubbish(data)) == ["other", "third"]
    assert import_images(source, "mine", (8, 8)).train_count == 40


def test_silence_is_no_cancel(tmp_path: Path) -> None:
    tell = until(lambda: False, silent)
    assert import_images(fifty(tmp_path), "mine", (8, 8), progress=tell).test_count == 10


@pytest.mark.parametrize("pattern", ["(a+)+", "^(.+)*_IMG", "([ab]*){2,}x"])
def test_a_pattern_that_could_search_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput, match="for ever"):
        SplitPlan(group=pattern)


@pytest.mark.parametrize("pattern", ["^((?:[^_]+_){3})", r"(a\+)+", "^(.+)_"])
def test_a_pattern_that_repeats_harmlessly_is_taken(pattern: str) -> None:
    assert SplitPlan(group=pattern).group == pattern
