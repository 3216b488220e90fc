"""What a visit keeps on the disk goes some minutes after the visit, and not before."""

import gc
import io
import weakref

import pytest

from cnn.data.staging import Staging, clear_all
from pages.shared import leaving
from pages.shared.leaving import STAYS_SECONDS, Visits


@pytest.fixture
def staged(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path))
    stage = Staging()
    return stage, stage.keep(io.BytesIO(b"mine"), 4)


@pytest.fixture
def visit(staged):
    """Return the visits, of which "a" has a file, and where that is."""
    visits = Visits()
    visits.add("a", staged[0])
    return visits, staged[1]


def test_files_go_when_their_visit_has_been_over_for_long_enough(visit):
    visits, path = visit
    visits.clear_ended(lambda visit: False, 0.0)
    visits.clear_ended(lambda visit: False, STAYS_SECONDS - 1)
    assert path.exists()
    visits.clear_ended(lambda visit: False, STAYS_SECONDS)
    assert not path.parent.exists()


def test_a_visit_that_comes_back_keeps_its_files_and_begins_anew(visit):
    visits, path = visit
    visits.clear_ended(lambda visit: False, 0.0)
    visits.clear_ended(lambda visit: True, STAYS_SECONDS - 1)
    visits.clear_ended(lambda visit: False, STAYS_SECONDS + 1)
    assert path.exists()
    visits.clear_ended(lambda visit: False, 2 * STAYS_SECONDS + 1)
    assert not path.exists()


def test_the_files_of_other_visits_stay(visit):
    visits, path = visit
    for now in (0.0, STAYS_SECONDS):
        visits.clear_ended(lambda visit: visit == "a", now)
    assert path.exists()


def test_a_visit_does_not_keep_alive_what_it_no_longer_needs():
    visits, stage = Visits(), Staging()
    visits.add("a", stage)
    seen = weakref.ref(stage)
    del stage
    gc.collect()
    assert seen() is None


def test_outside_a_page_nothing_is_noted(staged, monkeypatch):
    monkeypatch.setattr(leaving, "get_script_run_ctx", lambda: None)
    leaving.clear_when_left(staged[0])
    assert not leaving._visits._kept


def test_a_server_that_ends_leaves_no_files(staged):
    stage, path = staged
    clear_all()
    assert not path.parent.exists()
    assert stage.keep(io.BytesIO(b"more"), 4).exists()
