"""Deleting runs, undoing it, and what goes for good."""

import os
import time

import pytest
from model_folders import write_model
from run_folders import write_run

from cnn import files
from cnn.errors import BadInput, NotFound, Unavailable
from cnn.paths import models_dir, runs_dir
from cnn.runs.labels import write_label
from cnn.runs.manager import get_run, list_runs
from cnn.runs.trash import delete_run, deleted_runs, title_of
from cnn.trash import DAYS_KEPT

RUN = "20260102-030405-first"
pytestmark = pytest.mark.usefixtures("empty_folders")


def ids(runs):
    return [run.run_id for run in runs]


def deleted_ids():
    return [deleted.name for deleted in deleted_runs().entries()]


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


def age(run_id, days):
    old = time.time() - 86400 * days
    os.utime(runs_dir() / ".trash" / run_id, (old, old))


def test_a_deleted_run_is_gone_and_comes_back_as_it_was():
    folder = write_run(RUN, state="finished", model="first")
    write_label(RUN, title="Mine")
    before = contents(folder.path)
    assert delete_run(RUN) == RUN
    assert list_runs() == []
    (deleted,) = deleted_runs().entries()
    assert (deleted.name, title_of(deleted)) == (RUN, "Mine")
    assert abs(deleted.deleted - time.time()) < 10
    assert deleted_runs().restore(RUN) == RUN
    assert contents(folder.path) == before
    assert deleted_runs().entries() == []


def test_its_saved_model_is_not_touched():
    write_model("first")
    before = contents(models_dir())
    write_run(RUN, state="finished", model="first")
    delete_run(RUN)
    deleted_runs().empty()
    assert contents(models_dir()) == before


def test_an_active_run_is_refused_with_what_to_do():
    folder = write_run(RUN, state="running")
    with folder.lock(), pytest.raises(BadInput, match=f"python -m cnn stop {RUN}"):
        delete_run(RUN)
    assert ids(list_runs()) == [RUN]
    delete_run(RUN)  # its trainer is dead: nobody writes any more
    assert list_runs() == []


@pytest.mark.parametrize("name", [RUN, "Copy of a run", "20260102-030405-first (1)"])
def test_a_damaged_run_can_be_deleted_whatever_its_name(name):
    folder = write_run(RUN)
    (folder.path / "status.json").write_text("{")
    folder.path.rename(runs_dir() / name)
    assert delete_run(name) == name
    assert deleted_runs().restore(name) == name
    assert ids(list_runs()) == [name]


@pytest.mark.parametrize("run_id", [
    "nothing-here", "", ".", "..", ".trash", "../models", "a/b", "a\\b", "a" * 300])
def test_only_runs_can_be_deleted_and_only_deleted_ones_restored(run_id):
    write_model("first")
    write_run(RUN, state="finished")
    delete_run(RUN)
    before = contents(runs_dir().parent)
    with pytest.raises((NotFound, BadInput)):
        delete_run(run_id)
    with pytest.raises(NotFound):
        deleted_runs().restore(run_id)
    assert contents(runs_dir().parent) == before


def test_a_name_that_is_taken_meanwhile_overwrites_nothing_either_way():
    write_run(RUN, state="finished", message="older")
    delete_run(RUN)
    write_run(RUN, state="finished", message="newer")
    assert deleted_runs().restore(RUN) == f"{RUN}-2"
    assert [get_run(i).status.message for i in (RUN, f"{RUN}-2")] == ["newer", "older"]
    delete_run(RUN)
    write_run(RUN, state="finished", message="newest")
    assert delete_run(RUN) == f"{RUN}-2"
    assert sorted(deleted_ids()) == [RUN, f"{RUN}-2"]


def test_what_was_deleted_long_ago_goes_for_good_and_nothing_else():
    for number in range(3):
        write_run(f"2026010{number + 1}-000000-x", state="finished")
        delete_run(f"2026010{number + 1}-000000-x")
    age("20260101-000000-x", DAYS_KEPT + 1)
    age("20260102-000000-x", DAYS_KEPT - 1)
    age("20260103-000000-x", -400)  # the clock was set back
    assert deleted_runs().sweep() == 1
    assert sorted(deleted_ids()) == ["20260102-000000-x", "20260103-000000-x"]
    age("20260102-000000-x", DAYS_KEPT + 1)
    write_run(RUN, state="finished")
    delete_run(RUN)  # sweeps as well
    assert sorted(deleted_ids()) == ["20260102-030405-first", "20260103-000000-x"]


def test_the_age_of_a_deleted_run_counts_from_its_deletion():
    folder = write_run(RUN, state="finished")
    os.utime(folder.path, (0, 0))
    delete_run(RUN)
    assert deleted_runs().sweep() == 0


def test_emptying_removes_all_and_what_an_earlier_one_left_half_done():
    write_run(RUN, state="finished")
    delete_run(RUN)
    (runs_dir() / ".trash" / ".tmp-left").mkdir()
    assert deleted_ids() == [RUN]
    assert deleted_runs().empty() == 1
    assert list((runs_dir() / ".trash").iterdir()) == []
    assert deleted_runs().empty() == 0


def test_nothing_deleted_is_no_failure():
    assert (deleted_runs().entries(), deleted_runs().sweep(), deleted_runs().empty()) == ([], 0, 0)


def test_a_folder_of_runs_that_cannot_be_written_loses_nothing(monkeypatch):
    folder = write_run(RUN, state="finished")
    before = contents(folder.path)

    def refuse(*paths):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(Unavailable, match="Read-only"):
        delete_run(RUN)
    assert contents(folder.path) == before
    assert ids(list_runs()) == [RUN]
