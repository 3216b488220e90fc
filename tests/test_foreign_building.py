"""Networks made anew: they answer as the Keras models from whose files they were made."""

import inspect
import json

import keras
import numpy as np
import pytest
from foreign_files import write_keras

from cnn.errors import BadInput
from cnn.models.foreign.building import build_foreign
from cnn.models.foreign.layers import INACTIVE, LAYERS, settings_of
from cnn.models.foreign.looking import look_into
from cnn.models.foreign.plan import Plan, Step, plan_of
from cnn.models.inside import Inside
from cnn.prediction.rebuilding import check_answers

L = keras.layers
SCALES = {"0-255": (1, 0), "0-1": (1 / 255, 0), "minus1-1": (1 / 127.5, -1)}


def simple():
    """Layers in a row, with augmentation and dropout, that end with logits."""
    return keras.Sequential([
        L.Input((12, 10, 1)), L.RandomFlip(), L.RandomRotation(0.2), L.Conv2D(4, 3, strides=2),
        L.BatchNormalization(), L.LeakyReLU(0.1), L.Dropout(0.5), L.ZeroPadding2D(1),
        L.Conv2DTranspose(3, 2, strides=2, activation="elu"), L.PReLU(shared_axes=[1, 2]),
        L.LayerNormalization(), L.GroupNormalization(3), L.MaxPooling2D(), L.Flatten(),
        L.Dense(3)])


def mobile():
    """A trained body inside another network, as in tutorials of transfer learning."""
    entry = L.Input((16, 16, 3))
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(entry)
    x = L.ReLU(6.0)(L.BatchNormalization()(x))
    y = L.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    y = L.SeparableConv2D(8, 3, padding="same")(L.ReLU(6.0)(L.BatchNormalization()(y)))
    body = keras.Model(entry, L.Add()([x, y]), name="body")
    picture = L.Input((16, 16, 3))
    x = keras.ops.relu(body(L.RandomZoom(0.1)(picture) / 127.5 - 1.0, training=False))
    x = L.Dropout(0.2)(L.GlobalAveragePooling2D()(x * 2.0))
    return keras.Model(picture, L.Dense(4, activation="softmax")(x))


def shared():
    """One layer used twice, and one network too."""
    picture, layer = L.Input((8, 8, 3)), L.Conv2D(3, 3, padding="same", activation="swish")
    body = keras.Sequential([L.Input((8, 8, 3)), L.Conv2D(2, 3), L.BatchNormalization()])
    x = L.Concatenate()([body(layer(layer(picture))), body(picture)])
    return keras.Model(picture, L.Dense(3, activation="softmax")(L.Flatten()(x)))


def yes_or_no():
    return keras.Sequential([L.Input((8, 8, 1)), L.Flatten(), L.Dense(1, activation="sigmoid")])


def without_input():
    model = keras.Sequential([L.Conv2D(2, 3), L.GlobalMaxPooling2D(), L.Dense(2), L.Softmax()])
    model.build((None, 9, 9, 3))
    return model


def scaled():
    normal = L.Normalization(axis=-1)
    normal.adapt(np.random.default_rng(0).normal(100, 40, (50, 8, 8, 3)).astype(np.float32))
    return keras.Sequential([L.Input((8, 8, 3)), normal, L.Flatten(),
                             L.Dense(3, activation="softmax")])


def given_weights(model):
    """Replace all weights by random ones, so that none is what it would be by itself."""
    random = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            given_weights(layer)
        elif not isinstance(layer, L.Normalization):
            for weight in layer.weights:
                if weight.dtype == "float32":
                    weight.assign(random.uniform(0.1, 0.5, weight.shape)
                                  if "variance" in weight.path
                                  else random.normal(0, 0.3, weight.shape))
    return model


def rebuilt(model, tmp_path, pixels):
    path = tmp_path / "model.keras"
    model.save(path)
    return build_foreign(*look_into(path, tmp_path), pixels)


def expected(model, images):
    answers = np.asarray(model(images, training=False), np.float64)
    if answers.shape[1] == 1:
        return np.hstack([1 - answers, answers])
    if model.layers[-1].name.startswith("dense") and \
            model.layers[-1].activation.__name__ == "linear":
        answers = np.exp(answers - answers.max(axis=1, keepdims=True))
    return answers / answers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("make", "pixels"), [
    (simple, "0-1"), (mobile, "0-255"), (shared, "minus1-1"), (yes_or_no, "minus1-1"),
    (without_input, "0-1"), (scaled, "0-255")])
