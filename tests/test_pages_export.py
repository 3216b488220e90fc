"""The section in which a model is taken along, on Evaluate, and the report on Compare."""

import json
import threading
import zipfile

import pytest
from model_folders import write_model
from page_steps import texts

from cnn.data.jobs import Jobs
from cnn.errors import Refused
from cnn.exports import asking, formats


@pytest.fixture
def model(folders, monkeypatch):
    write_model("first", dataset="digits")
    monkeypatch.setattr(formats, "_installed", lambda name: "onnx" not in name)
    monkeypatch.setattr(asking, "_jobs", Jobs("export"))


def labels(page, kind):
    return [element.label for element in page.get(kind)]


def keys(page):
    return {button.key for button in page.button}


def make(monkeypatch, work):
    """Let `work` stand for the process that makes an export."""
    def export_to(name, format_name, target, progress):
        work(progress)
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(f"{name}-{format_name}/export.json", json.dumps(
                {"compared": {"count": 70, "same_answer": 70, "largest": 2e-6}}))

    monkeypatch.setattr(asking, "export_to", export_to)


def wait():
    while asking.look_export("first", "keras").lives:
        threading.Event().wait(0.01)


@pytest.fixture
def opened(open_page, model):
    """The page with the section of exports open."""
    page = open_page("evaluate", model="first")
    page.session_state["evaluate_export"] = True
    return page.run()


def test_report_card_and_formats_are_offered_and_what_is_missing_is_said(open_page, model):
    page = open_page("evaluate", model="first")
    assert "export_keras" not in keys(page)
    page.session_state["evaluate_export"] = True
    page.run()
    assert not page.exception
    assert {"Report", "Model card"} <= set(labels(page, "download_button"))
    assert {"export_keras", "export_savedmodel", "export_tflite"} <= keys(page)
    assert "export_onnx" not in keys(page)
    assert r"onnxruntime, onnx, tf2onnx" in texts(page.caption)
    assert "requirements" in texts(page.caption)


def test_an_export_is_watched_and_then_offered_with_its_difference(opened, monkeypatch):
    go = threading.Event()

    def work(progress):
        progress("Writing Keras", 1, 4)
        go.wait(10)

    make(monkeypatch, work)
    page = opened
    page.button(key="export_keras").click().run()
    assert "export_cancel_keras" in keys(page)
    assert "export_keras" not in keys(page)
    go.set()
    wait()
    page.run()
    assert not page.exception
    assert "Download Keras (0.0 MB)" in labels(page, "download_button")
    assert "0\\.0002 percentage points" in texts(page.caption)
    assert "export_cancel_keras" not in keys(page)
    assert "compile=False" in texts(page.code)


def test_a_failed_export_says_why_and_can_be_tried_again(opened, monkeypatch):
    def work(progress):
        raise Refused("It *differs*.", "Choose another format.")

    make(monkeypatch, work)
    page = opened
    page.button(key="export_keras").click().run()
    wait()
    page.run()
    assert r"It \*differs\*" in texts(page.error)
    assert "export_keras" in keys(page)


def test_compare_offers_a_report_of_the_chosen(open_page, model):
    write_model("second", dataset="digits")
    page = open_page("compare")
    assert "Report" not in labels(page, "download_button")
    page.multiselect(key="with").set_value(["first", "second"]).run()
    assert not page.exception
    assert "Report" in labels(page, "download_button")
