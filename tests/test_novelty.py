"""How strange a picture is: right numbers, few false alarms, files that are whole or damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from cnn.errors import Damaged
from cnn.evaluation.novelty import (
    DIRECTIONS,
    FILE_NAME,
    UNLIKE,
    Look,
    learn_novelty,
    read_novelty,
    write_novelty,
)

CLASSES, CHANNELS = 4, 6


def usual_look(count: int, seed: int, layers: int = 2, channels: int = CHANNELS) -> Look:
    """Images that a network is at home with: one high logit, channel means around some values."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (count, CLASSES))
    logits[np.arange(count), random.integers(0, CLASSES, count)] += 8
    means = tuple(random.normal(layer, 1 + np.arange(channels), (count, channels))
                  for layer in range(layers))
    return Look(logits.astype(np.float32), tuple(m.astype(np.float32) for m in means))


@pytest.fixture
def learned():
    return learn_novelty(usual_look(500, 0), usual_look(400, 1))


def test_pictures_of_the_same_kind_are_called_unlike_one_time_in_twenty(learned) -> None:
    novelty = learned.novelties(usual_look(4000, 2))
    assert (novelty >= UNLIKE).mean() == pytest.approx(0.05, abs=0.025)
    assert novelty.mean() == pytest.approx(0.5, abs=0.05)


def test_no_class_in_sight_is_strange(learned) -> None:
    look = usual_look(200, 3)
    none = Look(np.zeros_like(look.logits), look.means)
    assert (learned.novelties(none) >= UNLIKE).mean() > 0.9


@pytest.mark.parametrize("layer", [0, 1])
def test_unusual_values_in_any_layer_are_strange_however_sure_the_network_is(
    learned, layer: int
) -> None:
    look = usual_look(200, 3)
    means = tuple(values + 20 * (place == layer) for place, values in enumerate(look.means))
    assert (learned.novelties(Look(look.logits, means)) >= UNLIKE).mean() > 0.9


def test_even_the_strangest_of_few_validation_images_is_not_certain() -> None:
    far = Look(np.full((1, CLASSES), -50.0), (np.full((1, CHANNELS), 1e3),))
    few = learn_novelty(usual_look(50, 0, 1), usual_look(10, 1, 1))
    assert few.novelties(far) == pytest.approx(10 / 11)
    many = learn_novelty(usual_look(50, 0, 1), usual_look(19, 1, 1))
    assert many.novelties(far)[0] >= UNLIKE


def test_the_distance_is_that_of_mahalanobis_while_every_direction_is_known() -> None:
    training = usual_look(300, 0, 1)
    spread = learn_novelty(training, usual_look(100, 1, 1)).spreads[0]
    values = usual_look(5, 4, 1).means[0]
    known = training.means[0].astype(float)
    inverse = np.linalg.inv(np.cov(known.T, bias=True))
    expected = [mahalanobis(row, known.mean(0), inverse) ** 2 for row in values]
    assert spread.distance(values) == pytest.approx(expected, rel=1e-4)


def test_many_channels_are_known_in_few_directions() -> None:
    wide = learn_novelty(usual_look(300, 0, 1, 200), usual_look(100, 1, 1, 200))
    assert wide.spreads[0].directions.shape == (200, DIRECTIONS)
    assert (wide.novelties(usual_look(1000, 5, 1, 200)) >= UNLIKE).mean() < 0.12


@pytest.mark.parametrize("training", [
    Look(np.zeros((5, CLASSES)), (np.ones((5, CHANNELS)),)),
    Look(np.zeros((1, CLASSES)), (np.ones((1, CHANNELS)),)),
    Look(np.zeros((5, CLASSES)), (np.ones((5, 1)),)),
], ids=["nothing varies", "one image", "one channel"])
def test_too_little_to_learn_from_gives_finite_numbers(training: Look) -> None:
    found = learn_novelty(training, training).novelties(training)
    assert np.isfinite(found).all()


def test_a_network_without_feature_maps_is_judged_by_its_logits() -> None:
    learned = learn_novelty(usual_look(100, 0, 0), usual_look(200, 1, 0))
    assert (learned.novelties(usual_look(1000, 2, 0)) >= UNLIKE).mean() < 0.1
    assert (learned.novelties(Look(np.zeros((20, CLASSES)), ())) >= UNLIKE).all()


def test_it_comes_back_as_it_was_stored_and_is_small(learned, tmp_path: Path) -> None:
    write_novelty(tmp_path, learned)
    found, look = read_novelty(tmp_path), usual_look(100, 6)
    assert found is not None and found.fits(look)
    assert np.allclose(found.novelties(look), learned.novelties(look), atol=0.02)
    assert (tmp_path / FILE_NAME).stat().st_size < 20_000


def test_a_model_without_the_file_has_none(tmp_path: Path) -> None:
    assert read_novelty(tmp_path) is None


def test_values_of_another_network_do_not_fit(learned) -> None:
    assert learned.fits(usual_look(3, 0))
    assert not learned.fits(usual_look(3, 0, layers=1))
    assert not learned.fits(usual_look(3, 0, channels=5))


def test_a_damaged_file_says_how_to_write_it_again(learned, tmp_path: Path) -> None:
    folder = tmp_path / "first"
    folder.mkdir()
    write_novelty(folder, learned)
    whole = (folder / FILE_NAME).read_bytes()
    for data in (whole[: len(whole) // 2], b"", b"not a zip"):
        (folder / FILE_NAME).write_bytes(data)
        with pytest.raises(Damaged, match="first") as caught:
            read_novelty(folder)
        assert "evaluate first --novelty" in caught.value.hint
