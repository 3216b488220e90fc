"""Maps of images: what is placed where, what is kept, and what cannot be placed."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from model_folders import make_card, write_model

from cnn.data import looks
from cnn.data.catalogue import load
from cnn.data.dataset import Dataset
from cnn.data.splits import stratified_sample
from cnn.errors import BadInput, NotFound, Unavailable
from cnn.prediction import embedding, maps
from cnn.prediction.maps import fits, known_map, make_map


def groups(count=30, shape=(6, 5, 3)):
    """Two classes, dark and light, that are far apart."""
    rng = np.random.default_rng(2)
    labels = np.arange(count) % 2
    images = (rng.integers(0, 40, (count, *shape)) + 180 * labels[:, None, None, None])
    images = images.astype(np.uint8)
    return Dataset("groups", ("dark", "light"), images, labels, images[:2], labels[:2], "f" * 64)


@pytest.fixture
def placed(monkeypatch):
    """Place the images of a data set without a process."""
    def place(data, method="pca"):
        monkeypatch.setattr(embedding, "load", lambda name: data)
        return embedding.place_images(data.name, "", method)

    return place


@pytest.mark.parametrize("method", embedding.METHODS)
def test_alike_images_are_near_each_other_and_the_answer_is_json(placed, method):
    data = groups()
    answer = json.loads(json.dumps(placed(data, method), allow_nan=False))
    points = np.array(answer["points"])
    assert points.shape == (30, 2)
    centres = [points[data.train_labels == label].mean(axis=0) for label in (0, 1)]
    for label in (0, 1):
        away = points[data.train_labels == label, None] - np.array(centres)
        assert (np.linalg.norm(away, axis=2).argmin(axis=1) == label).all()
    assert answer["agreement"] == 1
    assert answer["dimensions"] == 6 * 5 * 3
    assert answer["fingerprint"] == data.fingerprint


def test_pca_explains_what_numpy_says(placed):
    data = groups()
    flat = data.train_images.reshape(30, -1) / 255
    variances = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False) ** 2
    np.testing.assert_allclose(placed(data)["explained"], variances[:2] / variances.sum(),
                               rtol=1e-3)


def test_the_nearest_are_the_nearest_in_all_dimensions(placed):
    data = groups(12)
    flat = data.train_images.reshape(12, -1).astype(float)
    distances = np.linalg.norm(flat[:, None] - flat, axis=2)
    np.fill_diagonal(distances, np.inf)
    wanted = distances.argsort(axis=1)[:, :embedding.NEAREST]
    np.testing.assert_array_equal(placed(data)["nearest"], wanted)


def test_the_same_set_gives_the_same_map(placed):
    one, two = placed(groups(), "tsne"), placed(groups(), "tsne")
    assert one["points"] == two["points"]


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 1), (70, 40, 3)])
@pytest.mark.parametrize("method", embedding.METHODS)
def test_tiny_and_large_images_can_be_placed(placed, shape, method):
    answer = placed(groups(9, shape), method)
    assert np.isfinite(answer["points"]).all()
    assert answer["dimensions"] <= 32 * 32 * 3


def test_too_few_and_equal_images_are_refused_in_words(placed):
    with pytest.raises(BadInput, match="needs 5 training images"):
        placed(groups(4))
    data = groups()
    with pytest.raises(BadInput, match="all alike"):
        placed(replace(data, train_images=np.zeros_like(data.train_images)))


def test_a_model_for_other_images_is_refused(folders):
    write_model("large", input_shape=[32, 32, 3])
    write_model("by-hand", input_shape=[8, 8, 1], needs_cnn=True)
    for name, words in (("large", "takes images of"), ("by-hand", "one layer to Keras")):
        with pytest.raises(BadInput, match=words):
            embedding.place_images("digits", name, "pca")
    with pytest.raises(NotFound):
        embedding.place_images("digits", "no-such", "pca")


def test_features_are_what_goes_into_the_last_layer(folders, monkeypatch):
    import keras

    from cnn.prediction import saved

    inputs = keras.Input((8, 8, 1))
    seen = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    outputs = keras.layers.Dense(3, name="logits")(seen)
    monkeypatch.setattr(saved, "load_network", lambda name: keras.Model(inputs, outputs))
    write_model("mean", input_shape=[8, 8, 1])
    data, rows = load("digits"), np.array([0, 5, 9])
    found = embedding.features("mean", data, rows)
    np.testing.assert_allclose(
        found, data.train_images[rows].mean(axis=(1, 2)) / 255, rtol=1e-5)


def test_a_card_fits_images_of_its_shape_that_keras_can_open():
    data = groups()
    assert fits(make_card(input_shape=[6, 5, 3]), data)
    assert not fits(make_card(input_shape=[6, 5, 1]), data)
    assert not fits(make_card(input_shape=[6, 5, 3], needs_cnn=True), data)


# The sample


def test_a_sample_has_each_class_in_proportion_and_the_same_for_a_seed():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    rows = stratified_sample(labels, 50, 0)
    np.testing.assert_array_equal(np.bincount(labels[rows]), [30, 15, 5])
    assert len(set(rows)) == 50
    np.testing.assert_array_equal(rows, stratified_sample(labels, 50, 0))
    assert not np.array_equal(rows, stratified_sample(labels, 50, 1))


@pytest.mark.parametrize(("most", "drawn"), [(3, 3), (1, 3), (10, 10), (99, 10)])
def test_a_sample_has_every_class_and_no_more_than_there_are(most, drawn):
    labels = np.array([0, 0, 0, 0, 0, 0, 0, 0, 2, 4])
    rows = stratified_sample(labels, most, 0)
    assert len(rows) == drawn
    assert set(labels[rows]) == {0, 2, 4}


# What is kept


def answering(monkeypatch, answer):
    calls = []

    def answer_of(command, *rest):
        calls.append(json.loads(command[-1]))
        return dict(answer)

    monkeypatch.setattr(maps, "answer_of", answer_of)
    return calls


def test_a_map_is_kept_under_what_the_process_has_seen(placed, monkeypatch, empty_folders):
    data = groups()
    calls = answering(monkeypatch, placed(data))
    assert known_map(data, "", "pca") is None
    make_map("groups", "", "pca")
    assert calls == [{"dataset": "groups", "model": "", "method": "pca"}]
    found = known_map(data, "", "pca")
    assert found.points.shape == (30, 2)
    assert found.agreement == 1
    assert len(found.explained) == 2
    assert found.place_of(7) == 7
    assert found.place_of(99) is None
    assert known_map(data, "", "tsne") is None
    assert known_map(replace(data, fingerprint="e" * 64), "", "pca") is None


def test_a_map_of_a_model_is_of_no_use_when_its_file_changes(placed, monkeypatch, empty_folders):
    data, folder = groups(), write_model("first")
    answering(monkeypatch, placed(data))
    make_map("groups", "first", "pca")
    assert known_map(data, "first", "pca")
    (folder / "model.keras").write_bytes(b"another, longer network")
    assert known_map(data, "first", "pca") is None
    with pytest.raises(NotFound):
        known_map(data, "gone", "pca")


@pytest.mark.parametrize("change", [
    {"rows": np.array([], np.int64)}, {"points": np.zeros((3, 2))}, {"rows": np.arange(30) + 9},
    {"seconds": np.arange(2)}, {"rows": None},
])
def test_arrays_that_are_no_map_of_this_set_are_not_believed(placed, empty_folders, change):
    data = groups()
    answer = placed(data)
    arrays = {key: np.asarray(value) for key, value in answer.items() if key != "fingerprint"}
    arrays = {key: value for key, value in (arrays | change).items() if value is not None}
    looks.keep(data.fingerprint, "map-pca-pixels", arrays)
    assert known_map(data, "", "pca") is None


def test_the_process_answers_an_impossible_request_in_words(empty_folders):
    with pytest.raises(NotFound, match="no data set named 'nothing'"):
        make_map("nothing", "", "pca")


def test_a_map_that_takes_too_long_is_ended(empty_folders, monkeypatch):
    monkeypatch.setattr(maps, "SECONDS_AT_MOST", 0.01)
    with pytest.raises(Unavailable, match="took longer"):
        make_map("digits", "", "pca")


def test_neither_tensorflow_nor_sklearn_is_needed_to_look_a_map_up():
    import subprocess

    script = ("import sys, cnn.prediction.maps; "
              "sys.exit(bool({'tensorflow', 'keras', 'sklearn', 'scipy'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
