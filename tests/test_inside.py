"""A network opened up: the same answers as the network's own, and every layer by its name."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.special import softmax

from cnn.errors import BadInput
from cnn.models.build import build_model, logits_model
from cnn.models.inside import MOST_SUMMED_UP, Inside
from cnn.models.summary import summarise

SHAPE = (16, 16, 3)


def images(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize("architecture", ["base", "speedrun-small", "tf-nn", "dense"])
def test_the_logits_are_those_of_the_network(architecture: str) -> None:
    model = build_model(architecture, SHAPE, 4)
    expected = logits_model(model)(images()).numpy()
    inside = Inside(model)
    assert np.allclose(inside.look(images()).logits.numpy(), expected, atol=1e-4)
    features, logits, _ = inside.compiled()(images())
    assert np.allclose(logits.numpy(), expected, atol=1e-4)
    assert features.shape[0] == 3 and len(features.shape) == 2


@pytest.mark.parametrize("architecture", ["base", "tf-nn"])
def test_the_layers_are_those_of_the_layer_table(architecture: str) -> None:
    table = [row for row in summarise(architecture, SHAPE, 4).rows if row.name in
             Inside(build_model(architecture, SHAPE, 4)).shapes]
    inside = Inside(build_model(architecture, SHAPE, 4))
    assert [(row.name, tuple(row.output_shape)) for row in table] == list(inside.shapes.items())
    seen = inside.look(images(), list(inside.shapes))
    assert [tuple(values.shape[1:]) for values in seen.outputs] == list(inside.shapes.values())


def test_the_layers_of_tf_nn_follow_from_each_other() -> None:
    inside = Inside(build_model("tf-nn", SHAPE, 4))
    before, after = inside.look(images(), ["conv_1", "pool_1"]).outputs
    assert np.allclose(keras.layers.MaxPooling2D(2)(before), after, atol=1e-5)


@pytest.mark.parametrize("architecture", ["base", "tf-nn", "speedrun-small"])
def test_the_means_are_those_of_the_convolutions(architecture: str) -> None:
    inside = Inside(build_model(architecture, SHAPE, 4))
    layers = inside.convolutions()
    assert all(name.startswith(("conv", "whitening")) for name in layers) and layers
    means = inside.compiled()(images())[2]
    outputs = inside.look(images(), layers).outputs
    for mean, values in zip(means, outputs, strict=True):
        assert np.allclose(mean.numpy(), values.numpy().mean((1, 2)), atol=1e-4)


def test_of_many_convolutions_some_are_summed_up_with_the_first_and_the_last() -> None:
    layers = [keras.layers.Conv2D(2, 1, name=f"c{place}") for place in range(20)]
    model = keras.Sequential([keras.layers.Input(SHAPE), *layers,
                              keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4)])
    chosen = Inside(model).convolutions()
    assert len(set(chosen)) == MOST_SUMMED_UP and (chosen[0], chosen[-1]) == ("c0", "c19")


def test_a_network_without_feature_maps_has_no_convolutions() -> None:
    assert Inside(build_model("dense", SHAPE, 4)).convolutions() == []


def test_a_network_of_others_whose_softmax_is_in_its_last_layer() -> None:
    model = keras.Sequential([
        keras.layers.Input(SHAPE), keras.layers.Conv2D(5, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4, activation="softmax")])
    seen = Inside(model).look(images())
    assert np.allclose(softmax(seen.logits.numpy(), axis=1), model(images()).numpy(), atol=1e-5)
    assert seen.features.shape == (3, 5)


def test_a_network_that_ends_otherwise_is_refused_in_words() -> None:
    model = keras.Sequential([keras.layers.Input(SHAPE), keras.layers.Conv2D(4, 3),
                              keras.layers.GlobalAveragePooling2D(), keras.layers.Softmax()])
    with pytest.raises(BadInput, match="dense layer"):
        Inside(model)
