"""Numbers, times and foreign text on the pages."""

import math

import pytest

from pages.shared.formats import (
    amount,
    bytes_in_words,
    count,
    decimal,
    duration,
    mega,
    percent,
    plain,
    size,
)


@pytest.mark.parametrize(("value", "text"), [
    (0.972, "97.2 %"), (0, "0.0 %"), (1, "100.0 %"), (None, "–"), (math.nan, "–")])
def test_percent(value, text):
    assert percent(value) == text


@pytest.mark.parametrize(("value", "text"), [
    (0.08, "0.0800"), (None, "–"), (math.inf, "–")])
def test_decimal(value, text):
    assert decimal(value) == text


@pytest.mark.parametrize(("number", "text"), [
    (0, "0"), (812, "812"), (999.4, "999"), (999.6, "1.00 k"), (12_345, "12.3 k"),
    (330_240, "330 k"), (999_600, "1.00 M"), (1_250_000, "1.25 M"), (2.1e9, "2.10 G")])
def test_mega_keeps_three_digits(number, text):
    assert mega(number) == text


@pytest.mark.parametrize(("number", "text"), [
    (0, "0 MB"), (85_000, "83 kB"), (2**20, "1 MB"), (612 * 2**20, "612 MB"),
    (1000 * 2**20, "0.98 GB"), (5 * 2**28, "1.25 GB")])
def test_memory_is_told_in_megabytes_and_gigabytes(number, text):
    assert bytes_in_words(number) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (-1, "0.0 s"), (0.44, "0.4 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"),
    (185, "3 min 05 s"), (3599.7, "1 h 00 min"), (4320, "1 h 12 min"), (math.inf, "–")])
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_counts_and_things():
    assert count(60_000) == "60,000"
    assert amount(1, "image") == "1 image"
    assert amount(2000, "image") == "2,000 images"
    assert amount(10, "class") == "10 classes"


def test_size_names_height_first():
    assert size((8, 6, 1)) == "8×6, grey"
    assert size([32, 48, 3]) == "32×48, RGB"


@pytest.mark.parametrize("text", ["*bold*", "[a](b)", ":red[x]", "$x$", "`c`", "# h", "a_b", "<b>"])
def test_foreign_text_cannot_become_markup(text):
    escaped = plain(text)
    assert escaped.replace("\\", "") == text
    for mark in "*_`[]$:<#":
        assert escaped.count(mark) == escaped.count("\\" + mark)
