"""Changes to an imported set: what each does, that nothing is rewritten, and that all come back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from picture_files import class_files, write_folder

from cnn.data import store
from cnn.data.catalogue import describe, load
from cnn.data.changes import balanced_weights
from cnn.data.dividing import SplitPlan
from cnn.data.edits import apply_edit, edits, undo_edit
from cnn.data.importing import import_images
from cnn.data.items import FILE
from cnn.data.stock import EDITS, IMAGES, META
from cnn.errors import BadInput, Damaged, NotFound

Edit = dict[str, object]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the set `mine`: items 0 to 5 are a, 6 to 9 b, 10 to 15 c."""
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    source = write_folder(tmp_path / "f", class_files(a=6, b=4, c=6))
    import_images(source, "mine", (8, 8), plan=SplitPlan("ratio", 0.34))
    return tmp_path / "data" / store.STORE / "mine"


def values() -> dict[str, set[int]]:
    """Return the first value of all images of each class: as the files were made, 0, 1, 2, ..."""
    dataset = load("mine")
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    images = np.concatenate([dataset.train_images, dataset.test_images])
    return {name: set(images[labels == label, 0, 0, 0].tolist())
            for label, name in enumerate(dataset.class_names)}


WHOLE = {"a": set(range(6)), "b": set(range(6, 10)), "c": set(range(10, 16))}


def test_dropped_pictures_are_gone_and_come_back() -> None:
    before = load("mine").fingerprint
    apply_edit("mine", {"kind": "drop", "items": [0, 7]})
    assert values() == WHOLE | {"a": {1, 2, 3, 4, 5}, "b": {6, 8, 9}}
    assert describe("mine").train_count + describe("mine").test_count == 14
    assert load("mine").fingerprint == describe_print() != before
    undo_edit("mine")
    assert values() == WHOLE
    assert load("mine").fingerprint == before


def describe_print() -> str:
    return store.read_meta("mine").fingerprint


def test_moved_pictures_are_of_the_other_class_which_may_be_new() -> None:
    apply_edit("mine", {"kind": "move", "items": [1], "to": "c"})
    dataset = load("mine")
    new = [int(item) for item in dataset.train_items[-2:]]  # of c
    apply_edit("mine", {"kind": "move", "items": new, "to": "0 new"})
    assert list(values()) == ["0 new", "a", "b", "c"]
    assert values()["0 new"] == set(new)


def test_merged_classes_are_one() -> None:
    apply_edit("mine", {"kind": "merge", "classes": ["a", "c"], "into": "both"})
    assert values() == {"b": WHOLE["b"], "both": WHOLE["a"] | WHOLE["c"]}
    assert describe("mine").classes == ("b", "both")


def test_pictures_kept_together_are_in_one_part_and_one_group() -> None:
    dataset = load("mine")
    test, train = int(dataset.test_items[0]), [int(item) for item in dataset.train_items[:2]]
    apply_edit("mine", {"kind": "together", "sets": [[test, *train]]})
    changed = load("mine")
    assert test in changed.train_items
    rows = np.flatnonzero(np.isin(changed.train_items, [test, *train]))
    assert len(rows) == 3
    assert len(set(changed.train_groups[rows])) == 1
    assert len(set(changed.train_groups)) == len(changed.train_items) - 2


def test_weights_make_all_classes_cost_the_same() -> None:
    assert load("mine").class_weights is None
    apply_edit("mine", {"kind": "weights"})
    dataset = load("mine")
    counts = np.bincount(dataset.train_labels)
    assert np.allclose(np.array(dataset.class_weights) * counts, counts.sum() / 3)


def test_weights_have_a_mean_of_one_over_all_images() -> None:
    labels = np.array([0] * 90 + [2] * 10)
    weights = balanced_weights(labels, 3)
    assert weights[labels].mean() == pytest.approx(1)
    assert weights[2] / weights[0] == pytest.approx(9)
    assert weights[1] == 1


def test_changes_add_up_are_listed_and_any_can_be_taken_back() -> None:
    made: list[Edit] = [{"kind": "drop", "items": [2], "why": "blurred"}, {"kind": "weights"},
                        {"kind": "merge", "classes": ["b"], "into": "z"}]
    for edit in made:
        apply_edit("mine", edit)
    assert edits("mine") == made
    assert load("mine").split.endswith("; 3 changes since")
    assert undo_edit("mine", 2) == {"kind": "weights"}
    assert values() == {"a": {0, 1, 3, 4, 5}, "c": WHOLE["c"], "z": WHOLE["b"]}


