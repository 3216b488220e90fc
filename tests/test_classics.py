"""The classics have the shapes of their papers, and training reaches all of each."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from cnn.models.build import build_model
from cnn.models.defaults import default_config
from cnn.models.registry import get_architecture
from cnn.models.summary import summarise
from cnn.training.steps import Steps

CLASSICS = ["alexnet", "zfnet", "vgg", "googlenet", "resnet"]


def shapes(name, prefix):
    return [row.output_shape for row in summarise(name, (32, 32, 3), 10).rows
            if row.name.startswith(prefix)]


def test_alexnet_and_zfnet_differ_in_their_first_look_only():
    filters = [96, 256, 384, 384, 256]
    assert [shape[-1] for shape in shapes("alexnet", "conv")] == filters
    assert [shape[-1] for shape in shapes("zfnet", "conv")] == filters
    assert shapes("alexnet", "conv")[0] == (16, 16, 96)
    assert shapes("zfnet", "conv")[0] == (32, 32, 96)
    assert shapes("alexnet", "flatten") == shapes("zfnet", "flatten") == [(2 * 2 * 256,)]


def test_vgg_halves_the_image_five_times_between_the_convolutions_of_configuration_a():
    assert [shape[-1] for shape in shapes("vgg", "conv")] == [64, 128, 256, 256, 512, 512, 512, 512]
    assert [shape[0] for shape in shapes("vgg", "pool")] == [16, 8, 4, 2, 1]


def test_googlenet_has_nine_inception_blocks_with_half_the_channels_of_the_papers_table():
    assert [shape[-1] for shape in shapes("googlenet", "inception")] == [
        n // 2 for n in (256, 480, 512, 512, 512, 528, 832, 832, 1024)]


def test_resnet_is_the_papers_own_for_cifar_with_20_layers_and_270_thousand_parameters():
    assert shapes("resnet", "residual") == [(32, 32, 16)] * 3 + [(16, 16, 32)] * 3 + [
        (8, 8, 64)] * 3
    # Without the 1×1 convolutions of option B and what normalisation remembers: 0.27 M, table 6.
    assert summarise("resnet", (32, 32, 3), 10).trainable_parameters == pytest.approx(
        0.27e6 + 16 * 32 + 32 * 64, rel=0.02)


@pytest.fixture
def eagerly():
    """Run steps without compiling them: of a few steps that is the smaller part."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", CLASSICS)
def test_a_small_epoch_of_digits_reaches_every_weight_of_a_classic(name):
    digits = load_digits()
    images = (digits.images[:120, :, :, None] * 15).astype("uint8")
    labels = digits.target[:120].astype("int64")
    model = build_model(name, (8, 8, 1), 10, seed=3, training=True)
    steps = Steps(model, default_config(name, "digits", "first"))
    before = [np.array(weight) for weight in model.trainable_weights]
    losses = [steps.train(images[at:at + 40], labels[at:at + 40], None)[0] for at in (0, 40, 80)]
    assert np.isfinite(losses).all()
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(weight, old), weight.path
    assert get_architecture(name).source