def test_the_answers_are_those_of_the_original(make, pixels, tmp_path):
    model = given_weights(make())
    network = rebuilt(model, tmp_path, pixels)
    images = np.random.default_rng(2).uniform(0, 255, (3, *network.input_shape[1:]))
    scale, offset = SCALES[pixels]
    answers = np.asarray(network(images.astype(np.float32), training=False))
    assert answers == pytest.approx(expected(model, (images * scale + offset).astype(np.float32)),
                                    abs=1e-5)
    assert np.ptp(answers) > 0.01
    kinds = {type(layer).__name__ for layer in network.layers}
    assert not kinds & {*INACTIVE, "Functional", "Sequential"}
    assert Inside(network).maps() or make in (yes_or_no, scaled)


NEEDED = {  # by constructors; the others have defaults for all
    "Conv2D": {"filters": 2, "kernel_size": 3}, "Conv2DTranspose": {"filters": 2, "kernel_size": 3},
    "SeparableConv2D": {"filters": 2, "kernel_size": 3},
    "MaxPooling2D": {"pool_size": 2}, "AveragePooling2D": {"pool_size": 2},
    "Resizing": {"height": 8, "width": 8}, "CenterCrop": {"height": 8, "width": 8},
    "DepthwiseConv2D": {"kernel_size": 3}, "Dense": {"units": 2},
    "GroupNormalization": {"groups": 2}, "Activation": {"activation": "relu"},
    "Reshape": {"target_shape": (4,)}, "Rescaling": {"scale": 0.5}}


def config_of(layer):
    return json.loads(json.dumps(keras.saving.serialize_keras_object(layer)["config"]))


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_keras_and_the_list_of_settings_know_the_same(kind):
    made = getattr(keras.layers, kind)(**NEEDED.get(kind, {}))
    settings = settings_of(kind, "x", config_of(made))
    again = getattr(keras.layers, kind)(**settings)
    assert settings_of(kind, "x", config_of(again)) == settings


@pytest.mark.parametrize("kind", sorted(INACTIVE))
def test_what_is_passed_over_changes_nothing_while_a_network_answers(kind):
    taken = inspect.signature(getattr(keras.layers, kind)).parameters
    needed = {name: value for name, value in (("rate", 0.1), ("stddev", 0.1), ("factor", 1.0))
              if name in taken}
    if kind == "RandomTranslation":
        needed = {"height_factor": 0.1, "width_factor": 0.1}
    if kind == "RandomZoom":
        needed = {"height_factor": 0.1}
    images = np.random.default_rng(3).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
    answers = getattr(keras.layers, kind)(**needed)(images, training=False)
    assert np.allclose(answers, images)


def test_parts_that_do_not_fit_are_told_in_words(tmp_path):
    found, arrays = look_into(write_keras(tmp_path / "x.keras"), tmp_path)
    with pytest.raises(BadInput, match=r"weights of the layer dense \(Dense\) do not fit it"):
        build_foreign(found, {"dense": arrays["dense"][:1]}, "0-1")
    odd = Plan((8, 8, 3), (Step("pool", "MaxPooling2D", {"pool_size": 9}, (0,), ""),), 1)
    with pytest.raises(BadInput, match=r"The layer pool \(MaxPooling2D\) does not fit"):
        build_foreign(odd, {}, "0-1")
    flat = Plan((8, 8, 3), (Step("relu", "Activation", {"activation": "softmax"}, (0,), ""),), 1)
    with pytest.raises(BadInput, match=r"values of the shape \(8, 8, 3\)"):
        build_foreign(flat, {}, "0-1")


def test_a_network_is_saved_without_anything_of_the_file(tmp_path):
    network = rebuilt(given_weights(simple()), tmp_path, "0-1")
    again = keras.models.load_model(_saved(network, tmp_path), compile=False)
    assert plan_of(json.loads(again.to_json())).steps  # allowed by its own rules


def _saved(network, tmp_path):
    path = tmp_path / "clean.keras"
    network.save(path)
    return path


def answering(values):
    """A network that answers with the same values whatever it sees."""
    picture = keras.Input((8, 8, 1))
    layer = L.Dense(len(values), kernel_initializer="zeros")
    network = keras.Model(picture, layer(L.Flatten()(picture)))
    layer.bias.assign(values)
    return network


@pytest.mark.parametrize(("values", "words"), [
    ([np.nan, 0.5], "no numbers"), ([2.0, -1.0], "add up to 1"), ([0.5, 0.6], "add up to 1")])
def test_answers_that_are_no_probabilities_are_refused(values, words):
    with pytest.raises(BadInput, match=words):
        check_answers(answering(values))
    check_answers(answering([0.25, 0.75]))


def test_a_network_that_fails_when_it_is_tried_is_refused(monkeypatch):
    def fail(network, pictures):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("cnn.prediction.predictor.predict_arrays", fail)
    with pytest.raises(BadInput, match=r"failed on 32 pictures \(RuntimeError\)"):
        check_answers(answering([0.25, 0.75]))
