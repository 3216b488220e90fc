"""Heat maps against what a hand computes: closed forms, weights and finite differences."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnn.errors import BadInput
from cnn.models.build import build_model
from cnn.models.inside import Inside
from cnn.prediction.heat import feature_maps, grad_cam, map_layer, saliency

SHAPE = (6, 5, 3)


def picture(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def after_pooling() -> keras.Model:
    """A convolution, the mean over all places, and a dense layer: its CAM is known."""
    keras.utils.set_random_seed(1)
    image = keras.Input(SHAPE)
    maps = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv_1")(image)
    values = keras.layers.GlobalAveragePooling2D()(maps)
    return keras.Model(image, keras.layers.Dense(3, activation="softmax", name="logits")(values))


def test_grad_cam_is_the_class_activation_map_where_that_is_defined() -> None:
    model = after_pooling()
    inside = Inside(model)
    maps = feature_maps(inside, picture(), "conv_1")
    weights = np.array(model.get_layer("logits").kernel)
    found = grad_cam(inside, picture(), [0, 1, 2], "conv_1")
    for number, heat in enumerate(found):
        # The gradient of a mean is one over the number of places.
        expected = np.maximum(maps @ weights[:, number], 0) / (SHAPE[0] * SHAPE[1])
        assert heat == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert any(heat.any() for heat in found)


def test_grad_cam_of_a_whole_classifier_agrees_with_finite_differences() -> None:
    model = build_model("base", (16, 16, 3), 4, seed=3)
    inside, image, layer = Inside(model), picture(2, (16, 16, 3)), "conv_2"
    maps = feature_maps(inside, image, layer)
    names = list(inside.shapes)
    rest = [model.get_layer(name) for name in [*names[names.index(layer) + 1:], "logits"]]

    def logits_with(factor: float) -> np.ndarray:
        """Return the logit of class 1 with one place after the other times a factor."""
        places = maps.shape[0] * maps.shape[1]
        values = np.repeat(maps[None], places, axis=0).reshape(places, places, -1)
        values[np.arange(places), np.arange(places)] *= factor
        values = values.reshape(places, *maps.shape)
        for one in rest:
            values = one(values)
        return np.asarray(values)[:, 1].reshape(maps.shape[:2])

    slope = (logits_with(1.001) - logits_with(0.999)) / 0.002
    found = grad_cam(inside, image, [1], layer)[0]
    assert found == pytest.approx(np.maximum(slope, 0), abs=0.03 * float(found.max()))
    assert found.any()


@pytest.mark.parametrize("randomised", ["conv_1", "conv_2", "dense_1", "logits"])
def test_grad_cam_changes_with_the_weights_of_any_layer(randomised: str) -> None:
    """A map that stayed would show the picture and not what the network makes of it."""
    model, image = build_model("base", (16, 16, 3), 4, seed=3), picture(2, (16, 16, 3))
    before = grad_cam(Inside(model), image, [1], "conv_2")[0]
    kernel = model.get_layer(randomised).kernel
    kernel.assign(np.random.default_rng(5).normal(0, np.std(kernel), kernel.shape))
    after = grad_cam(Inside(model), image, [1], "conv_2")[0]
    assert before.any() and after.any()
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] < 0.8


def test_saliency_of_a_linear_network_is_its_weights() -> None:
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.layers.Input(SHAPE), keras.layers.Flatten(),
                              keras.layers.Dense(3, activation="softmax", name="logits")])
    weights = np.array(model.get_layer("logits").kernel)[:, 2].reshape(SHAPE)
    assert saliency(Inside(model), picture(), 2) == pytest.approx(np.abs(weights).max(-1), rel=1e-4)


def test_the_same_picture_gives_the_same_saliency() -> None:
    inside = Inside(after_pooling())
    first, second = (saliency(inside, picture(), 0) for _ in range(2))
    assert np.array_equal(first, second) and first.shape == SHAPE[:2]
    assert not np.array_equal(first, saliency(inside, picture(5), 0))


@pytest.mark.parametrize("shapes, expected", [
    ({"a": (32, 32, 8), "b": (7, 7, 8), "c": (3, 3, 8)}, "b"),
    ({"a": (8, 8, 8), "b": (4, 4, 8), "c": (4, 4, 9), "d": (2, 2, 9)}, "c"),
    ({"a": (3, 3, 8), "b": (2, 2, 8), "c": (1, 1, 8)}, "a"),
    ({"a": (4, 20, 8), "b": (2, 10, 8)}, "a"),
])
def test_the_deepest_layer_that_is_fine_enough_is_taken(shapes, expected: str) -> None:
    assert map_layer(shapes) == expected


def test_a_network_without_feature_maps_says_what_else_there_is() -> None:
    with pytest.raises(BadInput, match="no feature maps") as caught:
        map_layer(Inside(build_model("dense", (8, 8, 1), 4)).maps())
    assert "saliency" in caught.value.hint


def test_tf_nn_has_heat_maps_as_well() -> None:
    inside = Inside(build_model("tf-nn", (16, 16, 3), 4))
    image = picture(1, (16, 16, 3))
    layer = map_layer(inside.maps())
    heats = grad_cam(inside, image, [0, 1], layer)
    assert {heat.shape for heat in heats} == {tuple(inside.shapes[layer][:2])}
    assert saliency(inside, image, 1).any()
