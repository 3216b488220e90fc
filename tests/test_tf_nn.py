"""The network written by hand computes, learns and is saved as one of Keras layers would be."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from cnn.models.build import build_model, logits_model, make_layer
from cnn.models.registry import get_architecture
from cnn.models.specs import Dropout, Flatten, MaxPool
from cnn.models.summary import summarise
from cnn.models.tf_nn import TfNetwork, layers_from_config, layers_to_config
from cnn.models.weighted import BatchNorm, Conv, Dense

Images = NDArray[np.float32]
SHAPE = (12, 10, 3)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build_model("tf-nn", SHAPE, 5, seed=3)


@pytest.fixture
def images() -> Images:
    return np.random.default_rng(0).integers(0, 256, (6, *SHAPE)).astype("float32")


def test_the_hand_written_network_equals_keras_layers_with_the_same_weights(
        model: keras.Model, images: Images) -> None:
    inputs = values = keras.Input(SHAPE)
    for name, layer in get_architecture("tf-nn").layers(SHAPE, 5):
        values = make_layer(layer, name, "float32", 0)(values)
    twin = keras.Model(inputs, values)
    twin.set_weights(model.get_weights())
    assert np.asarray(twin(images)) == pytest.approx(np.asarray(model(images)), abs=1e-6)


def test_every_weight_of_the_table_is_in_the_network_under_its_row_s_name(
        model: keras.Model) -> None:
    rows = {row.name: row.parameters for row in summarise("tf-nn", SHAPE, 5).rows}
    found = dict.fromkeys(rows, 0)
    for weight in model.get_layer("logits").weights:
        found[weight.name.rpartition("_")[0]] += int(np.prod(weight.shape))
    assert found == rows


def test_the_model_is_functional_with_the_names_the_others_have(
        model: keras.Model, images: Images) -> None:
    assert [layer.name for layer in model.layers] == [
        "image", "rescaling", "logits", "probabilities"]
    assert isinstance(model.get_layer("logits"), TfNetwork)
    assert logits_model(model)(images).shape == (6, 5)


def test_dropout_changes_answers_in_training_only_and_keeps_the_mean() -> None:
    network = TfNetwork(layers_to_config((("dropout_1", Dropout(0.5)),)), seed=1)
    ones = np.ones((1, 10_000), "float32")
    dropped = np.asarray(network(ones, training=True))
    assert set(np.unique(dropped)) == {0, 2}
    assert dropped.mean() == pytest.approx(1, abs=0.05)
    assert np.array_equal(network(ones, training=False), ones)


def test_it_learns_where_the_bright_bar_is() -> None:
    labels = np.arange(30) % 5
    images = np.random.default_rng(0).uniform(0, 60, (30, *SHAPE)).astype("float32")
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * label:2 * label + 2] += 190
    model = build_model("tf-nn", SHAPE, 5, seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"],
                  jit_compile=False)
    before, _ = model.evaluate(images, labels, verbose=0)
    model.fit(images, labels, epochs=30, batch_size=30, verbose=0)
    after, accuracy = model.evaluate(images, labels, verbose=0)
    assert accuracy == 1
    assert after < 0.1 * before


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_saved_network_comes_back_whole(precision: str, images: Images, tmp_path: Path) -> None:
    model = build_model("tf-nn", SHAPE, 5, seed=3, precision=precision)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded(images), model(images))
    assert loaded.get_layer("logits").dtype_policy.name == model.get_layer(
        "logits").dtype_policy.name


def test_a_saved_network_stays_as_it_was_when_the_architecture_changes(
        model: keras.Model, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    model.save(tmp_path / "model.keras")
    monkeypatch.setattr("cnn.models.registry._ARCHITECTURES", {})
    assert np.array_equal(keras.models.load_model(tmp_path / "model.keras")(images), model(images))


def test_layer_descriptions_survive_the_way_through_json() -> None:
    layers = (("conv_1", Conv(4, 3, "relu", "valid", 1e-4)), ("pool_1", MaxPool(3)),
              ("flatten_1", Flatten()), ("dropout_1", Dropout(0.2)), ("logits", Dense(3)))
    assert layers_from_config(layers_to_config(layers)) == layers


def test_decay_of_a_kernel_counts_in_the_loss() -> None:
    layers = (("conv_1", Conv(4, 3, l2=0.5)),)
    network = TfNetwork(layers_to_config(layers))
    network(np.zeros((1, 4, 4, 2), "float32"))
    kernel = np.asarray(network.weights[0])
    assert float(network.losses[0]) == pytest.approx(0.5 * (kernel**2).sum(), rel=1e-5)


def test_a_layer_it_cannot_execute_is_refused() -> None:
    with pytest.raises(ValueError, match="BatchNorm"):
        TfNetwork(layers_to_config((("norm_1", BatchNorm()),)))
