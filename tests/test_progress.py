"""The progress bar: its length, its words, and what they cannot do."""

import re

import pytest

from pages.shared.progress import progress_bar


@pytest.mark.parametrize(("share", "now", "width"), [
    (0.0, "0", "0.0"), (0.4567, "46", "45.7"), (1.0, "100", "100.0"), (-1.0, "0", "0.0"),
    (7.0, "100", "100.0")])
def test_it_is_as_long_as_its_share_and_says_so(share, now, width):
    bar = progress_bar(share, "Epoch 3 of 7")
    assert f'aria-valuenow="{now}"' in bar
    assert f"width:{width}%" in bar


def test_its_text_is_shown_and_read_aloud():
    bar = progress_bar(0.5, "Epoch 3 of 7")
    assert re.search(r">Epoch 3 of 7<", bar)
    assert 'aria-label="Epoch 3 of 7"' in bar


def test_a_text_is_never_markup():
    bar = progress_bar(0.5, '"><img src=x>&')
    assert "<img" not in bar
    assert bar.count("&quot;&gt;&lt;img src=x&gt;&amp;") == 2
