"""`architectures`: showing, Keras code, adding and deleting."""

import json

import pytest

from cnn.cli import main
from cnn.models.documents import document_of
from cnn.models.own import list_own
from cnn.models.registry import get_architecture

pytestmark = pytest.mark.usefixtures("empty_folders")


@pytest.fixture
def file(tmp_path):
    document = document_of(get_architecture("lenet"), (28, 28, 1), 10)
    path = tmp_path / "my-lenet.json"
    path.write_text(json.dumps({**document.to_dict("small-lenet"), "description": "Mine."}))
    return path


def told(capsys, *words):
    """Return the exit status, what was printed as JSON, and what was said."""
    status = main(["architectures", *words, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else None, err


def test_what_is_added_is_shown_trained_and_deleted_by_its_name(capsys, file):
    status, value, _ = told(capsys, "add", str(file))
    assert (status, value["added"]) == (0, "small-lenet")
    _, shown, _ = told(capsys, "show", "small-lenet", "--size", "28", "--channels", "1")
    assert shown["document"] == json.loads(file.read_text())
    assert shown["parameters"] == told(capsys, "lenet", "--size", "28", "--channels", "1")[1][
        "parameters"]
    assert told(capsys)[1]["architectures"][-1]["description"] == "Mine."
    assert told(capsys, "delete", "small-lenet")[1] == {"deleted": "small-lenet"}
    assert told(capsys, "show", "small-lenet")[0] == 1


def test_a_name_of_ones_own_choice_and_a_taken_one(capsys, file):
    assert told(capsys, "add", str(file), "--name", "other")[1]["added"] == "other"
    status, _, said = told(capsys, "add", str(file), "--name", "other")
    assert status == 1
    assert "exists already" in said
    assert "taken by this program" in told(capsys, "add", str(file), "--name", "base")[2]


@pytest.mark.parametrize(("change", "words"), [
    ({"layers": [{"type": "conv"}]}, "layer logits"),
    ({"layers": [{"type": "conv"}] * 3000}, "3,000 layers"),
    ({"layers": [{"type": "conv", "kernel": 31, "padding": "valid"}, {"type": "max_pool"},
                 {"type": "max_pool"}]}, "layer pool_2"),
    ({"layers": [{"type": "flatten"}, {"type": "dense", "units": 8192},
                 {"type": "dense", "units": 8192}] + [{"type": "dense", "units": 8192}] * 3},
     "not trained here"),
])
def test_an_impossible_network_is_refused_at_its_layer(capsys, file, change, words):
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    status, _, said = told(capsys, "add", str(file))
    assert status == 1
    assert words in said
    assert not list_own()


def test_a_network_for_larger_images_is_added_when_that_is_said(capsys, file):
    layers = [{"type": "conv", "kernel": 31, "padding": "valid"}, {"type": "max_pool"},
              {"type": "flatten"}]
    file.write_text(json.dumps({"format": 1, "layers": [*layers[:2], *layers[1:]]}))
    assert told(capsys, "add", str(file))[0] == 1
    assert told(capsys, "add", str(file), "--size", "64")[1]["added"] == "my-lenet"


def test_code_is_printed_for_the_images_that_are_named(capsys):
    assert main(["architectures", "code", "resnet", "--size", "28", "--channels", "1"]) == 0
    code = capsys.readouterr().out
    assert 'image = keras.Input((28, 28, 1), name="image")' in code
    assert "1512.03385" in code


@pytest.mark.parametrize("words", [["show"], ["add"], ["code", "a", "b"], ["base", "lenet"]])
def test_words_that_make_no_sense_are_wrong_usage(words):
    with pytest.raises(SystemExit) as caught:
        main(["architectures", *words])
    assert caught.value.code == 2


@pytest.mark.parametrize("words", [["add", "no-such.json"], ["delete", "base"], ["code", "nope"],
                                   ["delete", "../../etc"]])
def test_what_cannot_be_done_is_said_with_status_1(capsys, words):
    status, value, said = told(capsys, *words)
    assert (status, value) == (1, None)
    assert said
