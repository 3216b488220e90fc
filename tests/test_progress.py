"""Progress: the time that is left, and ending the work."""

import pytest

from cnn.data.progress import Cancelled, silent, until, with_time_left


def test_the_time_left_is_said_once_it_can_be_known() -> None:
    now, said = 0.0, []
    tell = with_time_left(lambda what, done, total: said.append((what, done, total)), lambda: now)
    for moment, done in ((0, 0), (1, 10), (10, 50), (20, 100)):
        now = moment
        tell("Reading", done, 100)
    now = 21
    tell("Storing", 1, 100)  # other work: its own time
    tell("Storing", 0, 0)
    assert said == [("Reading", 0, 100), ("Reading", 10, 100), ("Reading, 10 s left", 50, 100),
                    ("Reading", 100, 100), ("Storing", 1, 100), ("Storing", 0, 0)]


def test_work_ends_when_it_is_cancelled() -> None:
    wanted = iter([False, True])
    tell = until(lambda: next(wanted), silent)
    tell("Reading", 1, 2)
    with pytest.raises(Cancelled):
        tell("Reading", 2, 2)
