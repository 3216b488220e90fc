"""Sums over an epoch in parts, and an estimate of the time left that is steady at once."""

import pytest

from cnn.training.meter import Meter, Pace
from cnn.training.progress import Partial


def test_an_epoch_in_two_parts_has_the_sums_of_one():
    whole, first = Meter(2, Partial()), Meter(2, Partial())
    steps = [(2.0, 3, 10), (1.0, 5, 10), (0.5, 9, 9)]
    for step in steps:
        whole.add(*step)
    first.add(*steps[0])
    second = Meter(2, first.partial)
    for step in steps[1:]:
        second.add(*step)
    assert (second.batch, second.seen, second.right) == (3, 29, 17)
    assert second.mean_loss == whole.mean_loss == pytest.approx((20 + 10 + 4.5) / 29)
    assert second.mean_accuracy == 17 / 29
    assert second.partial.seconds >= first.partial.seconds
    assert second.speed == pytest.approx(29 / second.partial.seconds)


def test_what_is_told_is_what_happened_since_the_last_time():
    meter = Meter(1, Partial(batch=4, seen=40, right=20, loss=80.0, seconds=9.0))
    meter.add(1.0, 4, 10)
    assert (meter.tell().loss, meter.batch) == (1.0, 5)
    meter.add(3.0, 2, 10)
    meter.add(5.0, 4, 10)
    since = meter.tell()
    assert (since.images, since.loss, since.accuracy) == (20, 4.0, 0.3)


def test_the_first_step_says_nothing_of_the_pace():
    pace = Pace(1000, 0)
    pace.add(60.0, 100)  # the graph is built in it
    assert pace.seconds_left(900, 1) is None
    pace.add(2.0, 100)
    assert pace.seconds_left(800, 1) == pytest.approx(16)


def test_a_new_epoch_begins_with_the_pace_of_the_one_before():
    pace = Pace(1000, 300)
    for _ in range(11):
        pace.add(1.0, 100)
    assert pace.seconds_left(0, 1) == pytest.approx(1.0)  # a third of 300 images, not measured yet
    pace.end_epoch(4.0)
    assert pace.seconds_left(1000, 1) == pytest.approx(10 + 4)
    pace.add(3.0, 100)  # one slow step hardly moves it
    assert pace.per_image == pytest.approx((3 + 200 * 0.01) / 300)
    for _ in range(50):
        pace.add(3.0, 100)
    assert pace.per_image == pytest.approx(0.03, rel=0.05)  # a slower machine is believed
