"""Descriptions of layers count shapes, weights and work as written out by hand here."""

from __future__ import annotations

import pytest

from cnn.errors import BadInput
from cnn.models.specs import (
    Activation,
    AveragePool,
    Dropout,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    LayerSpec,
    MaxPool,
    Rescaling,
    Scale,
    Shape,
    Skip,
    named_layers,
)
from cnn.models.weighted import BatchNorm, Conv, Dense, Whitening


@pytest.mark.parametrize(("layer", "given", "result"), [
    (Rescaling(), (28, 28, 1), (28, 28, 1)),
    (Conv(6, 5), (28, 30, 3), (28, 30, 6)),
    (Conv(6, 5, padding="valid"), (28, 30, 3), (24, 26, 6)),
    (Conv(6, 5, padding="valid"), (5, 5, 3), (1, 1, 6)),
    (Conv(6, 3, stride=2), (7, 8, 3), (4, 4, 6)),
    (Conv(6, 3, stride=2, padding="valid"), (7, 8, 3), (3, 3, 6)),
    (MaxPool(3, 2), (7, 8, 3), (3, 3, 3)),
    (MaxPool(3, 2, "same"), (7, 8, 3), (4, 4, 3)),
    (MaxPool(padding="same"), (1, 3, 3), (1, 2, 3)),
    (GlobalAveragePool(), (7, 4, 64), (64,)),
    (MaxPool(), (7, 4, 3), (3, 2, 3)),
    (MaxPool(3), (7, 4, 3), (2, 1, 3)),
    (AveragePool(), (2, 2, 8), (1, 1, 8)),
    (BatchNorm(), (4, 4, 8), (4, 4, 8)),
    (Activation("relu"), (9,), (9,)),
    (Dropout(0.5), (9,), (9,)),
    (Flatten(), (3, 4, 5), (60,)),
    (Dense(7), (60,), (7,)),
    (Whitening(2, 24), (32, 30, 3), (31, 29, 24)),
    (GlobalMaxPool(), (7, 4, 64), (64,)),
    (Scale(0.5), (64,), (64,)),
    (Skip(6), (4, 4, 8), (4, 4, 8)),
])
def test_output_shape(layer: LayerSpec, given: Shape, result: Shape) -> None:
    assert layer.output_shape(given) == result


@pytest.mark.parametrize(("layer", "given", "total", "trainable"), [
    (Conv(32, 3), (8, 8, 3), 3 * 3 * 3 * 32 + 32, 3 * 3 * 3 * 32 + 32),
    (Dense(10), (84,), 850, 850),
    (BatchNorm(), (4, 4, 8), 32, 16),
    (Conv(32, 3, bias=False), (8, 8, 3), 3 * 3 * 3 * 32, 3 * 3 * 3 * 32),
    (Dense(10, bias=False), (84,), 840, 840),
    (BatchNorm(scale=False), (4, 4, 8), 24, 8),
    (Whitening(2, 24), (32, 32, 3), 2 * 2 * 3 * 24 + 24, 0),
    (Skip(2), (4, 4, 8), 0, 0),
    (MaxPool(), (4, 4, 8), 0, 0),
    (Dropout(0.1), (4,), 0, 0),
])
def test_parameters_and_those_that_gradients_change(
        layer: LayerSpec, given: Shape, total: int, trainable: int) -> None:
    assert (layer.parameters(given), layer.trainable_parameters(given)) == (total, trainable)


@pytest.mark.parametrize(("layer", "given", "result"), [
    (Conv(32, 3), (8, 10, 3), 8 * 10 * 32 * 27),
    (Conv(16, 5, padding="valid"), (14, 14, 6), 10 * 10 * 16 * 150),
    (Conv(16, 3, stride=2), (14, 15, 6), 7 * 8 * 16 * 54),
    (Dense(10), (84,), 840),
    (BatchNorm(), (4, 4, 8), 0),
    (Whitening(2, 24), (32, 32, 3), 31 * 31 * 24 * 12),
    (Skip(2), (4, 4, 8), 0),
])
def test_multiply_adds_of_one_image(layer: LayerSpec, given: Shape, result: int) -> None:
    assert layer.multiply_adds(given) == result


@pytest.mark.parametrize(("layer", "given"), [
    (Conv(6, 5, padding="valid"), (4, 9, 1)),
    (Conv(6, 5, padding="valid"), (9, 4, 1)),
    (MaxPool(), (1, 2, 1)),
    (AveragePool(3), (3, 2, 1)),
    (Whitening(2, 4), (1, 9, 1)),
])
def test_a_vanishing_feature_map_is_refused_naming_layer_and_shape(
        layer: LayerSpec, given: Shape) -> None:
    with pytest.raises(BadInput) as caught:
        layer.output_shape(given)
    assert layer.label in caught.value.message
    assert f"{given[0]}×{given[1]}" in caught.value.message


@pytest.mark.parametrize(("layer", "given"), [
    (Conv(6, 5), (60,)), (MaxPool(), (60,)), (GlobalAveragePool(), (60,)), (Whitening(2, 4), (60,)),
    (Dense(10), (4, 4, 8)),
])
def test_a_layer_in_the_wrong_place_is_refused_with_what_it_needs(
        layer: LayerSpec, given: Shape) -> None:
    needs = "needs one row of values" if len(given) == 3 else "needs a feature map"
    with pytest.raises(BadInput, match=needs) as caught:
        layer.output_shape(given)
    assert layer.label in caught.value.message


@pytest.mark.parametrize(("layer", "label"), [
    (Conv(64, 3, "relu"), "Conv 3×3, 64, ReLU"),
    (Conv(64, 3, l2=1e-4), "Conv 3×3, 64, L2 0.0001"),
    (Conv(16, 5, "relu", padding="valid"), "Conv 5×5, 16, ReLU, no padding"),
    (Conv(64, 3, "tanh", stride=2), "Conv 3×3, 64, stride 2, Tanh"),
    (MaxPool(3, 2, "same"), "Max pool 3×3, stride 2, padded"),
    (GlobalAveragePool(), "Global average pool"),
    (Skip(1), "Add what came out 1 row above"),
    (MaxPool(), "Max pool 2×2"),
    (AveragePool(), "Average pool 2×2"),
    (Dropout(0.25), "Dropout 0.25"),
    (Dense(10), "Dense, 10"),
    (Activation("softmax"), "Softmax"),
    (Activation("silu"), "SiLU"),
    (Whitening(2, 24), "Whitening 2×2, 24, not trained"),
    (GlobalMaxPool(), "Global max pool"),
    (Scale(1 / 256), "Times 0.003906"),
    (Skip(6), "Add what came out 6 rows above"),
])
def test_labels_say_what_the_layer_is(layer: LayerSpec, label: str) -> None:
    assert layer.label == label


def test_names_count_each_kind_by_itself_and_both_poolings_together() -> None:
    layers = (Conv(1, 1), MaxPool(), Conv(1, 1), AveragePool(), BatchNorm(), Flatten(), Dense(1))
    names = [name for name, _ in named_layers(layers)]
    assert names == ["conv_1", "pool_1", "conv_2", "pool_2", "norm_1", "flatten_1", "dense_1"]
