"""`import` and `datasets` on the command line: from a folder to a mended set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from picture_files import Files, saved, scenery, write_folder

from cnn.cli import main
from cnn.data.catalogue import load

FILES: Files = {f"{name}/S{n % 5}_IMG_{n}.png": saved(scenery(100 * len(name) + n))
                for name in ("cat", "horse") for n in range(25)}
FILES |= {"cat/S9_IMG_copy.png": FILES["cat/S0_IMG_0.png"], "cat/notes.png": b"no picture"}


@pytest.fixture
def source(tmp_path: Path, empty_folders: Path) -> Path:
    return write_folder(tmp_path / "source", FILES)


def spoken(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(list(map(str, words))) == 0
    return capsys.readouterr().out


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    return json.loads(spoken(capsys, *words, "--json"))


def test_import_by_group_with_a_proposed_size(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = spoken(capsys, "import", source, "--name", "mine", "--fit", "pad",
                  "--group", "^(.+)_IMG", "--test-fraction", "0.25", "--seed", "3")
    assert "by group, 25 % test, seed 3, groups named by ^(.+)_IMG" in said
    assert "48×48" in said
    assert "notes.png" in said
    assert "datasets mine --report" in said
    dataset = load("mine")
    assert (dataset.image_shape, dataset.resize) == ((48, 48, 3), "fit")
    assert dataset.train_groups is not None


def test_import_as_json(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = answer(capsys, "import", source, "--name", "mine", "--size", "16", "--fit", "stretch",
                    "--split", "ratio")
    assert (report["kept"], report["size"]) == ({"cat": 26, "horse": 25}, 16)
    assert report["split"] == "by ratio in each class, 20 % test, seed 0"
    assert load("mine").resize == "stretch"


def test_report_fix_and_undo(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoken(capsys, "import", source, "--name", "mine", "--size", "32")
    report = spoken(capsys, "datasets", "mine", "--report")
    kind = "leaks" if "leaks" in report else "duplicates"
    assert "cat/S9_IMG_copy.png" in report
    assert f"--fix {kind}:drop" in report
    assert "cat/notes.png: This is a text file" in report
    fixed = spoken(capsys, "datasets", "mine", "--fix", kind)
    assert "Changed: 1 picture left out" in fixed
    assert "Change 1  1 picture left out" in fixed
    value = answer(capsys, "datasets", "mine", "--report", "--fix",
                   '{"kind": "move", "items": [1], "to": "horse"}')
    assert len(value["changes"]) == 2
    assert not [f for f in value["report"]["findings"] if f["kind"] == kind]
    assert "Taken back: 1 picture moved" in spoken(capsys, "datasets", "mine", "--undo")
    assert answer(capsys, "datasets", "mine", "--undo", "1")["changes"] == []


def test_one_data_set_is_shown(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoken(capsys, "import", source, "--name", "mine", "--size", "16")
    value = answer(capsys, "datasets", "mine")
    assert value["classes"] == ["cat", "horse"]
    assert "by ratio in each class" in spoken(capsys, "datasets", "mine")
    assert "mine" in spoken(capsys, "datasets")


@pytest.mark.parametrize(("words", "message"), [
    (["datasets", "nothing", "--report"], "no data set named 'nothing'"),
    (["datasets", "--report"], "need the name"),
    (["datasets", "mine", "--fix", "{x"], "--fix is no JSON"),
    (["datasets", "mine", "--fix", "tiny"], "nothing to mend by the name 'tiny'"),
    (["datasets", "mine", "--undo"], "there is no number 0"),
    (["import", "SOURCE", "--name", "other", "--size", "large"], "whole number or auto"),
    (["import", "SOURCE", "--name", "other", "--split", "folders"], "no test folder"),
    (["import", "SOURCE", "--name", "other", "--group", "("], "not a regular expression"),
])
def test_what_cannot_be_done_is_said(
    source: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    spoken(capsys, "import", source, "--name", "mine", "--size", "16")
    assert main([str(source) if word == "SOURCE" else word for word in words]) == 1
    assert message in capsys.readouterr().err
