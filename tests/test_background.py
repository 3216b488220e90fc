"""Imports and checks by the server, and the reports that are kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from picture_files import saved, scenery, write_folder

from cnn.data import background, reports, store
from cnn.data.catalogue import dataset_names, describe
from cnn.data.decoding import Way
from cnn.data.dividing import SplitPlan
from cnn.data.edits import apply_edit, undo_edit
from cnn.data.importing import import_images, remove_imported, source_of
from cnn.data.jobs import JobState
from cnn.data.preflight import preflight
from cnn.data.progress import silent
from cnn.data.reports import kept_report, make_report
from cnn.errors import BadInput, NotFound, Unavailable

FILES = {**{f"a/{n}.png": saved(scenery(n)) for n in range(8)},
         **{f"b/{n}.png": saved(scenery(50 + n)) for n in range(8)},
         "a/copy.png": saved(scenery(0)), "b/notes.png": b"text"}


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return write_folder(tmp_path / "f", FILES)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def start(source: Path, name: str = "mine", done: Callable[[], None] = lambda: None) -> None:
    background.start_import(source_of(source), name, Way((16, 16)), SplitPlan(), done)


def state(name: str = "mine") -> JobState:
    found = background.look_import(name)
    assert found is not None
    return found


def test_an_import_ends_with_its_report_and_the_set_looked_through(source: Path) -> None:
    said: list[str] = []
    start(source, done=lambda: said.append("gone"))
    until(lambda: not state().lives)
    assert state().result.kept == {"a": 9, "b": 8}
    assert said == ["gone"]
    until(lambda: kept_report("mine"))
    assert background.running_imports() == []
    background.forget_import("mine")
    assert background.look_import("mine") is None


@pytest.mark.parametrize("name", ["digits", "No Name", "mine"])
def test_a_name_that_cannot_be_taken_is_refused_at_once(source: Path, name: str) -> None:
    import_images(source, "mine", (8, 8))
    with pytest.raises(BadInput):
        start(source, name)
    assert background.look_import(name) is None


def test_an_import_is_seen_and_cancelled_without_a_trace(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = background.import_images

    def slow(*args: object) -> object:
        *others, tell = args

        def slower(what: str, done: int, total: int) -> None:
            time.sleep(0.02)
            tell(what, done, total)  # type: ignore[operator]

        return real(*others, slower)  # type: ignore[arg-type]

    monkeypatch.setattr(background, "import_images", slow)
    said: list[str] = []
    start(source, done=lambda: said.append("gone"))
    until(lambda: state().done > 2)
    assert background.running_imports() == ["mine"]
    with pytest.raises(BadInput, match="under way"):
        start(source)
    background.cancel_import("mine")
    until(lambda: state().state == "cancelled")
    assert "mine" not in dataset_names()
    assert said == []
    assert not [path for path in (source.parent / "data" / store.STORE).iterdir() if path.is_dir()]


def test_a_failed_import_says_why(source: Path) -> None:
    start(source / "a")
    until(lambda: not state().lives)
    assert "two classes" in str(state().error)


def test_a_report_is_kept_as_it_was_made(source: Path) -> None:
    import_images(source, "mine", (16, 16))
    assert kept_report("mine") is None
    made = make_report("mine", silent)
    assert kept_report("mine") == made
    assert made.amounts()["warning"] == sum(one.level == "warning" for one in made.findings) > 0


def test_a_report_is_of_the_set_as_it_is_now(source: Path) -> None:
    import_images(source, "mine", (16, 16))
    before = make_report("mine", silent)
    apply_edit("mine", {"kind": "drop", "items": [1]})
    assert kept_report("mine") is None
    undo_edit("mine")
    assert kept_report("mine") == before


@pytest.mark.parametrize("content", ["", "{}", '{"format": 1}', "[]"])
def test_a_damaged_report_is_made_again(source: Path, content: str) -> None:
    import_images(source, "mine", (16, 16))
    made = make_report("mine", silent)
    path = source.parent / "data" / store.STORE / "report-mine.json"
    damaged = json.loads(path.read_text()) | {"findings": [{"kind": "x"}]}
    for text in (content, json.dumps(damaged)):
        path.write_text(text)
        assert kept_report("mine") is None
    assert make_report("mine", silent).findings == made.findings == (
        kept_report("mine") or made).findings


def test_a_report_is_made_where_nothing_can_be_written(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_images(source, "mine", (16, 16))

    def refuse(path: Path, value: object) -> None:
        raise Unavailable("no")

    monkeypatch.setattr(reports, "atomic_write_json", refuse)
    assert make_report("mine", silent).findings == preflight("mine").findings
    assert kept_report("mine") is None


def test_a_report_outlives_no_set(source: Path) -> None:
    import_images(source, "mine", (16, 16))
    make_report("mine", silent)
    remove_imported("mine")
    assert kept_report("mine") is None
    assert "mine" not in dataset_names()


def test_a_changed_set_is_looked_through_anew(source: Path) -> None:
    import_images(source, "mine", (16, 16))
    background.start_check("mine")
    until(lambda: (found := background.look_check("mine")) and found.state == "done")
    apply_edit("mine", {"kind": "drop", "items": [1]})
    assert background.look_check("mine") is None
    background.start_check("mine")
    until(lambda: (found := background.look_check("mine")) and found.state == "done")
    report = kept_report("mine")
    assert report is not None
    assert report.changes == ["1 picture left out"]
    assert describe("mine").train_count + describe("mine").test_count == 16


def test_there_is_no_check_of_what_is_not_there() -> None:
    with pytest.raises(NotFound):
        background.start_check("nothing")
    with pytest.raises(NotFound):
        background.look_check("nothing")
