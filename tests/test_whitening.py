"""Whitening: unrelated outputs of variance one, from any images, and never changed by training."""

import keras
import numpy as np
import pytest

from cnn.config import RunConfig
from cnn.models.build import build_model, float32_copy
from cnn.models.whitening import MOST_PATCHES, fit_whitening, whitening_weights
from cnn.training.data import TrainingData
from cnn.training.loop import Trainer


def smooth_pictures(count=60, side=12, channels=3, seed=0):
    """Pictures whose neighbouring pixels and channels are related, as in photographs."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(count, side // 3, side // 3, 1)).repeat(3, axis=1).repeat(3, axis=2)
    noise = rng.normal(size=(count, side, side, channels))
    values = 120 + 35 * coarse + 12 * noise + 20 * np.arange(channels)
    return values.clip(0, 255).astype(np.uint8)


def outputs(images, kernel, bias):
    """Return what the layer gives, one row per patch, computed in float64."""
    size = kernel.shape[0]
    height, width = images.shape[1] - size + 1, images.shape[2] - size + 1
    pixels = images.astype(np.float64) / 255
    result = np.zeros((len(images), height, width, kernel.shape[3])) + bias
    for y in range(size):
        for x in range(size):
            result += pixels[:, y:y + height, x:x + width] @ kernel[y, x].astype(np.float64)
    return result.reshape(-1, kernel.shape[3])


@pytest.mark.parametrize(("channels", "size"), [(3, 2), (1, 2), (3, 3)])
def test_patches_come_out_unrelated_and_with_variance_one(channels, size):
    images = smooth_pictures(channels=channels)
    kernel, bias = whitening_weights(images, size)
    directions = size * size * channels
    assert (kernel.shape, bias.shape) == ((size, size, channels, 2 * directions), (2 * directions,))
    assert kernel.dtype == bias.dtype == np.float32
    values = outputs(images, kernel, bias)[:, :directions]
    covariance = values.T @ values / len(values)
    # A little less than one where patches hardly vary: the floor keeps those small.
    np.testing.assert_allclose(covariance, np.eye(directions), atol=0.02)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=0.1)


def test_the_second_half_of_the_filters_is_the_negative_of_the_first():
    kernel, bias = whitening_weights(smooth_pictures(), 2)
    np.testing.assert_array_equal(kernel[..., 12:], -kernel[..., :12])
    np.testing.assert_array_equal(bias[12:], -bias[:12])


def test_the_brightness_of_all_pictures_together_makes_no_difference():
    images = smooth_pictures().clip(0, 200)
    one = outputs(images, *whitening_weights(images, 2))
    other = outputs(images + 50, *whitening_weights(images + 50, 2))
    np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_channel_that_never_changes_does_no_harm(level):
    images = smooth_pictures()
    images[..., 1] = level
    kernel, bias = whitening_weights(images, 2)
    assert np.isfinite(kernel).all() and np.isfinite(bias).all()
    values = outputs(images, kernel, bias)
    assert np.abs(values).max() < 20
    spread = np.sort(values[:, :12].std(axis=0))
    np.testing.assert_allclose(spread[:4], 0, atol=1e-2)  # the four directions of that channel
    np.testing.assert_allclose(spread[4:], 1, atol=0.02)


def test_images_of_one_colour_give_finite_weights():
    kernel, bias = whitening_weights(np.full((4, 6, 6, 3), 90, np.uint8), 2)
    assert np.isfinite(kernel).all() and np.isfinite(bias).all()


def test_only_the_first_images_are_looked_at():
    images, enough = smooth_pictures(10, 102), MOST_PATCHES // 102**2
    many = np.concatenate([images] * 10)
    assert len(many) > enough
    wanted = whitening_weights(many[:enough], 2)
    many[enough:] = 255 - many[enough:]
    for found, same in zip(whitening_weights(many, 2), wanted, strict=True):
        np.testing.assert_array_equal(found, same)


def test_a_network_without_such_a_layer_stays_as_it_is():
    model = build_model("base", (12, 12, 3), 3)
    before = model.get_weights()
    fit_whitening(model, smooth_pictures())
    assert all(map(np.array_equal, before, model.get_weights()))


@pytest.fixture(params=["float32", "bfloat16"])
def fitted(request):
    model = build_model("speedrun-small", (12, 12, 3), 3, precision=request.param, training=True)
    fit_whitening(model, smooth_pictures())
    return model


def test_the_layer_of_a_network_gives_what_the_weights_say_exactly(fitted):
    images = smooth_pictures()
    layer = keras.Model(fitted.input, fitted.get_layer("whitening_1").output)
    found = np.asarray(layer(images.astype("float32")))
    assert found.dtype == np.float32
    wanted = outputs(images, *whitening_weights(images, 2)).reshape(found.shape)
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_training_never_changes_the_layer(fitted):
    before = fitted.get_layer("whitening_1").get_weights()
    assert not fitted.get_layer("whitening_1").trainable_weights
    images, labels = smooth_pictures(), np.arange(60, dtype=np.int64) % 3
    config = RunConfig("d", "speedrun-small", "n", epochs=1, batch_size=20, optimizer="muon",
                       learning_rate=0.24, schedule="linear",
                       precision="bfloat16" if "16" in fitted.layers[5].dtype_policy.name
                       else "float32")
    rest = fitted.get_layer("conv_1").get_weights()
    Trainer(fitted, config, TrainingData(images, labels, images, labels), lambda _: None).run()
    after = fitted.get_layer("whitening_1").get_weights()
    assert all(map(np.array_equal, before, after))
    assert {weight.dtype for weight in after} == {np.dtype("float32")}
    assert not np.array_equal(rest[0], fitted.get_layer("conv_1").get_weights()[0])
    kept = float32_copy(fitted, "speedrun-small").get_layer("whitening_1").get_weights()
    assert all(map(np.array_equal, before, kept))
