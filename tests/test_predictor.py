"""From a picture of any size to probabilities: the right pixels in, the right classes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from model_folders import make_card

from cnn.data.dataset import Images
from cnn.data.views import view_count
from cnn.errors import BadInput, Damaged
from cnn.prediction import predictor
from cnn.prediction.averaging import average_views, geometric_mean
from cnn.prediction.predictor import (
    Answer,
    Predictor,
    look_closer,
    predict_arrays,
    prepare,
)


def half_dark(height: int = 20, width: int = 30) -> Images:
    """Return a picture whose left half is red and whose right half is white."""
    picture = np.full((height, width, 3), 255, np.uint8)
    picture[:, : width // 2] = 255, 0, 0
    return picture


def digit(background: int, ink: int) -> Images:
    picture = np.full((40, 30, 3), background, np.uint8)
    picture[10:30, 12:18] = ink
    return picture


# What the network sees


@pytest.mark.parametrize("shape", [[8, 6, 1], [32, 32, 3], [1, 1, 1], [100, 90, 3]])
def test_any_picture_gets_the_shape_of_the_card(shape: list[int]) -> None:
    for size in ((1, 1), (7, 50), (300, 200)):
        seen, _ = prepare(half_dark(*size), make_card(input_shape=shape))
        assert seen.shape == tuple(shape) and seen.dtype == np.uint8


def test_a_picture_of_the_right_size_is_not_changed() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    for how in ("crop", "fit", "stretch"):
        seen, inverted = prepare(picture, make_card(input_shape=[8, 6, 3]), how)
        assert np.array_equal(seen, picture) and not inverted


def test_the_card_says_how_unless_a_person_does() -> None:
    card, wide = make_card(input_shape=[8, 8, 3], resize="fit"), half_dark(10, 40)
    assert prepare(wide, card)[0][0, 0].tolist() == [128, 128, 128]  # a bar
    assert prepare(wide, card, "stretch")[0][0, 0].tolist() == [255, 0, 0]


def test_a_network_for_grey_sees_brightness() -> None:
    seen, _ = prepare(half_dark(), make_card(input_shape=[8, 6, 1], resize="stretch"))
    assert seen[0, 0, 0] == pytest.approx(0.299 * 255, abs=1)
    assert seen[0, -1, 0] == 255


@pytest.mark.parametrize("background, ink, dark, expected", [
    (255, 0, True, True),  # a digit on paper
    (0, 255, True, False),  # as in the data set
    (255, 0, False, False),  # a model that knows light backgrounds
    (200, 60, True, True),  # a photo of a digit on paper
])
def test_dark_on_light_is_turned_into_what_the_model_knows(
    background: int, ink: int, dark: bool, expected: bool
) -> None:
    card = make_card(input_shape=[8, 6, 1], dark_background=dark, resize="stretch")
    seen, inverted = prepare(digit(background, ink), card)
    assert inverted is expected
    if dark:
        assert seen[0, 0, 0] < 127 < seen[4, 3, 0]


@pytest.mark.parametrize("how", ["crop", "fit", "stretch"])
@pytest.mark.parametrize("background, expected", [(255, True), (0, False)])
def test_the_ground_of_the_picture_decides_whatever_bars_are_added(
    how: str, background: int, expected: bool
) -> None:
    wide = np.full((20, 90, 3), background, np.uint8)
    wide[5:15, 40:50] = 255 - background
    card = make_card(input_shape=[8, 8, 1], dark_background=True)
    assert prepare(wide, card, how)[1] is expected


def test_both_ways_of_a_digit_give_the_same_pixels() -> None:
    card = make_card(input_shape=[8, 6, 1], dark_background=True)
    paper, _ = prepare(digit(255, 0), card)
    screen, _ = prepare(digit(0, 255), card)
    assert np.abs(paper.astype(int) - screen).max() <= 1


# What comes out


def test_top_is_best_first_and_ties_keep_the_order_of_the_classes() -> None:
    answer = Answer(np.array([0.2, 0.4, 0.4], np.float32), np.zeros((1, 1, 1), np.uint8), False)
    top = answer.top(["ant", "bee", "cat"], 2)
    assert [item["class"] for item in top] == ["bee", "cat"]
    assert top[0]["probability"] == pytest.approx(0.4)
    assert len(answer.top(["ant", "bee", "cat"], 99)) == 3


def make_network(shape: tuple[int, ...], classes: int) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    return keras.Sequential([
        keras.Input(shape), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
        keras.layers.Dropout(0.9), keras.layers.Dense(classes, activation="softmax")])


@pytest.mark.parametrize("count", [1, 7, 1001])
def test_batches_of_any_number_give_what_the_network_gives(count: int) -> None:
    network = make_network((4, 4, 1), 3)
    images = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)
    found = predict_arrays(network, images)
    assert found.shape == (count, 3) and found.dtype == np.float32
    assert found == pytest.approx(np.asarray(network(images.astype(np.float32))), abs=1e-5)


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> Predictor:
    monkeypatch.setattr(predictor, "read_card", lambda name: make_card(name, resize="stretch"))
    monkeypatch.setattr(predictor, "load_network", lambda name: make_network((8, 6, 1), 3))
    monkeypatch.setattr(predictor, "read_novelty", lambda folder: None)
    monkeypatch.setattr(predictor, "model_folder", lambda name: None)
    return Predictor("first")


def test_a_predictor_answers_each_picture_by_itself(first: Predictor) -> None:
    pictures = [half_dark(), digit(255, 0), half_dark(5, 5)]
    together = first.predict(pictures)
    for picture, answer in zip(pictures, together, strict=True):
        assert np.array_equal(answer.seen, prepare(picture, first.card)[0])
        alone = first.predict([picture])[0]
        assert answer.probabilities == pytest.approx(alone.probabilities, abs=1e-6)
        assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert first.predict([]) == []


@pytest.mark.parametrize("config", [
    {}, {"augmentation": None}, {"augmentation": "flip"}, {"augmentation": {"flip": False}},
    {"augmentation": {"flip": "yes"}}, {"augmentation": {"shift": 0.1, "flip": True}}], ids=str)
def test_views_are_mirrored_only_if_the_model_learned_so(
    first: Predictor, config: dict[str, Any]
) -> None:
    first.card = replace(first.card, config=config)
    mirror = config == {"augmentation": {"shift": 0.1, "flip": True}}
    looks: list[Images] = []
    network = first._function
    first._function = lambda images: looks.append(images) or network(images)
    (answer,) = first.predict([half_dark(10, 12)], average=True)
    assert len(looks) == view_count(mirror) == (6 if mirror else 3)
    assert any(np.array_equal(one[0], answer.seen[:, ::-1]) for one in looks) is mirror
    expected = average_views(first._ask, answer.seen[None], mirror)[0]
    assert answer.probabilities == pytest.approx(expected, abs=1e-6)
    assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_pictures_with_more_to_see_are_averaged_with_a_closer_look(first: Predictor) -> None:
    first.card = replace(first.card, dark_background=False)
    small, large = half_dark(10, 12), half_dark(200, 400)
    alone, both = first.predict([small, large], average=True)
    views = [average_views(first._ask, prepare(one, first.card)[0][None], first.card.mirrored)
             for one in (small, large, large[15:185, 30:370])]
    assert alone.probabilities == pytest.approx(views[0][0], abs=1e-6)
    assert both.probabilities == pytest.approx(geometric_mean(*views[1:])[0], abs=1e-6)


def test_a_closer_look_takes_the_inner_part_of_what_is_large_enough() -> None:
    card = make_card(input_shape=[8, 8, 3], resize="stretch")
    ring = np.zeros((80, 80, 3), np.uint8)
    ring[6:-6, 6:-6] = 255
    closer = look_closer(ring, card)
    assert closer is not None and closer.min() == 255
    assert look_closer(ring[::6, ::6], card) is None  # 14 pixels of 8: nothing new to see
    assert look_closer(ring, replace(card, dark_background=True)) is None


def test_without_averaging_the_network_looks_once(first: Predictor) -> None:
    looks: list[Images] = []
    network = first._function
    first._function = lambda images: looks.append(images) or network(images)
    first.predict([half_dark(), half_dark()])
    assert [len(look) for look in looks] == [2]


def test_an_unknown_way_is_refused(first: Predictor) -> None:
    with pytest.raises(BadInput, match="Received: 'squeeze'"):
        first.predict([half_dark()], "squeeze")


@pytest.mark.parametrize("shape, classes", [((8, 8, 1), 3), ((8, 6, 3), 3), ((8, 6, 1), 4)])
def test_a_card_that_belongs_to_another_network_is_damaged(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], classes: int
) -> None:
    monkeypatch.setattr(predictor, "read_card", make_card)
    monkeypatch.setattr(predictor, "load_network", lambda name: make_network(shape, classes))
    with pytest.raises(Damaged, match="do not belong together"):
        Predictor("first")
