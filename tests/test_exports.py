"""Exports of a shipped model, each checked and used by its own runtime."""

import importlib.metadata
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from model_folders import make_card

from cnn.data.catalogue import load
from cnn.data.images import encode_png
from cnn.errors import BadInput, Refused, Unavailable
from cnn.exports import checking, formats, package
from cnn.exports.checking import Difference, compare, generated_images, refuse_if_different
from cnn.exports.formats import FORMATS, check_possible, get_format
from cnn.paths import PROJECT

SHIPPED = "digits-base"
OWN_PROCESS = ("tflite", "onnx")  # whose runtimes start in a second; TensorFlow's are run in ours


@pytest.fixture
def shipped(folders, monkeypatch):
    monkeypatch.setenv("CNN_MODELS_DIR", str(PROJECT / "saved_models"))
    return folders


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_answers_as_the_original_and_its_program_works(shipped, tmp_path, name):
    form = FORMATS[name]
    if form.missing:
        pytest.skip(f"not installed: {', '.join(form.missing)} (requirements-export.txt)")
    steps = []
    target = tmp_path / "out.zip"
    record = package.export_model(SHIPPED, name, target, lambda *step: steps.append(step[0]))
    assert record["compared"]["largest"] <= checking.LARGEST_DIFFERENCE
    assert record["compared"]["same_answer"] == record["compared"]["count"] == 134
    assert record["compared"]["test_images"] == 64
    assert record["bytes"] == target.stat().st_size
    assert steps[-1] == "Packing"
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / f"{SHIPPED}-{name}"
    assert {"labels.json", "labels.txt", "preprocessing.json", "usage.py", "export.json",
            "README.md", form.file} == {path.name for path in folder.iterdir()}
    assert f"{record['compared']['largest']:.2g}" in (folder / "README.md").read_text()
    if name in OWN_PROCESS:
        use_a_digit(folder)


def use_a_digit(folder):
    """Run the program of an export as a person does, and see that it needs nothing of ours."""
    digits = load("digits")
    (folder / "digit.png").write_bytes(encode_png(digits.test_images[0]))
    script = ("import runpy, sys; sys.argv = ['usage.py', 'digit.png']; "
              "runpy.run_path('usage.py', run_name='__main__'); "
              "assert not {'tensorflow', 'keras', 'cnn'} & set(sys.modules)")
    said = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True,
                          text=True, check=True, timeout=60).stdout.splitlines()
    share, name = said[0].split()
    assert name == digits.class_names[digits.test_labels[0]]
    assert share.endswith("%")
    assert len(said) == 3


def fake_export(folder, answer):
    """Write a program that answers with the class of the mean pixel, changed by `answer`."""
    folder.mkdir()
    (folder / "usage.py").write_text(
        "import numpy as np\nfrom PIL import Image, ImageOps\n"
        "def probabilities(x):\n    p = np.float32(x.mean() / 255)\n"
        f"    return np.array({answer}, np.float32)\n"
        "def classify(file):\n"
        "    return list(zip('ab', PROBABILITIES[str(file).rpartition('/')[2]]))\n"
        "PROBABILITIES = __import__('json').loads(open(__file__[:-8] + 'said.json').read())\n")


def original(images):
    p = images.reshape(len(images), -1).astype(np.float32).mean(axis=1) / 255
    return np.stack([p, 1 - p], axis=1)


@pytest.mark.parametrize(("answer", "small"), [
    ("[p, 1 - p]", True), ("[p + 3e-5, 1 - p]", True), ("[p + 3e-4, 1 - p]", False),
    ("[1 - p, p]", False)])
def test_what_differs_is_found(tmp_path, empty_folders, answer, small):
    card = make_card(class_names=["a", "b"])
    folder = tmp_path / "export"
    fake_export(folder, answer)
    said = {}
    for name, data in checking.picture_files():
        seen = checking.prepare(checking.decode_image(data), card)[0]
        said[name] = original(seen[np.newaxis])[0].tolist()
    (folder / "said.json").write_text(json.dumps(said))
    found = compare(card, original, folder, tmp_path)
    assert (found.generated, found.test_images, found.pictures) == (64, 0, 6)
    assert found.small == small
    if small:
        refuse_if_different(found, "ONNX", "first")
    else:
        with pytest.raises(Refused, match="not offered"):
            refuse_if_different(found, "ONNX", "first")


def test_one_other_answer_is_too_much_however_close_the_probabilities():
    assert not Difference(64, 0, 6, 1e-6, 69).small
    assert Difference(64, 0, 6, 1e-6, 70).small


def test_generated_images_are_the_same_each_time_and_from_flat_to_fine():
    first, again = generated_images((8, 6, 3)), generated_images((8, 6, 3))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (64, 8, 6, 3)
    colours = [len(np.unique(image.reshape(-1, 3), axis=0)) for image in first]
    assert colours[0] == 1
    assert colours[-1] > 40


def test_missing_packages_are_named_with_what_to_do(monkeypatch):
    def version(name):
        if name in ("onnx", "tf2onnx"):
            raise importlib.metadata.PackageNotFoundError
        return "1"

    monkeypatch.setattr(formats.importlib.metadata, "version", version)
    with pytest.raises(Unavailable, match="onnx, tf2onnx") as caught:
        check_possible(FORMATS["onnx"], make_card())
    assert "requirements-export.txt" in caught.value.hint
    check_possible(FORMATS["tflite"], make_card())


def test_a_network_that_needs_this_project_is_not_given_away_as_keras():
    with pytest.raises(Refused, match="only where this project is installed") as caught:
        check_possible(FORMATS["keras"], make_card(needs_cnn=True))
    assert "savedmodel" in caught.value.hint
    check_possible(FORMATS["savedmodel"], make_card(needs_cnn=True))


def test_a_format_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(BadInput, match="keras, savedmodel, tflite, onnx"):
        get_format("coreml")


def test_each_optional_package_has_a_bound_and_a_reason():
    lines = (PROJECT / "requirements-export.txt").read_text().splitlines()
    listed = {line.partition(">=")[0] for line in lines if ">=" in line}
    assert all("<" in line and "#" in line for line in lines if ">=" in line)
    needed = {name for form in FORMATS.values() for name in (*form.runtime, *form.writers)}
    assert needed - {"tensorflow", "keras"} == listed
