"""Explanations through the engine and the client, with a real small network."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from model_folders import make_card, make_evaluation
from PIL import Image
from same_process import SameProcess

from cnn.cli import main
from cnn.data.catalogue import load
from cnn.data.images import encode_png
from cnn.errors import BadInput, Damaged, NotFound
from cnn.evaluation.novelty import FILE_NAME
from cnn.models.build import build_model
from cnn.models.inside import Inside
from cnn.prediction.client import EngineClient
from cnn.prediction.explaining import MOST_MAPS, Explanation, explain
from cnn.prediction.inner_values import Looker, novelty_of, softmax
from cnn.prediction.predictor import Predictor
from cnn.prediction.reasons import ask_feature_maps, ask_heat, ask_nearest
from cnn.prediction.saved import save_model

DIGITS = [str(number) for number in range(10)]


@pytest.fixture(scope="module")
def models(tmp_path_factory, digits_folder) -> Iterator[Path]:
    """Two saved models for digits, not trained: `plain` without novelty, `flat` without maps."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_MODELS_DIR", str(folder))
        patch.setenv("CNN_DATA_DIR", str(digits_folder))
        data = load("digits")
        for name, architecture in (("maps", "base"), ("flat", "dense")):
            network = build_model(architecture, (8, 8, 1), 10, seed=1)
            card = make_card(
                name, dataset="digits", class_names=DIGITS, input_shape=[8, 8, 1], resize="crop",
                dataset_fingerprint=data.fingerprint, architecture=architecture,
                config={"dataset": "digits", "architecture": architecture, "name": name})
            novelty = novelty_of(Inside(network), data.train_images[:400],
                                 data.train_images[400:600]) if name == "maps" else None
            save_model(network, card, [], make_evaluation(tuple(DIGITS)), novelty)
        yield folder


@pytest.fixture(scope="module")
def engine(models: Path) -> EngineClient:
    return SameProcess()


