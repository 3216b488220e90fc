"""Run folders and their manager, without training anything."""

import json
import subprocess
import sys
import time

import pytest

from cnn.config import RunConfig
from cnn.errors import BadInput, Damaged, NotFound, Unavailable
from cnn.runs import manager
from cnn.runs.folder import SECONDS_TO_START, RunFolder, Status
from cnn.training.events import BatchEvent, EpochEvent

CONFIG = RunConfig(dataset="digits", architecture="base", name="first")
HOLDER = ("import sys, time; from pathlib import Path; from cnn.runs.folder import RunFolder\n"
          "with RunFolder(Path(sys.argv[1])).lock().acquire():\n"
          "    print('held', flush=True); time.sleep(60)")


pytestmark = pytest.mark.usefixtures("empty_folders")


@pytest.fixture
def run(tmp_path):
    """A run as `start_run` leaves it, but with no trainer."""
    def make(run_id="20260101-000000-first", **status):
        path = tmp_path / "runs" / run_id
        path.mkdir(parents=True)
        folder = RunFolder(path)
        folder.write_config(CONFIG, "the command")
        folder.write_status(Status(**{"created": time.time(), **status}))
        return folder
    return make


@pytest.fixture
def holder():
    """Starts a process that holds a run's lock, as a trainer does."""
    processes = []

    def start(folder):
        process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder.path)],
                                   stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_config_and_events_come_back_as_written(run):
    folder = run()
    assert folder.read_config() == (CONFIG, "the command")
    epoch = EpochEvent(1, 0.5, 0.8, 0.6, 0.7, 1e-3, 99.0, 2.0, True)
    folder.append_event(BatchEvent(1, 2, 3, 0.5, 0.8, 1e-3, 99.0, 1.0, 5.0))
    folder.append_event(epoch)
    records, end = folder.read_events()
    assert [record["kind"] for record in records] == ["batch", "epoch"]
    assert records[1]["val_accuracy"] == 0.7
    assert folder.read_events(end) == ([], end)


def test_alive_means_that_the_lock_is_held_and_ends_with_the_process(run, holder):
    folder = run(state="running", started=time.time(), stage="training")
    assert not folder.is_alive()
    process = holder(folder)
    assert folder.is_alive()
    assert manager.get_run(folder.run_id).status.state == "running"
    process.kill()  # no wait: a zombie must not look alive
    end = time.monotonic() + 5
    while folder.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    status = manager.get_run(folder.run_id).status
    assert status.state == "interrupted"
    assert "training" in status.message
    assert not manager.get_run(folder.run_id).active


def test_a_run_that_was_only_just_started_is_not_called_interrupted(run):
    folder = run()
    assert manager.get_run(folder.run_id).status.state == "starting"
    folder.write_status(Status(created=time.time() - SECONDS_TO_START - 1))
    assert manager.get_run(folder.run_id).status.state == "interrupted"


def test_asking_to_stop_shows_at_once_and_only_active_runs_can_be_asked(run, holder):
    folder = run(state="running", started=time.time())
    holder(folder)
    assert manager.stop_run(folder.run_id).status.state == "stopping"
    assert folder.stop_asked()
    ended = run("20260101-000001-second", state="finished")
    with pytest.raises(BadInput, match="finished"):
        manager.stop_run(ended.run_id)


def test_ended_states_are_never_changed_by_a_free_lock(run):
    for number, state in enumerate(("finished", "stopped", "failed", "diverged", "interrupted")):
        folder = run(f"20260101-00000{number}-x", state=state, started=1.0)
        assert manager.get_run(folder.run_id).status.state == state


@pytest.mark.parametrize("damage", [
    lambda path: (path / "config.json").unlink(),
    lambda path: (path / "config.json").write_text("{"),
    lambda path: (path / "config.json").write_text('{"dataset": "digits"}'),
    lambda path: (path / "status.json").unlink(),
    lambda path: (path / "status.json").write_text('{"state": "dancing"}'),
    lambda path: (path / "status.json").write_bytes(b"\xff\xfe"),
    lambda path: (path / "status.json").write_text(json.dumps({"state": ["running"]})),
])
def test_one_damaged_run_is_listed_with_its_error_and_hides_no_other(run, damage):
    run("20260101-000000-good", state="finished")
    bad = run("20260102-000000-bad", state="finished")
    damage(bad.path)
    listed = manager.list_runs()
    assert [info.run_id for info in listed] == ["20260102-000000-bad", "20260101-000000-good"]
    assert isinstance(listed[0].error, Damaged | BadInput)
    assert listed[0].status.message
    assert listed[1].error is None


@pytest.mark.parametrize("run_id", ["..", "../runs", "a/b", ".hidden", "", "A", "x" * 200])
def test_hostile_run_ids_never_reach_the_disk(run_id):
    with pytest.raises(BadInput):
        manager.get_run(run_id)


def test_an_unknown_run_is_not_found():
    with pytest.raises(NotFound):
        manager.get_run("20200101-000000-none")
    assert manager.list_runs() == []


@pytest.mark.parametrize(("changes", "kind", "words"), [
    ({"dataset": "digitz"}, NotFound, "digits"),
    ({"architecture": "bass"}, NotFound, "base"),
    ({"architecture": "lenet"}, BadInput, "conv_2"),
])
def test_what_cannot_work_is_refused_before_anything_is_made(tmp_path, changes, kind, words):
    config = RunConfig(**{"dataset": "digits", "architecture": "base", "name": "x", **changes})
    with pytest.raises(kind) as caught:
        manager.start_run(config)
    assert words in str(caught.value)
    assert manager.list_runs() == []


def test_a_taken_model_name_is_refused(tmp_path):
    (tmp_path / "models" / "first").mkdir(parents=True)
    with pytest.raises(BadInput, match="exists already"):
        manager.start_run(CONFIG)


def test_a_nearly_full_disk_is_said_before_the_start(monkeypatch):
    usage = type("usage", (), {"free": 10 * 2**20})
    monkeypatch.setattr(manager.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(Unavailable, match="10 MB"):
        manager.check_run(CONFIG)


def test_two_runs_in_one_second_get_two_folders(monkeypatch):
    monkeypatch.setattr(manager, "_spawn", lambda command, log: None)
    monkeypatch.setattr(manager.time, "strftime", lambda *_: "20260101-000000")
    one, two = manager.start_run(CONFIG), manager.start_run(CONFIG)
    assert one != two
    assert {info.run_id for info in manager.list_runs()} == {one, two}


def test_the_longest_model_name_still_makes_a_run_that_can_be_found(monkeypatch):
    monkeypatch.setattr(manager, "_spawn", lambda command, log: None)
    run_id = manager.start_run(CONFIG.with_name("n" * 64))
    assert manager.get_run(run_id).config.name == "n" * 64
