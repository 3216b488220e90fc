"""Charts of the Data page: what they draw, and that they are seen in both themes."""

import json

import numpy as np
import pytest

from pages.shared.data_charts import (
    BINS,
    CHANNELS,
    CLASS_COLORS,
    class_symbol,
    clicked_point,
    histogram_option,
    histogram_words,
    map_option,
)

LIGHT, DARK = (255, 255, 255), (14, 17, 23)  # backgrounds of the two themes
SHOWN = [*CLASS_COLORS, *(color for kind in CHANNELS.values() for _, color, _ in kind)]


def luminance(color):
    parts = [part / 255 for part in color]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return np.dot(linear, (0.2126, 0.7152, 0.0722))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("background", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("color", SHOWN)
def test_each_colour_stands_out_from_the_page(color, background):
    assert contrast(tuple(bytes.fromhex(color[1:])), background) >= 3


def test_sixty_classes_differ_in_colour_or_shape():
    looks = {(CLASS_COLORS[label % len(CLASS_COLORS)], class_symbol(label)) for label in range(60)}
    assert len(looks) == 60


def test_neighbouring_classes_differ_in_shape_too():
    assert all(class_symbol(label) != class_symbol(label + 1) for label in range(9))


def a_map(chosen=None, explained=(0.5, 0.25), dark=False):
    labels = np.array([0, 2, 0, 2])
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
    return map_option(("ant", "bee", "cat"), labels, points, np.array([9, 8, 7, 6]), explained,
                      chosen, dark)


def test_each_class_is_a_series_at_its_own_place_and_all_is_json():
    option = json.loads(json.dumps(a_map(chosen=1), allow_nan=False))
    ant, bee, cat, ring = option["series"]
    assert ant["data"] == [[0, 1, 9], [4, 5, 7]]
    assert bee["data"] == []
    assert cat["data"] == [[2, 3, 8], [6, 7, 6]]
    assert ring["data"] == [[2, 3]]
    assert option["legend"]["data"] == ["ant", "bee", "cat"]  # the ring cannot be switched off


def test_the_ring_is_seen_in_both_themes():
    rings = [a_map(0, dark=dark)["series"][-1]["itemStyle"]["borderColor"]
             for dark in (False, True)]
    assert rings == ["#000", "#fff"]


def test_axes_have_numbers_only_where_they_mean_something():
    assert "50.0 % of the variance" in a_map()["xAxis"]["name"]
    assert a_map(explained=())["xAxis"]["axisLabel"] == {"show": False}


@pytest.mark.parametrize(("before", "now", "point"), [
    (set(), {(1, 4)}, (1, 4)),
    ({(1, 4)}, {(1, 4), (2, 0)}, (2, 0)),
    ({(1, 4), (2, 0)}, {(1, 5), (2, 0)}, (1, 5)),
    ({(1, 4), (2, 0)}, {(2, 0)}, (1, 4)),
    ({(1, 4), (2, 0)}, set(), None),
    ({(1, 4)}, {(1, 4)}, None),
])
def test_the_clicked_point_is_what_makes_the_difference(before, now, point):
    assert clicked_point(before, now) == point


@pytest.mark.parametrize("channels", [1, 3])
def test_a_histogram_has_a_line_for_each_channel_in_per_cent(channels):
    shares = np.full((channels, BINS), 1 / BINS)
    series = histogram_option(shares)["series"]
    assert [line["name"] for line in series] == [name for name, _, _ in CHANNELS[channels]]
    assert all(value == 3.125 for line in series for value in line["data"])
    assert len({line["lineStyle"]["type"] for line in series}) == channels
    assert histogram_option(shares)["xAxis"]["data"][-1] == "248–255"


def test_levels_in_words():
    words = histogram_words("cats", np.array([1.4, 2.0, 3.0]), np.array([4.0, 5.6, 6.0]))
    assert words == ("Levels of cats, mean and standard deviation: red 1 ± 4, green 2 ± 6, "
                     "blue 3 ± 6.")
