"""The report before training: what is found in a set that has every fault, and what mends it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from picture_files import saved, scenery, write_folder

from cnn.data.catalogue import load
from cnn.data.edits import apply_edit, undo_edit
from cnn.data.importing import import_images
from cnn.data.preflight import Preflight, find_fix, item_image, item_names, preflight
from cnn.data.progress import Cancelled, until
from cnn.data.progress import silent as nobody
from cnn.errors import BadInput

FILES = {
    **{f"train/cats/{n:02}.png": saved(scenery(n)) for n in range(30)},
    **{f"train/dogs/{n:02}.png": saved(scenery(100 + n)) for n in range(30)},
    **{f"train/eels/{n:02}.png": saved(scenery(200 + n)) for n in range(5)},
    **{f"test/cats/{n}.png": saved(scenery(300 + n)) for n in range(5)},
    **{f"test/dogs/{n}.png": saved(scenery(400 + n)) for n in range(5)},
    "test/eels/1.png": saved(scenery(900)),
    "train/cats/copy.png": saved(scenery(0)),
    "train/cats/near.jpg": saved(scenery(1), "JPEG", quality=60),
    "train/dogs/cat.png": saved(scenery(2)),
    "train/cats/copy3.png": saved(scenery(3)),
    "train/dogs/cat3.png": saved(scenery(3)),
    "test/dogs/leak.png": saved(scenery(105)),
    "test/cats/near-leak.jpg": saved(scenery(5), "JPEG", quality=60),
    "train/dogs/blank.png": saved(np.full((48, 48, 3), 77, np.uint8)),
    "train/cats/tiny.png": saved(scenery(60, 10)),
    "train/cats/long.png": saved(np.repeat(scenery(61), 3, axis=1)),
    "train/cats/broken.png": b"\x89PNG\r\n\x1a\nnothing",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("source"), FILES)


@pytest.fixture(autouse=True)
def faulty(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    import_images(source, "faulty", (32, 32))


def named(report: Preflight, kind: str) -> list[list[str]]:
    names = item_names("faulty")
    [finding] = [finding for finding in report.findings if finding.kind == kind]
    return [[names[item] for item in items] for items in finding.sets]


def kinds(report: Preflight) -> set[str]:
    return {finding.kind for finding in report.findings}


def test_every_fault_is_found_and_named() -> None:
    report = preflight("faulty")
    assert named(report, "leaks") == [["test/dogs/leak.png", "train/dogs/05.png"]]
    assert named(report, "near-leaks") == [["test/cats/near-leak.jpg", "train/cats/05.png"]]
    assert named(report, "conflicts") == [
        ["train/cats/02.png", "train/dogs/cat.png"],
        ["train/cats/03.png", "train/cats/copy3.png", "train/dogs/cat3.png"]]
    assert named(report, "duplicates") == [["train/cats/00.png", "train/cats/copy.png"],
                                           ["train/cats/03.png", "train/cats/copy3.png"]]
    assert named(report, "near-duplicates") == [["train/cats/01.png", "train/cats/near.jpg"]]
    assert named(report, "blank") == [["train/dogs/blank.png"]]
    assert named(report, "tiny") == [["train/cats/tiny.png"]]
    assert named(report, "mixed-sizes") == [["train/cats/long.png"]]
    assert kinds(report) == {"leaks", "near-leaks", "conflicts", "duplicates", "near-duplicates",
                             "blank", "tiny", "mixed-sizes", "few", "imbalance", "skipped"}
    assert [file for file, _ in report.skipped] == ["train/cats/broken.png"]
    assert report.classes == {"cats": (35, 6), "dogs": (33, 6), "eels": (5, 1)}
    assert report.findings[0].level == "problem"
    assert report.complete


@pytest.mark.parametrize("wanted", [
    "leaks", "leaks:together", "near-leaks", "near-leaks:together", "conflicts",
    "near-duplicates:drop", "blank", "tiny", "few"])
def test_every_fix_mends_its_finding_and_can_be_taken_back(wanted: str) -> None:
    before, images = preflight("faulty"), len(load("faulty").train_labels)
    apply_edit("faulty", find_fix(before, wanted).edit)
    after = preflight("faulty")
    assert wanted.partition(":")[0] in kinds(before) - kinds(after)
    assert len(after.changes) == 1
    undo_edit("faulty")
    assert len(load("faulty").train_labels) == images
    assert kinds(preflight("faulty")) == kinds(before)


def test_weights_are_offered_once() -> None:
    apply_edit("faulty", find_fix(preflight("faulty"), "imbalance").edit)
    report = preflight("faulty")
    assert "weigh more already" in next(f.hint for f in report.findings if f.kind == "imbalance")
    with pytest.raises(BadInput, match="nothing to mend by the name 'imbalance'"):
        find_fix(report, "imbalance")


def test_a_picture_is_moved_to_where_most_of_its_copies_are() -> None:
    edit = find_fix(preflight("faulty"), "conflicts:move").edit
    assert [item_names("faulty")[item] for item in edit["items"]] == ["train/dogs/cat3.png"]
    assert edit["to"] == "cats"
    apply_edit("faulty", edit)
    assert named(preflight("faulty"), "conflicts") == [
        ["train/cats/02.png", "train/dogs/cat.png"]]


def test_leaks_are_mended_in_training_so_that_the_test_stays_the_same() -> None:
    before = load("faulty").test_items.tolist()
    apply_edit("faulty", find_fix(preflight("faulty"), "leaks").edit)
    assert load("faulty").test_items.tolist() == before


@pytest.mark.parametrize("wanted", ["nothing", "skipped", "leaks:explode", "mixed-sizes", ""])
def test_what_cannot_be_mended_names_what_can(wanted: str) -> None:
    with pytest.raises(BadInput, match=r"leaks|drop, together"):
        find_fix(preflight("faulty"), wanted)


def test_the_report_is_json() -> None:
    report = preflight("faulty")
    value = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert value["findings"][0]["fixes"][0]["edit"]["kind"] == "drop"
    assert value["classes"]["eels"] == [5, 1]


def test_a_built_in_set_is_looked_through_but_not_changed() -> None:
    report = preflight("digits")
    assert sum(train + test for train, test in report.classes.values()) == 1797
    assert not [finding for finding in report.findings if finding.fixes]
    assert item_names("digits")[1438] == "test image 0"


def test_a_picture_is_shown_by_its_place_even_if_it_was_left_out() -> None:
    place = item_names("faulty").index("train/dogs/blank.png")
    apply_edit("faulty", find_fix(preflight("faulty"), "blank").edit)
    assert (item_image(load("faulty"), place) == 77).all()
    digits = load("digits")
    assert (item_image(digits, 1438) == digits.test_images[0]).all()


def test_it_can_be_cancelled() -> None:
    with pytest.raises(Cancelled):
        preflight("faulty", until(lambda: True, nobody))


def test_a_table_whose_split_divides_a_group_is_told(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "f", {f"{n}.png": saved(scenery(n)) for n in range(24)})
    (root / "t.csv").write_text("file,label,split,patient\n" + "".join(
        f"{n}.png,{'ab'[n % 2]},{'test' if n >= 18 else 'train'},p{n // 4}\n" for n in range(24)))
    import_images(root, "patients", (32, 32))
    report = preflight("patients")
    [finding] = [finding for finding in report.findings if finding.kind == "group-leaks"]
    names = item_names("patients")
    assert {names[item] for item in finding.sets[0]} == {f"{n}.png" for n in (16, 17, 18, 19)}
    apply_edit("patients", find_fix(report, "group-leaks").edit)
    assert "group-leaks" not in kinds(preflight("patients"))
