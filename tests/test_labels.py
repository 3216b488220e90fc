"""Title and note of a run."""

import json

import pytest
from run_folders import write_run

from cnn.errors import BadInput, NotFound
from cnn.runs.labels import LABEL_FILE, MOST_IN_NOTE, MOST_IN_TITLE, Label, read_label, write_label
from cnn.runs.manager import get_run

pytestmark = pytest.mark.usefixtures("empty_folders")


def test_title_and_note_are_kept_and_each_can_be_changed_alone():
    folder = write_run(state="finished")
    assert read_label(folder) == Label()
    assert write_label(folder.run_id, title=" My  first\n", note="one\r\ntwo \n") == Label(
        "My first", "one\ntwo")
    write_label(folder.run_id, note="three")
    assert read_label(folder) == Label("My first", "three")
    write_label(folder.run_id, title="")
    assert read_label(folder) == Label("", "three")


def test_characters_that_make_a_text_lie_are_removed():
    folder = write_run(state="finished")
    label = write_label(folder.run_id, title="a\x00b\u202ec\x1b[31m", note="x\x07\n\u2066y")
    assert label == Label("abc[31m", "x\ny")


@pytest.mark.parametrize(("texts", "words"), [
    ({"title": "x" * (MOST_IN_TITLE + 1)}, "title has 81"),
    ({"note": "x" * (MOST_IN_NOTE + 1)}, "note has 2,001"),
])
def test_a_text_that_is_too_long_is_refused_and_the_old_one_stays(texts, words):
    folder = write_run(state="finished")
    write_label(folder.run_id, title="x" * MOST_IN_TITLE, note="x" * MOST_IN_NOTE)
    with pytest.raises(BadInput, match=words):
        write_label(folder.run_id, **texts)
    assert read_label(folder) == Label("x" * MOST_IN_TITLE, "x" * MOST_IN_NOTE)


@pytest.mark.parametrize("damage", [
    b"", b"{", b"[]", b"\xff\xfe", b"null", json.dumps({"title": 3, "note": ["x"]}).encode()])
def test_a_damaged_label_hides_no_run(damage):
    folder = write_run(state="finished")
    (folder.path / LABEL_FILE).write_bytes(damage)
    assert read_label(folder) == Label()
    assert get_run(folder.run_id).error is None
    write_label(folder.run_id, title="again")
    assert read_label(folder).title == "again"


def test_a_label_from_elsewhere_is_cut_to_its_limits():
    folder = write_run(state="finished")
    (folder.path / LABEL_FILE).write_text(json.dumps({"title": "x\x01" * 500, "note": "y" * 9999}))
    assert read_label(folder) == Label("x" * MOST_IN_TITLE, "y" * MOST_IN_NOTE)


def test_a_damaged_run_can_have_a_label():
    folder = write_run()
    (folder.path / "config.json").unlink()
    write_label(folder.run_id, title="the broken one")
    assert read_label(folder).title == "the broken one"


@pytest.mark.parametrize("run_id", ["nothing-here", "../outside", "a/b", ".trash"])
def test_a_run_that_does_not_exist_gets_no_label(run_id, empty_folders):
    (empty_folders / "outside").mkdir()
    with pytest.raises((NotFound, BadInput)):
        write_label(run_id, title="x")
    assert not list((empty_folders / "outside").iterdir())
