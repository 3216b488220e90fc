"""The Keras code of an architecture, executed, is the same network."""

import ast

import keras
import pytest

from cnn.models.build import build_model
from cnn.models.code import keras_code
from cnn.models.documents import document_from_dict
from cnn.models.kinds import KINDS
from cnn.models.registry import built_in_names, get_architecture

# One network that has every kind of layer with unusual settings.
ALL_KINDS = document_from_dict({"format": 1, "description": "A #'\"\\ test.", "layers": [
    {"type": "whitening"}, {"type": "activation", "name": "tanh"},
    {"type": "conv", "filters": 5, "kernel": 3, "stride": 2, "l2": 0.01, "bias": False},
    {"type": "batch_norm", "scale": False, "momentum": 0.7}, {"type": "scale", "factor": 0.5},
    {"type": "skip", "back": 1}, {"type": "max_pool", "size": 3, "stride": 1, "padding": "same"},
    {"type": "average_pool", "size": 2, "stride": 1}, {"type": "residual", "filters": 6},
    {"type": "inception", "one": 2, "three": 3}, {"type": "dropout", "rate": 0.3},
    {"type": "conv", "padding": "valid", "identity": True, "activation": None},
    {"type": "global_max_pool"}, {"type": "dense", "units": 7, "unit": True, "bias": False},
    {"type": "flatten"}], "head": {"bias": False, "unit": True}}).architecture("all-kinds")
NETWORKS = {name: get_architecture(name) for name in built_in_names()
            if get_architecture(name).engine == "keras"} | {"all-kinds": ALL_KINDS}
LIKE_ANOTHER = {"dropout", "deeper-dropout", "augmented", "speedrun", "speedrun-small", "googlenet"}


def executed(code):
    space = {"__name__": "code"}
    exec(compile(code, "network.py", "exec"), space)
    return space["model"]


def told(layer):
    """What a layer is, without what only training needs."""
    config = layer.get_config()
    for key in ("dtype", "seed", "batch_shape", "ragged", "sparse", "optional"):
        config.pop(key, None)
    for key in ("kernel_initializer", "bias_initializer"):
        if key in config:
            config[key]["config"].pop("seed", None)
    return type(layer).__name__, config


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in LIKE_ANOTHER])
def test_executing_the_code_gives_the_same_layers_shapes_and_parameters(
        name, empty_folders, monkeypatch):
    shape = (12, 12, 1) if "speedrun" in name else (16, 16, 3)
    architecture = NETWORKS[name]
    monkeypatch.setattr("cnn.models.build.get_architecture", lambda _: architecture)
    monkeypatch.setattr("cnn.models.summary.get_architecture", lambda _: architecture)
    ours, theirs = build_model(name, shape, 7), executed(keras_code(architecture, shape, 7))
    assert ours.count_params() == theirs.count_params()
    assert len(ours.trainable_weights) == len(theirs.trainable_weights)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [layer.output.shape for layer in ours.layers] == [
        layer.output.shape for layer in theirs.layers]
    for one, other in zip(ours.layers, theirs.layers, strict=True):
        assert told(one) == told(other)
    inputs = [[tensor.name for tensor in keras.tree.flatten(layer.input)] for layer in ours.layers]
    assert len(inputs) == len(theirs.layers)
    theirs.set_weights(ours.get_weights())
    images = keras.random.uniform((2, *shape), 0, 255, seed=1)
    assert keras.ops.max(keras.ops.abs(ours(images) - theirs(images))) < 1e-5


def test_the_networks_of_these_tests_have_every_kind_of_layer():
    found = {type(layer) for _, layer in ALL_KINDS.layers((16, 16, 3), 7)}
    assert {kind.spec for kind in KINDS.values()} - found == {KINDS["global_average_pool"].spec}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_code_names_its_source_and_has_no_long_lines(name):
    code = keras_code(NETWORKS[name], (32, 32, 3), 10)
    ast.parse(code)
    assert max(map(len, code.splitlines())) <= 100
    assert "\n\n\n" not in code
    if NETWORKS[name].source:
        assert "# Source: " in code
