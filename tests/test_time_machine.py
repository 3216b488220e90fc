"""Looking inside through the engine: layers of saved models, and networks of earlier epochs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from model_folders import make_card, make_evaluation
from PIL import Image
from same_process import SameProcess

from cnn.data.images import encode_png
from cnn.errors import BadInput, Damaged, NotFound
from cnn.models.build import build_model
from cnn.models.convolving import Way, activated, work_out
from cnn.models.inside import Inside
from cnn.prediction import opening
from cnn.prediction.client import EngineClient
from cnn.prediction.heat import grad_cam
from cnn.prediction.inner_values import softmax
from cnn.prediction.moments import ask_moment
from cnn.prediction.opened import ask_layer, ask_layers
from cnn.prediction.saved import save_model
from cnn.prediction.time_machine import ITS_ANSWER, machine_of
from cnn.training.snapshots import About, Snapshots, snapshot_bytes

CLASSES = tuple("0123456789")
PICTURE = np.random.default_rng(3).integers(0, 256, (8, 8, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[EngineClient]:
    """An engine with one saved model, `first`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_MODELS_DIR", str(tmp_path_factory.mktemp("models")))
        card = make_card("first", class_names=list(CLASSES), input_shape=[8, 8, 1], resize="crop")
        save_model(build_model("base", (8, 8, 1), 10, seed=1), card, [],
                   make_evaluation(CLASSES))
        yield SameProcess()


@pytest.fixture(scope="module")
def past(tmp_path_factory) -> Path:
    """Snapshots of two epochs of one network, of a dense one as epoch 3, and of 4: another."""
    folder = Snapshots(tmp_path_factory.mktemp("run") / "snapshots")
    labels = np.arange(10)
    for epoch, architecture in ((1, "base"), (2, "base"), (3, "dense")):
        network = build_model(architecture, (8, 8, 1), 10, seed=epoch)
        about = About(architecture, (8, 8, 1), CLASSES, "digits", "crop", False)
        folder.write(epoch, snapshot_bytes(network.get_weights(), about, labels, labels))
    about = About("base", (8, 8, 1), CLASSES, "digits", "crop", False)
    folder.write(4, snapshot_bytes([np.ones((2, 2))], about, labels, labels))
    return folder.folder


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_layers_of_a_saved_model_come_in_their_order(engine) -> None:
    layers = ask_layers(engine, "first")
    assert [layer.name for layer in layers][:4] == ["image", "rescaling", "conv_1", "pool_1"]
    assert layers[2].sources == ("rescaling",) and layers[2].input_shapes == ((8, 8, 1),)


def test_a_layer_comes_with_all_that_is_needed_to_work_it_out(engine) -> None:
    found = ask_layer(engine, "first", "conv_1", encode_png(PICTURE))
    assert np.array_equal(pixels(found.seen), PICTURE[..., 0])
    values, kernel, bias = found.inputs()[0], found.weight("kernel"), found.weight("bias")
    assert np.allclose(values, PICTURE / 255, atol=1e-6)
    settings = ask_layers(engine, "first")[2].settings
    way = Way(tuple(settings["window"]), tuple(settings["stride"]), settings["padding"])
    for place in ((0, 0), (3, 5), (7, 7)):
        worked = work_out(values, kernel[..., 6], float(bias[6]), way, place)
        assert activated(worked.value, settings["activation"]) == pytest.approx(
            float(found.output[(*place, 6)]), abs=1e-4)


def test_what_is_too_large_is_left_out_or_refused_in_words(engine, monkeypatch) -> None:
    monkeypatch.setattr(opening, "MOST_BYTES", 8 * 8 * 32 * 4)
    found = ask_layer(engine, "first", "dense_1", encode_png(PICTURE))
    assert found.weight("kernel") is None and found.weight("bias") is not None
    monkeypatch.setattr(opening, "MOST_BYTES", 1000)
    with pytest.raises(BadInput, match="gives 2,048 values"):
        ask_layer(engine, "first", "conv_1", encode_png(PICTURE))


def test_a_layer_or_model_that_is_not_there_is_named(engine) -> None:
    with pytest.raises(BadInput, match="no layer 'conv_9'"):
        ask_layer(engine, "first", "conv_9", encode_png(PICTURE))
    with pytest.raises(NotFound):
        ask_layers(engine, "nothing")


@pytest.mark.parametrize("epoch", [1, 2, 1])
def test_each_epoch_answers_with_its_own_weights(engine, past, epoch) -> None:
    network = build_model("base", (8, 8, 1), 10, seed=epoch)
    expected = network(PICTURE[None].astype(np.float32)).numpy()[0]
    found = ask_moment(engine, str(past), epoch, encode_png(PICTURE))
    assert np.allclose(found.probabilities, expected, atol=2e-3)  # half precision
    assert np.array_equal(pixels(found.seen), PICTURE[..., 0])
    assert found.layer == "conv_1" and found.layers["conv_1"] == (8, 8, 32)


def test_the_heat_is_grad_cam_of_that_network(past) -> None:
    about, weights = Snapshots(past).read(2)
    machine = machine_of(about)
    machine.travel(weights)
    network = build_model("base", (8, 8, 1), 10)
    network.set_weights(weights)
    inside = Inside(network)
    for number in (0, 7):
        logits, heat, maps = machine.look(PICTURE, number)
        (expected,) = grad_cam(inside, PICTURE, [number], machine.heat_layer)
        assert np.allclose(heat, expected, atol=1e-4) and expected.any()
    best = int(logits.argmax())
    assert np.allclose(machine.look(PICTURE, ITS_ANSWER)[1], machine.look(PICTURE, best)[1])
    seen = inside.look(PICTURE[None].astype(np.float32), ["conv_2"])
    assert np.allclose(maps["conv_2"], seen.outputs[0], atol=1e-4)
    assert np.allclose(softmax(logits[None]), network(PICTURE[None].astype(np.float32)), atol=1e-4)


def test_the_layer_and_the_class_can_be_chosen(engine, past) -> None:
    first = ask_moment(engine, str(past), 1, encode_png(PICTURE), "conv_1", "3")
    other = ask_moment(engine, str(past), 1, encode_png(PICTURE), "conv_2", "4")
    assert (first.layer, other.layer) == ("conv_1", "conv_2")
    assert first.sheet != other.sheet and first.heat != other.heat
    assert ask_moment(engine, str(past), 1, encode_png(PICTURE), "of another").layer == "conv_1"
    with pytest.raises(BadInput, match="no class 'cow'"):
        ask_moment(engine, str(past), 1, encode_png(PICTURE), "", "cow")


def test_a_network_without_feature_maps_still_answers(engine, past) -> None:
    found = ask_moment(engine, str(past), 3, encode_png(PICTURE))
    assert (found.layer, found.heat_layer, found.heat, found.sheet) == ("", "", b"", b"")
    assert sum(found.probabilities) == pytest.approx(1, abs=1e-4)


def test_a_snapshot_of_another_network_or_a_damaged_one_is_said(engine, past) -> None:
    with pytest.raises(BadInput, match="of another network"):
        ask_moment(engine, str(past), 4, encode_png(PICTURE))
    with pytest.raises(NotFound, match="no snapshot of epoch 9"):
        ask_moment(engine, str(past), 9, encode_png(PICTURE))
    path = Snapshots(past).path(3)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Damaged, match="epoch 3 is damaged"):
        ask_moment(engine, str(past), 3, encode_png(PICTURE))
    assert ask_moment(engine, str(past), 2, encode_png(PICTURE)).probabilities