def test_images_and_the_list_of_them_are_never_rewritten(data: Path) -> None:
    before = {name: ((data / name).read_bytes(), (data / name).stat().st_mtime_ns)
              for name in (IMAGES, FILE, META)}
    apply_edit("mine", {"kind": "drop", "items": [2]})
    apply_edit("mine", {"kind": "merge", "classes": ["a", "b"], "into": "b"})
    undo_edit("mine")
    undo_edit("mine")
    assert before == {name: ((data / name).read_bytes(), (data / name).stat().st_mtime_ns)
                      for name in before}
    assert not (data / EDITS).exists()


@pytest.mark.parametrize("edit", [
    {"kind": "explode"}, {"kind": "drop"}, {"kind": "drop", "items": []}, [], None,
    {"kind": "drop", "items": [99]}, {"kind": "drop", "items": [-1]},
    {"kind": "drop", "items": [True]}, {"kind": "drop", "items": "0"},
    {"kind": "drop", "items": [1], "to": "a"}, {"kind": "move", "items": [1], "to": ""},
    {"kind": "move", "items": [1], "to": 3}, {"kind": "merge", "classes": ["x"], "into": "a"},
    {"kind": "merge", "classes": [], "into": "a"}, {"kind": "together", "sets": [[0, 99]]},
    {"kind": "together", "sets": 3}, {"kind": "merge", "classes": ["a", "b", "c"], "into": "a"},
    {"kind": "drop", "items": list(range(1, 6))}, {"kind": "move", "items": [1], "to": "new"},
])
def test_what_cannot_be_done_is_refused_and_changes_nothing(data: Path, edit: Edit) -> None:
    with pytest.raises(BadInput):
        apply_edit("mine", edit)
    assert edits("mine") == []
    assert not (data / EDITS).exists()


def test_a_change_that_a_later_one_needs_is_taken_back_after_it() -> None:
    apply_edit("mine", {"kind": "merge", "classes": ["a"], "into": "z"})
    apply_edit("mine", {"kind": "merge", "classes": ["z", "b"], "into": "y"})
    with pytest.raises(BadInput, match="Change 1 cannot be taken back before a later one"):
        undo_edit("mine", 1)
    assert len(edits("mine")) == 2


@pytest.mark.parametrize("number", [0, 2, -1, None])
def test_there_is_nothing_to_take_back_that_was_not_done(number: int | None) -> None:
    if number is not None:
        apply_edit("mine", {"kind": "weights"})
    with pytest.raises(BadInput, match="there is no number"):
        undo_edit("mine", number)


def test_a_set_of_the_older_form_loads_and_is_not_changed(data: Path) -> None:
    images = np.zeros((8, 8, 8, 3), np.uint8)
    part = store.Part(images, np.arange(8) % 2)
    store.write_set("older", ("a", "b"), part, part, store.About(
        kind="imported", title="t", description="d", licence="l", source="s"))
    assert len(load("older").train_labels) == 8
    assert edits("older") == []
    with pytest.raises(BadInput, match="cannot be changed"):
        apply_edit("older", {"kind": "weights"})
    with pytest.raises(NotFound):
        apply_edit("nothing", {"kind": "weights"})


@pytest.mark.parametrize("text", [
    "{", "[]", '{"edits": 3}', '{"edits": [], "summary": 3}',
    '{"edits": [{"kind": "drop", "items": [999]}], "summary": {}}',
    '{"edits": [], "summary": {"train_count": "many"}}'])
def test_a_damaged_list_of_changes_is_said_and_hides_no_other_set(data: Path, text: str) -> None:
    (data / EDITS).write_text(text)
    with pytest.raises(Damaged, match="'mine' is damaged"):
        load("mine")


@pytest.mark.parametrize("file", [IMAGES, FILE, META])
@pytest.mark.parametrize("cut", [0, 60, -1])
def test_a_torn_file_is_damage(data: Path, file: str, cut: int) -> None:
    path = data / file
    path.write_bytes(path.read_bytes()[:cut] if cut or file != IMAGES else b"")
    if file == META and cut == -1:
        path.write_text("{}")
    with pytest.raises(Damaged, match="'mine' is damaged"):
        load("mine")


def test_a_list_that_does_not_fit_the_images_is_damage(data: Path) -> None:
    meta = json.loads((data / META).read_text())
    (data / META).write_text(json.dumps(meta | {"class_names": ["a", "b"]}))
    with pytest.raises(Damaged, match="labels without a class"):
        load("mine")
