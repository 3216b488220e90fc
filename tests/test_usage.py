"""The program in an export: what it does to a picture is what CNN Studio does, bit for bit."""

import ast
import json
import runpy
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from model_folders import make_card

from cnn.data.images import RESIZE_WAYS, decode_image
from cnn.exports.checking import picture_files
from cnn.exports.formats import FORMATS
from cnn.exports.usage import USAGE_FILE, preprocessing, usage_text
from cnn.prediction.predictor import prepare


class Session:
    """Stands for a network that returns its input."""

    def __init__(self, path, providers):
        self.path = path

    def get_inputs(self):
        return [SimpleNamespace(name="image")]

    def run(self, outputs, inputs):
        return [inputs["image"].reshape(1, -1)]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("way", RESIZE_WAYS)
def test_pictures_of_all_kinds_reach_the_network_as_they_do_here(
    tmp_path, monkeypatch, way, channels, dark
):
    shape = [9, 7, channels]
    card = make_card(input_shape=shape, resize=way, dark_background=dark)
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(InferenceSession=Session))
    (tmp_path / USAGE_FILE).write_text(usage_text(card, FORMATS["onnx"]))
    (tmp_path / "labels.json").write_text(json.dumps([str(i) for i in range(np.prod(shape))]))
    program = runpy.run_path(str(tmp_path / USAGE_FILE), run_name="export")
    inverted = []
    for name, data in picture_files():
        (tmp_path / name).write_bytes(data)
        values = [value for _, value in program["classify"](tmp_path / name)]
        seen, was_inverted = prepare(decode_image(data), card)
        np.testing.assert_array_equal(np.reshape(values, shape), seen, err_msg=name)
        inverted.append(was_inverted)
    assert any(inverted) == dark  # at least one picture is light, so the branch was taken


@pytest.mark.parametrize("name", FORMATS)
def test_the_program_is_short_and_has_no_name_of_a_class_in_it(name):
    card = make_card(class_names=['"); import os #', "bee"])
    text = usage_text(card, FORMATS[name])
    body = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert sum(node.end_lineno - node.lineno for node in body) < 22
    assert "import os" not in text
    assert all(package in text for package in FORMATS[name].runtime)


def test_preprocessing_is_said_in_full_for_other_languages():
    facts = preprocessing(make_card(dark_background=True))
    assert (facts["input"]["height"], facts["input"]["width"], facts["colour"]) == (8, 6, "grey")
    assert facts["input"]["highest"] == 255
    assert any("'fit' to 6 wide and 8 high" in step for step in facts["steps"])
    assert "255 - v" in facts["steps"][-1]
    assert not facts["output"]["calibrated"]
    colour = preprocessing(make_card(input_shape=[8, 6, 3], calibration_error=0.01))
    assert colour["output"]["calibrated"]
    assert not any("grey:" in step or "255 - v" in step for step in colour["steps"])
