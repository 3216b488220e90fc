"""A network taken apart: every layer's facts and values, and one value worked out by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnn.errors import BadInput
from cnn.models.anatomy import Anatomy
from cnn.models.build import build_model
from cnn.models.convolving import Way, activated, convolve, normalised, pool, work_out
from cnn.models.summary import summarise

SHAPE = (12, 12, 3)
IMAGE = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.float32)


def trained_a_little(model):
    """Give every weight a value of its own: what is zero or one hides mistakes."""
    random = np.random.default_rng(1)
    model.set_weights([value + random.uniform(0.05, 0.2, value.shape)
                       for value in model.get_weights()])
    return model


def way_of(part) -> Way:
    settings = part.settings
    return Way(tuple(settings["window"]), tuple(settings["stride"]), settings["padding"],
               tuple(settings.get("dilation", (1, 1))))


@pytest.mark.parametrize("architecture", ["base", "batchnorm", "speedrun-small", "tf-nn", "dense"])
def test_the_parts_are_the_rows_of_the_layer_table(architecture: str) -> None:
    parts = Anatomy(build_model(architecture, SHAPE, 4)).parts
    rows = summarise(architecture, SHAPE, 4).rows
    assert list(parts) == [*(["image"] if "image" in parts else []), *(row.name for row in rows)]
    for row in rows:
        assert (parts[row.name].output_shape, parts[row.name].parameters) == \
            (tuple(row.output_shape), row.parameters), row.name
        assert parts[row.name].open


@pytest.mark.parametrize("architecture", ["base", "batchnorm", "speedrun-small", "tf-nn"])
def test_each_convolution_and_what_follows_is_worked_out_by_hand(architecture: str) -> None:
    anatomy = Anatomy(trained_a_little(build_model(architecture, SHAPE, 4)))
    convolutions = [part for part in anatomy.parts.values() if part.kind == "conv"]
    assert convolutions
    for part in convolutions:
        flow, weights = anatomy.flow(part.name, IMAGE), anatomy.weights(part.name)
        bias = weights["bias"][1] if "bias" in weights else 0.0
        place = (flow.output.shape[0] - 1, flow.output.shape[1] - 1)
        worked = work_out(flow.inputs[0], weights["kernel"][..., 1], bias, way_of(part), place)
        value = activated(worked.value, part.settings["activation"])
        near = {"abs": 1e-4, "rel": 1e-4}
        assert value == pytest.approx(float(flow.output[(*place, 1)]), **near)
        whole = convolve(flow.inputs[0], weights["kernel"][..., 1], bias, way_of(part))
        assert np.allclose(activated(whole, part.settings["activation"]), flow.output[..., 1],
                           atol=1e-4, rtol=1e-4)
        for name, output in zip(anatomy.following(part.name), flow.then, strict=True):
            value = step(anatomy, name, value)
            assert value == pytest.approx(float(output[(*place, 1)]), **near), name


def step(anatomy: Anatomy, name: str, value: float) -> float:
    part, weights = anatomy.parts[name], anatomy.weights(name)
    if part.kind == "norm":
        scale = weights["gamma"][1] if "gamma" in weights else 1.0
        return normalised(value, weights["moving_mean"][1], weights["moving_variance"][1],
                          part.settings["epsilon"], scale, weights["beta"][1])
    return activated(value, part.settings["activation"]) if part.kind == "activation" else value


def test_what_follows_a_convolution_ends_at_a_pool_and_where_the_way_divides() -> None:
    anatomy = Anatomy(build_model("speedrun-deep", SHAPE, 4))
    assert anatomy.following("conv_1") == []  # a pool comes next
    assert anatomy.following("conv_2") == ["norm_2", "activation_3"]
    assert anatomy.following("conv_3") == ["norm_3"]  # then the skip


def test_pooling_and_both_inputs_of_a_skip_are_the_networks_own() -> None:
    anatomy = Anatomy(trained_a_little(build_model("speedrun-deep", SHAPE, 4)))
    flow = anatomy.flow("pool_1", IMAGE)
    assert np.allclose(pool(flow.inputs[0], way_of(anatomy.parts["pool_1"]), "max"), flow.output,
                       atol=1e-4)
    skip = anatomy.flow("skip_1", IMAGE)
    assert anatomy.parts["skip_1"].sources == ("norm_3", "activation_2")
    assert np.allclose(skip.inputs[0] + skip.inputs[1], skip.output, atol=1e-4)


def foreign() -> keras.Model:
    """A network as another person makes one: branches, strides, names with markup."""
    layers = keras.layers
    image = keras.Input(SHAPE, name="in")
    left = layers.Conv2D(4, 3, strides=2, padding="same", activation="gelu", name="<b>left<b>")(
        image)
    right = layers.DepthwiseConv2D(3, strides=2, padding="same", name="right & *more*")(image)
    both = layers.Concatenate(name="both")([left, right])
    shared = layers.ReLU(name="shared")
    twice = layers.Add(name="sum")([shared(both), shared(layers.LeakyReLU(name="leaky")(both))])
    pooled = layers.GlobalAveragePooling2D(name="mean")(twice)
    return keras.Model(image, layers.Dense(3, activation="softmax", name="answer")(pooled))


def test_a_foreign_network_with_branches_is_taken_apart_as_far_as_possible() -> None:
    anatomy = Anatomy(foreign())
    parts = anatomy.parts
    assert parts["both"].sources == ("<b>left<b>", "right & *more*")
    assert [parts[name].kind for name in ("<b>left<b>", "right & *more*", "both", "leaky",
                                          "answer")] == \
        ["conv", "other", "concatenate", "other", "dense"]
    assert parts["sum"].sources == ("shared", "shared, use 2")
    added = anatomy.flow("sum", IMAGE)
    assert np.allclose(added.inputs[0] + added.inputs[1], added.output, atol=1e-5)
    assert np.array_equal(anatomy.flow("shared, use 2", IMAGE).inputs[0],
                          anatomy.flow("leaky", IMAGE).output)
    with pytest.raises(BadInput, match="no layer 'nothing'"):
        anatomy.flow("nothing", IMAGE)
    flow = anatomy.flow("both", IMAGE)
    assert np.array_equal(np.concatenate(flow.inputs, -1), flow.output)
    assert anatomy.following("both") == []
    assert parts["answer"].settings == {"activation": "softmax"}


def test_each_use_of_a_layer_has_its_own_values_and_shapes() -> None:
    conv = keras.layers.Conv2D(3, 3, name="conv")  # of three channels, so that it can come again
    other = keras.layers.Conv2D(3, 1, name="conv, use 2")  # a name as a second use would have
    image = keras.Input(SHAPE, name="in")
    model = trained_a_little(keras.Model(image, conv(conv(other(conv(image))))))
    anatomy = Anatomy(model)
    assert {name: (part.sources, part.input_shapes, part.output_shape, part.first)
            for name, part in anatomy.parts.items() if part.kind == "conv"} == {
        "conv": (("in",), ((12, 12, 3),), (10, 10, 3), ""),
        "conv, use 2": (("conv",), ((10, 10, 3),), (10, 10, 3), ""),
        "conv, use 2’": (("conv, use 2",), ((10, 10, 3),), (8, 8, 3), "conv"),
        "conv, use 3": (("conv, use 2’",), ((8, 8, 3),), (6, 6, 3), "conv")}
    last = anatomy.flow("conv, use 3", IMAGE)
    assert np.array_equal(last.inputs[0], anatomy.flow("conv, use 2’", IMAGE).output)
    weights = anatomy.weights("conv, use 3")
    found = convolve(last.inputs[0], weights["kernel"][..., 1], weights["bias"][1],
                     way_of(anatomy.parts["conv, use 3"]))
    assert np.allclose(found, last.output[..., 1], rtol=1e-4)
    assert np.allclose(last.output, model(IMAGE[None])[0], rtol=1e-4)


def test_a_layer_that_another_network_used_first_is_shown_as_it_is_used_here() -> None:
    shared = keras.layers.Dense(2, name="shared")
    keras.Model(first := keras.Input((3,)), shared(first))
    model = keras.Model(here := keras.Input((3,), name="here"), shared(here))
    anatomy = Anatomy(model)
    assert anatomy.parts["shared"].sources == ("here",)
    assert np.allclose(anatomy.flow("shared", np.ones(3)).output, model(np.ones((1, 3)))[0])


def test_what_no_layer_made_is_said_to_be_closed() -> None:
    image = keras.Input(SHAPE, name="in")
    halves = keras.ops.multiply(image, 0.5)  # an operation, and no layer
    anatomy = Anatomy(keras.Model(image, keras.layers.Flatten(name="row")(halves)))
    assert not anatomy.parts["row"].open
    with pytest.raises(BadInput, match="comes from no layer"):
        anatomy.flow("row", IMAGE)


def test_a_network_of_rows_opens_too() -> None:
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, name="a"),
                              keras.layers.Dense(2, name="b")])
    anatomy = Anatomy(model)
    flow = anatomy.flow("b", np.ones(4))
    assert anatomy.parts["b"].sources == ("a",)
    assert np.allclose(flow.inputs[0] @ anatomy.weights("b")["kernel"]
                       + anatomy.weights("b")["bias"], flow.output, atol=1e-5)
