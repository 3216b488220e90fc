"""Blocks count what their branches count, and compute what the papers say."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnn.errors import BadInput
from cnn.models.blocks import Block, Inception, Join, Residual, unfold
from cnn.models.build import build_model
from cnn.models.specs import Flatten, GlobalAveragePool, MaxPool, Rescaling, Skip, named_layers
from cnn.models.weighted import Conv, Dense, Whitening

INCEPTION = Inception(32, 48, 64, 8, 16, 12)
NORM = 4  # weights of a normalisation for each channel


@pytest.mark.parametrize(("block", "given", "result"), [
    (Residual(16), (8, 8, 16), (8, 8, 16)),
    (Residual(32, 2), (9, 8, 16), (5, 4, 32)),
    (Residual(24), (1, 1, 3), (1, 1, 24)),
    (INCEPTION, (7, 8, 20), (7, 8, 32 + 64 + 16 + 12)),
])
def test_output_shape_of_a_block(block: Block, given, result) -> None:
    assert block.output_shape(given) == result


def test_a_residual_block_without_change_of_shape_has_two_convolutions_and_no_other_way() -> None:
    block, shape = Residual(16), (8, 8, 16)
    kernels = 2 * 9 * 16 * 16
    assert block.parameters(shape) == kernels + 2 * NORM * 16
    assert block.trainable_parameters(shape) == kernels + 2 * 2 * 16
    assert block.multiply_adds(shape) == 8 * 8 * kernels


def test_a_residual_block_that_changes_the_shape_has_a_convolution_on_the_way_past() -> None:
    block, shape = Residual(32, 2), (8, 8, 16)
    kernels = 9 * 16 * 32 + 9 * 32 * 32 + 16 * 32
    assert block.parameters(shape) == kernels + 3 * NORM * 32
    assert block.multiply_adds(shape) == 4 * 4 * kernels


def test_an_inception_block_counts_its_six_convolutions() -> None:
    kernels = 20 * (32 + 48 + 8 + 12) + 9 * 48 * 64 + 25 * 8 * 16
    assert INCEPTION.multiply_adds((7, 8, 20)) == 7 * 8 * kernels
    assert INCEPTION.parameters((7, 8, 20)) == kernels + NORM * (32 + 48 + 64 + 8 + 16 + 12)


@pytest.mark.parametrize("block", [Residual(8), INCEPTION])
def test_a_block_after_flatten_is_refused(block: Block) -> None:
    with pytest.raises(BadInput, match="needs a feature map"):
        block.output_shape((60,))


def test_what_is_added_must_have_one_shape_and_what_is_put_together_one_size() -> None:
    assert Join("concatenate").joined_shape([(4, 4, 2), (4, 4, 3)]) == (4, 4, 5)
    for how, other in (("add", (4, 4, 3)), ("concatenate", (2, 2, 2))):
        with pytest.raises(BadInput, match="4×4×2 and"):
            Join(how).joined_shape([(4, 4, 2), other])


@pytest.mark.parametrize(("layers", "message"), [
    ((Conv(8, 3), MaxPool(), Skip(2)), "4×4×8 and 8×8×8"),
    ((Conv(8, 3), Skip(9)), "above the first row"),
    ((Rescaling(), Conv(8, 3), Whitening(2, 8)), "only be the first layer"),
    ((Conv(8, 3), Dense(4)), "put Flatten"),
    ((Flatten(), Residual(4)), "needs a feature map"),
])
def test_a_layer_that_does_not_fit_is_refused_after_those_that_do(layers, message) -> None:
    walk = unfold(named_layers(layers), (8, 8, 1))
    for _ in layers[:-1]:
        next(walk)
    with pytest.raises(BadInput, match=message):
        next(walk)


def test_steps_of_a_block_lead_from_its_input_to_its_own_name() -> None:
    _, (_, _, steps) = unfold(named_layers((Conv(4, 3), Residual(8, 2))), (8, 8, 1))
    assert steps[-1].name == "residual_1"
    assert steps[-2].inputs == ("residual_1_a_norm_2", "residual_1_b_norm_1")
    assert [step.name for step in steps if step.inputs == ("conv_1",)] == [
        "residual_1_a_conv_1", "residual_1_b_conv_1"]
    *_, (_, _, same) = unfold(named_layers((Conv(4, 3), Residual(4))), (8, 8, 1))
    assert same[-2].inputs == ("residual_1_a_norm_2", "conv_1")


def test_a_block_of_a_model_computes_the_sum_of_its_ways() -> None:
    model = build_model("resnet", (8, 8, 1), 3, seed=1)
    names = ["residual_4_a_norm_2", "residual_4_b_norm_1", "residual_4", "residual_3"]
    probe = keras.Model(model.input, [model.get_layer(name).output for name in names])
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1)).astype("float32")
    way, past, out, given = (np.asarray(values) for values in probe(images))
    np.testing.assert_allclose(out, np.maximum(way + past, 0), atol=1e-5)
    assert given.shape == (2, 8, 8, 16)
    assert out.shape == (2, 4, 4, 32)


def test_global_average_pooling_is_the_mean_of_each_channel() -> None:
    assert GlobalAveragePool().label == "Global average pool"
    model = build_model("resnet", (8, 8, 1), 3)
    probe = keras.Model(model.input, [model.get_layer(name).output
                                      for name in ("residual_9", "global_pool_1")])
    values, pooled = (np.asarray(x) for x in probe(np.full((1, 8, 8, 1), 100.0)))
    np.testing.assert_allclose(pooled, values.mean((1, 2)), atol=1e-5)
