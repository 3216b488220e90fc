"""The commands report, card and export."""

import json

import pytest
from model_folders import write_model

from cnn.cli import main
from cnn.cli_commands import export
from cnn.errors import Refused

pytestmark = pytest.mark.usefixtures("empty_folders")
RECORD = {"model": "first", "format": "onnx", "file": "model.onnx", "bytes": 2 * 2**20,
          "compared": {"count": 70, "pictures": 6, "largest": 1.2e-6, "same_answer": 70}}


def test_report_writes_one_file_for_one_or_more(tmp_path, capsys):
    write_model("first")
    write_model("second")
    out = tmp_path / "report.html"
    assert main(["report", "first", "second", "--out", str(out), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == {"names": ["first", "second"], "written": str(out),
                      "bytes": out.stat().st_size}
    assert "Side by side" in out.read_text()


def test_a_report_of_nobody_or_to_another_kind_of_file_is_refused(tmp_path, capsys):
    write_model("first")
    assert main(["report", "first", "--out", str(tmp_path / "report.pdf")]) == 1
    assert "report.html" in capsys.readouterr().err
    assert main(["report", "nobody", "--out", str(tmp_path / "report.html")]) == 1
    assert list(tmp_path.glob("report*")) == []


def test_card_is_printed_or_written(tmp_path, capsys):
    write_model("first")
    assert main(["card", "first"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Model card: first")
    assert main(["card", "first", "--out", str(tmp_path / "CARD.md"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (tmp_path / "CARD.md").read_text() == record["card"] == text


def test_export_says_how_near_it_is_to_the_original(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(export, "export_to", lambda *args: RECORD)
    out = tmp_path / "first.zip"
    words = ["export", "first", "--format", "onnx", "--out", str(out)]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "1.2e-06" in text
    assert "2.0 MB" in text
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**RECORD, "written": str(out)}


def test_a_file_that_is_there_is_not_overwritten_and_a_refusal_is_said(
    tmp_path, capsys, monkeypatch
):
    def refuse(*args):
        raise Refused("It differs.", "Choose another.")

    monkeypatch.setattr(export, "export_to", refuse)
    out = tmp_path / "first.zip"
    assert main(["export", "first", "--format", "onnx", "--out", str(out)]) == 1
    assert capsys.readouterr().err == "It differs.\nChoose another.\n"
    out.write_bytes(b"mine")
    assert main(["export", "first", "--format", "onnx", "--out", str(out)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert out.read_bytes() == b"mine"
