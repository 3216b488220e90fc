"""Heat as pictures: the colours grow lighter, the picture stays legible, sheets are in order."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps

from cnn.prediction.heat_pictures import coloured, overlay, shades, sheet


def test_the_colours_are_viridis_to_the_eye() -> None:
    ours = coloured(np.linspace(0, 1, 256)).astype(int)
    theirs = (colormaps["viridis"](np.linspace(0, 1, 256))[:, :3] * 255).round()
    assert np.abs(ours - theirs).max() <= 20
    assert (np.diff(ours @ [0.299, 0.587, 0.114]) > -0.5).all()  # never darker
    assert np.array_equal(shades(256), coloured(np.linspace(0, 1, 256)))


def test_heat_lies_where_it_belongs_and_the_picture_is_seen_below() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = 255
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    found = overlay(picture, heat).astype(int)
    assert found.shape == (40, 40, 3)
    yellow = found[2, 2]
    assert yellow[0] > 150 and yellow[2] < 80
    assert found[35, 30].sum() - found[35, 5].sum() > 300  # light stays lighter than dark


@pytest.mark.parametrize("channels", [1, 3])
def test_a_map_without_heat_is_one_even_shade(channels: int) -> None:
    found = overlay(np.full((16, 16, channels), 100, np.uint8), np.zeros((2, 2), np.float32))
    assert found.shape == (16, 16, 3) and len(np.unique(found.reshape(-1, 3), axis=0)) == 1


def test_a_single_extreme_pixel_does_not_darken_the_others() -> None:
    heat = np.full((32, 32), 1, np.float32)
    heat[0, 0] = 1000
    found = overlay(np.zeros((32, 32, 3), np.uint8), heat)
    assert found[20, 20, 0] > 100


def test_a_sheet_has_every_map_in_its_place() -> None:
    maps = np.zeros((2, 3, 5), np.float32)
    for channel in range(5):
        maps[0, channel % 3, channel] = 7.0
    found = sheet(maps, columns=4, side=8)
    assert found.shape == (2 * 8 + 2, 4 * 12 + 3 * 2, 3)
    dark, light = coloured(np.array([0.0, 1.0]))
    assert found[0, 0].tolist() == light.tolist() and found[0, 5].tolist() == dark.tolist()
    assert found[0, 14 + 4].tolist() == light.tolist()  # the second map, its second column
    assert found[10, 4].tolist() == light.tolist()  # the fifth, in the second row
    assert found[12, 30].tolist() == [255, 255, 255]  # no sixth


def test_a_map_that_never_changes_is_dark() -> None:
    assert (sheet(np.full((4, 4, 1), 3.0, np.float32), 8, 64) == coloured(np.zeros(1))[0]).all()
