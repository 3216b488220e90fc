"""Layer tables are right, and say what is wrong with an impossible size."""

from __future__ import annotations

from typing import Any

import pytest

from cnn.errors import BadInput, NotFound
from cnn.models.registry import architecture_names
from cnn.models.summary import summarise


def test_the_table_of_lenet_on_mnist_is_that_of_the_paper_in_shapes() -> None:
    rows = {row.name: row for row in summarise("lenet", (28, 28, 1), 10).rows}
    assert list(rows) == ["rescaling", "conv_1", "pool_1", "conv_2", "pool_2", "flatten_1",
                          "dense_1", "dense_2", "logits", "probabilities"]
    assert rows["conv_1"].output_shape == (28, 28, 6)
    assert rows["conv_2"].output_shape == (10, 10, 16)
    assert rows["flatten_1"].output_shape == (400,)
    assert rows["conv_2"].parameters == 16 * (5 * 5 * 6 + 1)
    assert rows["conv_2"].label == "Conv 5×5, 16, ReLU, no padding"


def test_multiply_adds_of_base_equal_the_sum_written_by_hand() -> None:
    by_hand = (32 * 32 * 32 * (4 * 4 * 3)  # first convolution, 32x32 pixels
               + 16 * 16 * 32 * (4 * 4 * 32)  # second, after one pooling
               + 8 * 8 * 32 * 256  # dense layer on 8x8x32 values
               + 256 * 10)
    assert summarise("base", (32, 32, 3), 10).multiply_adds == by_hand == 6_294_016


@pytest.mark.parametrize("name", architecture_names())
def test_totals_are_the_sums_of_the_rows(name: str) -> None:
    summary = summarise(name, (32, 32, 3), 10)
    assert summary.parameters == sum(row.parameters for row in summary.rows)
    assert summary.multiply_adds == sum(row.multiply_adds for row in summary.rows)
    assert summary.rows[-1].output_shape == (10,)
    assert (summary.input_shape, summary.classes) == ((32, 32, 3), 10)


def test_only_batch_normalisation_has_weights_that_are_not_trained() -> None:
    summary = summarise("batchnorm", (32, 32, 3), 10)
    assert summary.parameters - summary.trainable_parameters == 2 * (32 + 64 + 128 + 256)
    plain = summarise("deeper", (32, 32, 3), 10)
    assert plain.parameters == plain.trainable_parameters


def test_lenet_on_digits_is_refused_naming_layer_size_and_what_works() -> None:
    with pytest.raises(BadInput) as caught:
        summarise("lenet", (8, 8, 1), 10)
    message, hint = caught.value.message, caught.value.hint
    assert message == ("lenet cannot take images of 8×8 pixels: "
                       "layer conv_2 “Conv 5×5, 16, ReLU, no padding” "
                       "needs a feature map of at least 5×5 and receives 4×4.")
    assert "at least 12×12 pixels" in hint
    assert "base" in hint
    assert " lenet" not in hint


@pytest.mark.parametrize("name", architecture_names())
def test_the_smallest_size_that_a_refusal_names_is_the_smallest_that_works(name: str) -> None:
    try:
        summarise(name, (1, 1, 1), 2)
    except BadInput as error:
        smallest = int(error.hint.split("at least ")[1].split("×")[0])
        summarise(name, (smallest, smallest, 1), 2)
        with pytest.raises(BadInput):
            summarise(name, (smallest - 1, smallest - 1, 1), 2)
    else:
        # The classics pad their pooling; dense layers need no neighbourhood.
        assert name in {"dense", "alexnet", "zfnet", "vgg", "googlenet", "resnet"}


def test_a_side_too_short_is_refused_even_if_the_other_is_long() -> None:
    with pytest.raises(BadInput, match="layer pool_2"):
        summarise("deeper", (2, 500, 3), 10)


@pytest.mark.parametrize("shape", [
    (0, 8, 1), (8, -1, 1), (8, 8), (8, 8, 1, 1), (8.0, 8, 1), ("8", 8, 1), ()])
def test_impossible_shapes_are_refused_with_the_value_received(shape: Any) -> None:
    with pytest.raises(BadInput) as caught:
        summarise("base", shape, 10)
    assert repr(shape) in caught.value.message


@pytest.mark.parametrize("classes", [1, 0, -3, 2.5])
def test_fewer_than_two_classes_are_refused(classes: Any) -> None:
    with pytest.raises(BadInput, match="at least 2 classes"):
        summarise("base", (8, 8, 1), classes)


def test_an_unknown_architecture_is_not_found() -> None:
    with pytest.raises(NotFound):
        summarise("unknown", (8, 8, 1), 10)
