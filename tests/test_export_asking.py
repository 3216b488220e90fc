"""Asking for exports: a process, its steps and failures, and what is kept of it."""

import os
import sys
import threading

import pytest
from model_folders import write_model

from cnn.data.progress import Cancelled
from cnn.errors import BadInput, NotFound, Refused
from cnn.exports import asking
from cnn.exports.asking import (
    cancel_export,
    export_to,
    known_export,
    look_export,
    start_export,
)

GOOD = """
import json, sys, zipfile
asked = json.loads(sys.argv[1])
print(json.dumps({"step": "Writing", "done": 1, "total": 2}), flush=True)
name = f"{asked['model']}-{asked['format']}"
with zipfile.ZipFile(asked["target"], "w") as archive:
    archive.writestr(f"{name}/export.json", json.dumps({"compared": {"count": 3}}))
print(json.dumps({"model": asked["model"], "compared": {"count": 3}}))
"""
BAD = """
import json
print(json.dumps({"error": {"kind": "refused", "message": "It differs.", "hint": "Choose."}}))
"""


@pytest.fixture
def model(empty_folders):
    write_model("first")
    return empty_folders


def with_worker(monkeypatch, script):
    monkeypatch.setattr(asking, "_COMMAND", (sys.executable, "-c", script))
    monkeypatch.setattr(asking, "_jobs", asking.Jobs("export"))


def wait(name="first", form="keras"):
    while look_export(name, form).lives:
        threading.Event().wait(0.02)
    return look_export(name, form)


def test_an_export_is_made_once_and_found_as_long_as_the_model_is_the_same(model, monkeypatch):
    with_worker(monkeypatch, GOOD)
    assert known_export("first", "keras") is None
    start_export("first", "keras")
    assert wait().state == "done"
    found = known_export("first", "keras")
    assert found.record["compared"] == {"count": 3}
    assert found.record["bytes"] == found.path.stat().st_size
    assert known_export("first", "savedmodel") is None
    file = model / "models" / "first" / "model.keras"
    file.write_bytes(b"another network")
    assert known_export("first", "keras") is None


def test_a_damaged_export_is_as_none(model, monkeypatch):
    with_worker(monkeypatch, GOOD)
    start_export("first", "keras")
    wait()
    known_export("first", "keras").path.write_bytes(b"PK\x03\x04 torn")
    assert known_export("first", "keras") is None


def test_a_refusal_comes_through_and_leaves_nothing(model, monkeypatch):
    with_worker(monkeypatch, BAD)
    start_export("first", "keras")
    state = wait()
    assert (state.state, state.error.message) == ("failed", "It differs.")
    assert isinstance(state.error, Refused)
    assert known_export("first", "keras") is None


def test_an_export_can_be_cancelled(model, monkeypatch):
    with_worker(monkeypatch, "import time; time.sleep(60)")
    start_export("first", "keras")
    cancel_export("first", "keras")
    assert wait().state == "cancelled"


def test_one_is_made_at_a_time_and_who_waits_is_told(model, monkeypatch):
    with_worker(monkeypatch, GOOD)
    told = []

    def progress(*step):
        told.append(step[0])
        if len(told) == 2:
            raise Cancelled

    with asking._one_at_a_time, pytest.raises(Cancelled):
        export_to("first", "keras", model / "out.zip", progress)
    assert told == ["Waiting for another export"] * 2
    export_to("first", "keras", model / "out.zip")
    assert (model / "out.zip").is_file()


def test_the_oldest_exports_are_removed(model, monkeypatch):
    with_worker(monkeypatch, GOOD)
    monkeypatch.setattr(asking, "_KEPT", 1)
    start_export("first", "keras")
    wait()
    old = known_export("first", "keras").path
    os.utime(old, (1, 1))
    for name in (".tmp-left", ".tmp-being-written"):
        (old.parent / name).write_bytes(b"")
    os.utime(old.parent / ".tmp-left", (1, 1))
    start_export("first", "savedmodel")
    wait("first", "savedmodel")
    assert {path.name for path in old.parent.iterdir()} == {
        known_export("first", "savedmodel").path.name, ".tmp-being-written"}


@pytest.mark.parametrize(("name", "form", "target", "kind"), [
    ("first", "keras", "out.keras", BadInput), ("first", "coreml", "out.zip", BadInput),
    ("second", "keras", "out.zip", NotFound)])
def test_what_cannot_be_is_refused_before_any_process(model, monkeypatch, name, form, target, kind):
    with_worker(monkeypatch, "raise SystemExit('must not be started')")
    with pytest.raises(kind):
        export_to(name, form, model / target)