def photo(height: int = 60, width: int = 80) -> bytes:
    return encode_png(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_reasons_are_of_the_very_answer_also_for_a_large_photo(models, engine):
    """Answers come from a quarter of a large JPEG; so must their heat maps."""
    stripes = np.zeros((1800, 2600, 3), np.uint8)
    stripes[:, ::5] = (255, 255, 0)
    file = io.BytesIO()
    Image.fromarray(stripes).save(file, "JPEG", quality=60)
    answer, = engine.predict("maps", [file.getvalue()])
    heat = ask_heat(engine, "maps", file.getvalue())
    assert [(item.name, item.probability) for item in heat.maps] == [
        (name, pytest.approx(share, abs=1e-6)) for name, share in answer.top[:2]]



def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_the_answer_and_the_runner_up_are_explained_unless_others_are_asked_for(engine) -> None:
    found = ask_heat(engine, "maps", photo())
    best = Predictor("maps").predict([np.asarray(opened(photo()))])[0].top(DIGITS, 2)
    assert [(item.name, pytest.approx(item.probability)) for item in found.maps] == [
        (item["class"], item["probability"]) for item in best]
    asked = ask_heat(engine, "maps", photo(), classes=["7", "0", "3"])
    assert [item.name for item in asked.maps] == ["7", "0", "3"]


def test_maps_lie_over_what_the_model_sees_in_more_detail(engine) -> None:
    found = ask_heat(engine, "maps", photo())
    assert opened(found.picture).size == opened(found.maps[0].png).size == (288, 288)
    assert opened(found.maps[0].png).mode == "RGB"
    tiny = opened(ask_heat(engine, "maps", photo(8, 8)).picture)
    assert tiny.size == (288, 288) and len(tiny.getcolors(10**6) or ()) <= 64  # blocks


def test_the_layer_and_its_size_are_said(engine) -> None:
    found = ask_heat(engine, "maps", photo())
    assert found.layer in Predictor("maps").inside.shapes
    assert found.size == Predictor("maps").inside.shapes[found.layer][:2]
    assert not found.coarse
    pixels = ask_heat(engine, "maps", photo(), method="saliency")
    assert (pixels.layer, pixels.size) == ("", (8, 8))


def test_a_map_of_few_places_is_called_coarse() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    assert Explanation(picture, (), "pool_2", (2, 2)).coarse
    assert not Explanation(picture, (), "pool_2", (4, 4)).coarse


@pytest.mark.parametrize("asked, words", [
    ({"classes": ["cow"]}, "no class 'cow'"),
    ({"classes": ["1", "2", "3", "4", "5"]}, "At most 4"),
    ({"method": "guess"}, "method must be one of"),
])
def test_what_cannot_be_explained_is_said(engine, asked, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        ask_heat(engine, "maps", photo(), **asked)


def test_a_network_without_feature_maps_has_saliency_only(engine) -> None:
    with pytest.raises(BadInput, match="no feature maps"):
        ask_heat(engine, "flat", photo())
    assert ask_heat(engine, "flat", photo(), method="saliency").maps
    with pytest.raises(BadInput, match="no feature maps"):
        ask_feature_maps(engine, "flat", photo())


def test_feature_maps_of_any_layer_are_bounded(engine) -> None:
    first = ask_feature_maps(engine, "maps", photo())
    assert first.layer == first.layers[0][0]
    for name, shape in first.layers:
        found = ask_feature_maps(engine, "maps", photo(), layer=name)
        assert len(found.channels) == min(shape[2], MOST_MAPS)
        assert opened(found.sheet).width < 1000
    with pytest.raises(BadInput, match="a layer 'none'"):
        ask_feature_maps(engine, "maps", photo(), layer="none")


def test_the_nearest_training_images_include_the_picture_itself(engine) -> None:
    data = load("digits")
    picture = encode_png(data.train_images[5])
    while not (found := ask_nearest(engine, "maps", picture, count=20)).images:
        assert found.done < found.total
    assert found.done == found.total
    likeness = [image.likeness for image in found.images]
    assert likeness == sorted(likeness, reverse=True) and likeness[0] > 0.99
    assert found.images[0].name == data.class_names[data.train_labels[found.images[0].row]]
    assert opened(found.images[0].png).size == (8, 8)


def test_a_missing_model_is_said(engine) -> None:
    with pytest.raises(NotFound, match="nobody"):
        ask_heat(engine, "nobody", photo())


def test_how_a_picture_is_brought_to_size_changes_what_is_explained(models) -> None:
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, :40] = 255
    crop, stretch = (explain(Predictor("maps"), wide, how).picture for how in ("crop", "stretch"))
    assert not np.array_equal(crop, stretch)


# Novelty, on its way to an answer


def test_an_answer_says_how_strange_the_picture_is(models) -> None:
    data, predictor = load("digits"), Predictor("maps")
    pictures = [np.repeat(image, 3, axis=2) for image in data.test_images[:150]]
    alarms = [answer.unlike for answer in predictor.predict(pictures)]
    assert np.mean(alarms) < 0.15
    noise = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    answers = predictor.predict(list(noise))
    assert np.mean([answer.unlike for answer in answers]) > 0.8
    assert all(0 <= answer.novelty <= 1 for answer in answers)


def test_a_model_from_before_says_nothing_of_it(models) -> None:
    answer = Predictor("flat").predict([np.zeros((8, 8, 3), np.uint8)])[0]
    assert answer.novelty is None and not answer.unlike


def test_probabilities_do_not_depend_on_whether_strangeness_is_known(models) -> None:
    predictor = Predictor("maps")
    images = load("digits").test_images[:5]
    _, look = Looker(predictor.inside).look(images)
    assert np.allclose(softmax(look.logits), predictor._ask(images), atol=1e-6)
    pictures = [np.repeat(image, 3, axis=2) for image in images]
    plain, averaged = (predictor.predict(pictures, average=average) for average in (False, True))
    assert [a.novelty for a in plain] == [a.novelty for a in averaged]


def test_an_older_model_learns_what_is_usual_where_its_data_are(
    models, tmp_path, monkeypatch, capsys
) -> None:
    shutil.copytree(models / "flat", tmp_path / "flat")
    monkeypatch.setenv("CNN_MODELS_DIR", str(tmp_path))
    assert main(["evaluate", "flat", "--json"]) == 0
    assert not json.loads(capsys.readouterr().out)["novelty"]
    assert main(["evaluate", "flat", "--novelty", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["novelty"]
    answer = Predictor("flat").predict([np.zeros((8, 8, 3), np.uint8)])[0]
    assert answer.novelty is not None
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setattr("cnn.cli_commands.evaluate._what_is_missing", lambda card: "No data.")
    assert main(["evaluate", "flat", "--novelty"]) == 1
    assert "cannot be learned: No data." in capsys.readouterr().err


def test_statistics_of_another_network_are_refused(models, tmp_path, monkeypatch) -> None:
    shutil.copytree(models / "flat", tmp_path / "flat")
    shutil.copy(models / "maps" / FILE_NAME, tmp_path / "flat")
    monkeypatch.setenv("CNN_MODELS_DIR", str(tmp_path))
    with pytest.raises(Damaged, match="another network"):
        Predictor("flat").predict([np.zeros((8, 8, 3), np.uint8)])
