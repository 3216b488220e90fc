"""Architectures as data: read back as they were, and refused in words when anything is wrong."""

import json

import pytest

from cnn.config import Augmentation
from cnn.errors import BadInput
from cnn.models.documents import MOST_LAYERS, document_from_dict, document_of
from cnn.models.kinds import KINDS, layer_from_dict, layer_to_dict
from cnn.models.registry import built_in_names, get_architecture

CONV = {"type": "conv", "filters": 8}
GOOD = {"format": 1, "layers": [CONV, {"type": "flatten"}]}


@pytest.mark.parametrize("name", built_in_names())
def test_every_architecture_survives_being_written_and_read(name):
    architecture = get_architecture(name)
    document = document_of(architecture, (32, 32, 3), 10)
    text = json.dumps(document.to_dict("mine"))
    again = document_from_dict(json.loads(text)).architecture("mine")
    assert again.layers((32, 32, 3), 10) == architecture.layers((32, 32, 3), 10)
    assert again.recipe == architecture.recipe
    assert (again.name, again.family) == ("mine", "own")


def test_whitening_fits_images_of_any_number_of_channels():
    mine = document_of(get_architecture("speedrun-small"), (32, 32, 3), 10).architecture("mine")
    grey = get_architecture("speedrun-small").layers((28, 28, 1), 10)
    assert mine.layers((28, 28, 1), 10) == grey


def test_what_is_left_out_is_as_in_a_new_layer():
    document = document_from_dict(GOOD)
    assert document.layers[0] == layer_from_dict({"type": "conv", "filters": 8, "kernel": 3,
                                                  "activation": "relu", "padding": "same"})
    assert not document.recipe


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_kind_is_made_written_and_read(kind):
    layer = kind.new()
    assert layer_from_dict(json.loads(json.dumps(layer_to_dict(layer)))) == layer
    assert layer_from_dict({"type": kind.key}) == layer


@pytest.mark.parametrize(("change", "words"), [
    ({"format": 2}, "format 2"),
    ({"format": None}, "format None"),
    ({"layers": []}, "0 layers"),
    ({"layers": [CONV] * 3000}, "3,000 layers"),
    ({"layers": [CONV] * (MOST_LAYERS + 1)}, f"1 to {MOST_LAYERS} layers"),
    ({"layers": {"0": CONV}}, "list of 1 to"),
    ({"layers": [CONV, 7]}, "Layer 2 must be an object"),
    ({"layers": [[[[[]]]]]}, "Layer 1 must be an object"),
    ({"layers": [{"type": "lambda"}]}, "unknown type 'lambda'"),
    ({"layers": [{"type": ["conv"]}]}, "unknown type"),
    ({"layers": [{**CONV, "code": "import os"}]}, "unknown setting 'code'"),
    ({"layers": [{**CONV, "filters": 0}]}, "whole number from 1 to 2048"),
    ({"layers": [{**CONV, "filters": 1e9}]}, "filters 1000000000.0"),
    ({"layers": [{**CONV, "filters": 10**400}]}, "filters 1000"),
    ({"layers": [{**CONV, "filters": True}]}, "filters True"),
    ({"layers": [{**CONV, "filters": "8"}]}, "filters '8'"),
    ({"layers": [{**CONV, "l2": float("nan")}]}, "l2 nan"),
    ({"layers": [{**CONV, "padding": None}]}, "one of same, valid"),
    ({"layers": [{**CONV, "activation": "softmax"}]}, "activation 'softmax'"),
    ({"layers": [{**CONV, "activation": ["relu"]}]}, "activation \\['relu'\\]"),
    ({"layers": [{**CONV, "bias": 1}]}, "true or false"),
    ({"description": "two\nlines"}, "one line"),
    ({"description": "two\u2028lines"}, "one line"),
    ({"description": "x" * 201}, "at most 200"),
    ({"description": 7}, "one line"),
    ({"head": {"units": 3}}, "unknown entry 'units'"),
    ({"head": {"bias": "no"}}, "true or false"),
    ({"head": []}, "must be a JSON object"),
    ({"recipe": {"name": "other"}}, "settings of a run"),
    ({"recipe": {"epochs": -1}}, "epochs must be"),
    ({"recipe": {"no_such": 1}}, "no_such"),
    ({"recipe": {"augmentation": {"shift": 9}}}, "shift must be"),
    ({"secret": 1}, "unknown entry 'secret'"),
])
def test_what_is_wrong_is_refused_and_named(change, words):
    with pytest.raises(BadInput, match=words) as caught:
        document_from_dict({**GOOD, **change})
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("value", [[], "text", 7, None])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(BadInput, match="must be a JSON object"):
        document_from_dict(value)


def test_a_recipe_is_taken_over_with_its_augmentation():
    document = document_from_dict({**GOOD, "recipe": {
        "learning_rate": 0.01, "augmentation": {"shift": 0.1, "flip": True}}})
    assert document.recipe == {"learning_rate": 0.01,
                               "augmentation": Augmentation(shift=0.1, flip=True)}


def test_the_key_follows_what_is_trained_and_not_what_is_said_of_it():
    one, said, other = (document_from_dict({**GOOD, **change}).architecture("mine").key
                        for change in ({}, {"description": "Said."}, {"layers": [CONV]}))
    assert one == said != other
    assert one.startswith("mine@")


@pytest.mark.parametrize("markup", ["<script>alert(1)</script>", "**bold** :red[x]", "'\"\\"])
def test_a_description_is_plain_text_whatever_it_looks_like(markup):
    assert document_from_dict({**GOOD, "description": markup}).description == markup
