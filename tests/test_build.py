"""Models agree with their tables, repeat with their seed, and can be saved for anybody."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from cnn.errors import BadInput, NotFound
from cnn.models.blocks import unfold
from cnn.models.build import build_model, divide_logits, float32_copy, logits_model
from cnn.models.layers import FusedBatchNormalization, QuickSilu
from cnn.models.packing import PackedNetwork
from cnn.models.registry import architecture_names, get_architecture
from cnn.models.summary import summarise
from cnn.models.whitening import fit_whitening

ImageShape = tuple[int, int, int]
SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (50, 50, 1)]
CLASSICS = ["alexnet", "zfnet", "vgg", "googlenet", "resnet"]
SPEEDRUNS = ["speedrun", "speedrun-small", "speedrun-deep", "speedrun-wide"]
STANDARD = [name for name in architecture_names() if get_architecture(name).engine == "keras"]


@cache
def built(name: str, shape: ImageShape) -> keras.Model:
    return build_model(name, shape, 7)


def pictures(shape: ImageShape, count: int = 4, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype("float32")


def differences(one: list[Any], other: list[Any]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def fits(name: str, shape: ImageShape) -> bool:
    try:
        summarise(name, shape, 7)
    except BadInput:
        return False
    return True


CASES = [(name, shape) for name in architecture_names() for shape in SHAPES if fits(name, shape)
         # Hundreds of layers take a second each to build: once small and once large is enough.
         and (name not in CLASSICS or shape in ((8, 8, 1), (32, 32, 3)))]


def test_only_networks_too_deep_for_8x8_are_left_out_of_the_comparison() -> None:
    left_out = {(name, shape) for name in architecture_names() for shape in SHAPES
                if name not in CLASSICS} - set(CASES)
    assert left_out == {(name, (8, 8, 1)) for name in ("lenet", *SPEEDRUNS)}


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_table_and_model_agree_on_parameters(name: str, shape: ImageShape) -> None:
    model, summary = built(name, shape), summarise(name, shape, 7)
    assert summary.parameters == model.count_params()
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert summary.trainable_parameters == trained
    assert model.input_shape == (None, *shape)


@pytest.mark.parametrize(("name", "shape"), [case for case in CASES if case[0] in STANDARD])
def test_table_and_model_agree_on_every_layer(name: str, shape: ImageShape) -> None:
    model, rows = built(name, shape), summarise(name, shape, 7).rows
    walked = list(unfold(get_architecture(name).layers(shape, 7), shape))
    assert [row.name for row in rows] == [name for name, _, _ in walked]
    assert sorted(layer.name for layer in model.layers) == sorted(
        ["image", *(step.name for _, _, steps in walked for step in steps)])
    for row, (_, _, steps) in zip(rows, walked, strict=True):
        layers = [model.get_layer(step.name) for step in steps]
        assert model.get_layer(row.name).output.shape == (None, *row.output_shape)
        assert [layer.output.shape[1:] for layer in layers] == [x.output_shape for x in steps]
        assert row.parameters == sum(layer.count_params() for layer in layers)
        assert row.values == sum(int(np.prod(layer.output.shape[1:])) for layer in layers)


@pytest.mark.parametrize(("name", "precision"), [
    (name, precision) for name in architecture_names() for precision in ("float32", "bfloat16")
    if name != "googlenet" or precision == "bfloat16"])  # the longest to build
def test_probabilities_are_float32_add_up_to_one_and_accept_raw_pixels(
        name: str, precision: str) -> None:
    model = build_model(name, (16, 16, 3), 7, precision=precision)
    output = np.asarray(model(pictures((16, 16, 3))))
    assert output.shape == (4, 7)
    assert output.dtype == np.float32
    assert output.sum(1) == pytest.approx(1, abs=1e-5)
    assert all(weight.dtype == "float32" for weight in model.weights)


def test_pixels_are_scaled_inside_the_model() -> None:
    model = built("base", (28, 28, 1))
    scaled = keras.Model(model.input, model.get_layer("rescaling").output)
    assert float(np.max(scaled(np.full((1, 28, 28, 1), 255, "uint8")))) == pytest.approx(1)


@pytest.mark.parametrize("name", ["dropout", "vgg-bn", "tf-nn"])
def test_the_same_seed_gives_the_same_weights_and_dropout_another_seed_does_not(name: str) -> None:
    one, same, other = (build_model(name, (8, 8, 1), 3, seed=seed) for seed in (5, 5, 6))
    assert differences(one.get_weights(), same.get_weights()) == 0
    assert differences(one.get_weights(), other.get_weights()) > 0.01
    images = pictures((8, 8, 1))
    first, second = one(images, training=True), same(images, training=True)
    assert np.array_equal(first, second)
    assert not np.array_equal(one(images, training=True), first)  # dropout goes on


def test_layers_of_one_model_do_not_share_their_initial_values() -> None:
    model = build_model("vgg-bn", (8, 8, 3), 3)
    one, other = (np.asarray(model.get_layer(name).kernel) for name in ("conv_4", "conv_6"))
    assert not np.allclose(one[:, :, :, 0].ravel()[:50], other[:, :, :, 0].ravel()[:50])


def test_only_vgg_bn_decays_its_kernels() -> None:
    decayed = {name: len(built(name, (32, 32, 3)).losses) for name in architecture_names()}
    assert {name for name, count in decayed.items() if count} == {"vgg-bn"}
    assert decayed["vgg-bn"] == 7  # six convolutions and the dense layer


@pytest.mark.parametrize("name", ["deeper", "tf-nn"])
def test_softmax_of_the_logits_model_equals_the_model(name: str) -> None:
    model, images = built(name, (28, 28, 1)), pictures((28, 28, 1))
    logits = np.asarray(logits_model(model)(images))
    assert logits.min() < 0
    assert np.asarray(keras.ops.softmax(logits)) == pytest.approx(np.asarray(model(images)),
                                                                  abs=1e-6)


@pytest.mark.parametrize(("shape", "message"), [
    ((1, 1, 1), "layer pool_1"), ((0, 8, 1), "three whole numbers")])
def test_what_does_not_fit_is_refused_before_keras_sees_it(
        shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        build_model("base", shape, 10)
    with pytest.raises(NotFound):
        build_model("unknown", (8, 8, 1), 10)


def test_one_pixel_is_enough_for_dense() -> None:
    assert build_model("dense", (1, 1, 1), 2)(np.ones((3, 1, 1, 1))).shape == (3, 2)


# The speedruns


@pytest.mark.parametrize("name", SPEEDRUNS)
@pytest.mark.parametrize(("shape", "classes"), [
    ((32, 32, 3), 2), ((32, 32, 3), 101), ((28, 28, 1), 10), ((50, 50, 1), 101), ((64, 64, 3), 10)])
def test_the_parameters_of_a_speedrun_are_those_that_keras_counts(
        name: str, shape: ImageShape, classes: int) -> None:
    model, summary = build_model(name, shape, classes), summarise(name, shape, classes)
    assert summary.parameters == model.count_params()
    assert summary.trainable_parameters == sum(
        int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize("name", SPEEDRUNS)
def test_images_too_small_for_a_speedrun_are_refused_with_the_layer(name: str) -> None:
    with pytest.raises(BadInput, match="layer pool_3") as caught:
        build_model(name, (8, 8, 1), 10)
    assert "at least 9×9" in caught.value.hint
    assert build_model(name, (9, 9, 1), 10).count_params()


@pytest.mark.parametrize("name", SPEEDRUNS)
def test_their_convolutions_begin_by_passing_their_input_on(name: str) -> None:
    model = built(name, (32, 32, 3))
    layers = [layer for layer in model.layers if layer.name.startswith("conv")]
    assert len(layers) == (9 if name in {"speedrun-deep", "speedrun-wide"} else 6)
    probe = keras.Model(model.input, [end for x in layers for end in (x.input, x.output)])
    ends = [np.asarray(value) for value in probe(pictures((32, 32, 3), 2))]
    for layer, given, result in zip(layers, ends[::2], ends[1::2], strict=True):
        count = min(given.shape[-1], result.shape[-1])
        np.testing.assert_allclose(result[..., :count], given[..., :count], atol=1e-4)
        if result.shape[-1] > count:  # the filters that have no input to pass on are random
            assert np.asarray(layer.kernel)[..., count:].std() > 0.01


def test_each_skip_adds_what_entered_the_second_half_of_its_group() -> None:
    model = build_model("speedrun-deep", (32, 32, 3), 7)
    for layer in model.layers:  # while convolutions are identities, layers near by give the same
        if layer.name.startswith("conv"):
            layer.kernel.assign(layer.kernel[..., ::-1])
    for group, activation in ((1, 2), (2, 5), (3, 8)):
        names = [f"skip_{group}", f"norm_{3 * group}", f"activation_{activation}"]
        probe = keras.Model(model.input, [model.get_layer(name).output for name in names])
        total, norm, earlier = (np.asarray(x) for x in probe(pictures((32, 32, 3), 2)))
        np.testing.assert_allclose(total, norm + earlier, atol=1e-5)
        assert np.abs(earlier).max() > 0


@pytest.mark.parametrize("name", SPEEDRUNS)
def test_the_head_of_a_speedrun_begins_with_unit_weights_and_small_outputs(name: str) -> None:
    model = built(name, (32, 32, 3))
    weights = model.get_layer("logits").get_weights()
    assert [weight.ndim for weight in weights] == [2]  # no bias
    assert weights[0].std() == pytest.approx(1, abs=0.1)
    factor = 1 / weights[0].shape[0]
    assert model.get_layer("scale_1").scale == pytest.approx(factor)
    assert np.abs(logits_model(model)(pictures((32, 32, 3)))).max() < 2


# Models to save


def image_shape(name: str) -> ImageShape:
    return (12, 12, 1) if name in SPEEDRUNS else (8, 8, 1)


def trained(name: str, precision: str, steps: int = 3) -> keras.Model:
    shape = image_shape(name)
    model = build_model(name, shape, 3, seed=1, precision=precision, training=True)
    fit_whitening(model, pictures(shape, 100).astype("uint8"))
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    for step in range(steps):
        model.train_on_batch(pictures(shape, 16, step), np.arange(16) % 3)
    return model


@pytest.mark.parametrize("name", ["base", "batchnorm", "tf-nn", "speedrun-deep", "resnet"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_float32_copy_answers_as_the_trained_model_does(name: str, precision: str) -> None:
    model, images = trained(name, precision), pictures(image_shape(name), seed=9)
    copy = float32_copy(model, name)
    if precision == "float32":
        assert differences(model.get_weights(), copy.get_weights()) == 0
    tolerance = 1e-5 if precision == "float32" else 0.02
    assert np.asarray(copy(images)) == pytest.approx(np.asarray(model(images)), abs=tolerance)
    assert {layer.dtype_policy.name for layer in copy.layers} == {"float32"}
    assert not any(isinstance(layer, FusedBatchNormalization) for layer in copy.layers)


def test_feature_maps_are_normalised_by_the_fused_layer_in_training_only() -> None:
    kinds = {training: [type(layer) for layer in build_model(
        "vgg-bn", (8, 8, 1), 3, training=training).layers if layer.name.startswith("norm")]
        for training in (False, True)}
    plain = keras.layers.BatchNormalization
    assert kinds[False] == [plain] * 7
    assert kinds[True] == [FusedBatchNormalization] * 6 + [plain]


@pytest.mark.parametrize("shape", [(5, 6, 4, 3), (1, 1, 1, 3)])
@pytest.mark.parametrize(("scale", "momentum"), [(True, 0.99), (False, 0.6)])
def test_fused_normalisation_equals_keras_in_outputs_statistics_and_gradients(
        shape: tuple[int, ...], scale: bool, momentum: float) -> None:
    import tensorflow as tf

    fused, plain = (kind(scale=scale, momentum=momentum) for kind in (
        FusedBatchNormalization, keras.layers.BatchNormalization))
    random = np.random.default_rng(0)
    inputs = tf.constant(random.normal(3, 2, shape).astype("float32"))
    weights = [random.uniform(0.5, 2, 3).astype("float32") for _ in range(3 + scale)]
    results = []
    for layer in (fused, plain):
        layer.build(shape)
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(outputs**3)
        gradients = tape.gradient(loss, [inputs, *(w.value for w in layer.trainable_weights)])
        results.append([outputs, layer(inputs, training=False), *gradients, *layer.get_weights()])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_a_fused_layer_that_is_frozen_keeps_its_statistics() -> None:
    layer = FusedBatchNormalization()
    layer.build((None, 4, 4, 3))
    layer.trainable = False
    layer(pictures((4, 4, 3)), training=True)
    assert np.array_equal(layer.moving_mean, np.zeros(3))


def test_fused_normalisation_keeps_weights_and_statistics_in_float32() -> None:
    layer = FusedBatchNormalization(dtype="mixed_bfloat16")
    layer.build((None, 4, 4, 3))
    layer.set_weights([np.full(3, 1.001, "float32"), np.zeros(3), np.zeros(3), np.ones(3)])
    output = layer(keras.ops.ones((2, 4, 4, 3), "bfloat16"), training=True)
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    assert float(layer.moving_mean[0]) == pytest.approx(0.01, rel=1e-6)
    assert float(layer.gamma[0]) == pytest.approx(1.001, rel=1e-6)


def test_bfloat16_training_has_a_quicker_silu_and_nothing_else_has() -> None:
    def kinds(name: str, precision: str, training: bool) -> set[type]:
        model = build_model(name, (16, 16, 3), 3, precision=precision, training=training)
        return {type(layer) for layer in model.layers if layer.name.startswith("activation")}

    assert kinds("speedrun", "bfloat16", True) == {QuickSilu}
    assert kinds("vgg-bn", "bfloat16", True) == {keras.layers.Activation}  # ReLU
    assert kinds("speedrun", "float32", True) == {keras.layers.Activation}
    assert kinds("speedrun", "bfloat16", False) == {keras.layers.Activation}


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("bfloat16", 0.01)])
def test_the_quicker_silu_and_its_gradient_are_those_of_the_formula(
        dtype: str, tolerance: float) -> None:
    import tensorflow as tf

    places = np.array([-90, -8, -1, -1e-3, -0.0, 0, 1e-20, 0.3, 2, 50], "float64")
    values = tf.cast(places, dtype)
    with tf.GradientTape() as tape:
        tape.watch(values)
        outputs = QuickSilu("silu", dtype=dtype)(values)
    slopes = tape.gradient(outputs, values)
    logistic = 1 / (1 + np.exp(-places))
    assert outputs.dtype == slopes.dtype == dtype
    assert np.asarray(tf.cast(outputs, "float64")) == pytest.approx(
        places * logistic, rel=tolerance, abs=tolerance)
    assert np.asarray(tf.cast(slopes, "float64")) == pytest.approx(
        logistic * (1 + places * (1 - logistic)), abs=tolerance)


@pytest.mark.parametrize("name", ["base", "batchnorm", "tf-nn", "speedrun-deep", "resnet"])
def test_the_copy_of_a_bfloat16_network_has_the_kernels_that_its_steps_compute_with(
        name: str) -> None:
    model = trained(name, "bfloat16")
    copy, rounded = float32_copy(model, name), 0
    for layer in model.layers:
        kept, values = copy.get_layer(layer.name).get_weights(), layer.get_weights()
        for mine, own in zip(kept, values, strict=True):
            if layer.dtype_policy.name == "mixed_bfloat16" and hasattr(layer, "kernel") \
                    and own.ndim > 1:
                wanted = own.astype("bfloat16").astype("float32")
                assert mine == pytest.approx(wanted, rel=0, abs=2.0**-25)
                np.testing.assert_array_equal(mine, mine.astype("float16"))
                rounded += int((mine != own).sum())
            else:
                np.testing.assert_array_equal(mine, own)
    assert rounded > 1000 or name == "tf-nn"  # its one layer keeps weights of its own


@pytest.mark.parametrize(("name", "precision"), [
    ("vgg-bn", "float32"), ("speedrun-deep", "float32"), ("speedrun-deep", "bfloat16")])
def test_a_saved_model_loads_with_plain_keras_where_this_package_is_missing(
        name: str, precision: str, tmp_path: Path) -> None:
    copy = float32_copy(trained(name, precision, steps=1), name)
    PackedNetwork(copy).save(tmp_path / "model.keras")
    images = pictures(image_shape(name))
    np.save(tmp_path / "images.npy", images)
    code = ("import importlib.util, sys; assert importlib.util.find_spec('cnn') is None\n"
            "import keras, numpy\n"
            "model = keras.models.load_model('model.keras')\n"
            "numpy.save('answers.npy', model(numpy.load('images.npy')))\n"
            "assert 'cnn' not in sys.modules")
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True,
                   capture_output=True)
    assert np.load(tmp_path / "answers.npy") == pytest.approx(np.asarray(copy(images)), abs=1e-6)


@pytest.mark.parametrize("name", ["base", "tf-nn", "speedrun-small"])
@pytest.mark.parametrize("temperature", [0.4, 2.5])
def test_dividing_the_logits_gives_the_softmax_of_the_divided_logits(
        name: str, temperature: float) -> None:
    model, images = build_model(name, image_shape(name), 5, seed=2), pictures(image_shape(name))
    logits = np.asarray(logits_model(model)(images), np.float64)
    divide_logits(model, temperature)
    wanted = np.exp(logits / temperature)
    wanted /= wanted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(model(images)), wanted, rtol=1e-4, atol=1e-6)
