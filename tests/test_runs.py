"""Run folders and their manager, without training anything."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from run_folders import tell

from cnn import files
from cnn.api_records import run_detail, run_record
from cnn.config import Augmentation, RunConfig
from cnn.errors import BadInput, CnnError, Damaged, NotFound, Unavailable
from cnn.runs import manager, queue, steering
from cnn.runs.folder import SECONDS_TO_START, RunFolder, Status, changes_told, epochs_told
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
    tell(folder, BatchEvent(1, 2, 3, 0.5, 0.8, 1e-3, 99.0, 1.0, 5.0))
    tell(folder, epoch)
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


def test_a_folder_that_may_only_be_read_has_no_living_trainer(run, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    folder = run(state="running", started=time.time())
    (folder.path / "lock").touch()
    monkeypatch.setattr("cnn.runs.folder.FileLock.acquire", refuse)
    (listed,) = manager.list_runs()
    assert listed.status.state == "interrupted"


def test_a_damaged_lock_is_said_and_hides_no_other_run(run):
    folder = run(state="running", started=time.time())
    (folder.path / "lock").mkdir()
    run("20260102-000000-good", state="finished")
    good, bad = manager.list_runs()
    assert (good.status.state, bad.status.state) == ("finished", "failed")
    assert "lock" in str(bad.error)


def test_a_run_that_was_only_just_started_is_not_called_interrupted(run):
    folder = run()
    assert manager.get_run(folder.run_id).status.state == "starting"
    folder.write_status(Status(created=time.time() - SECONDS_TO_START - 1))
    assert manager.get_run(folder.run_id).status.state == "interrupted"


def test_asking_to_stop_shows_at_once_and_only_active_runs_can_be_asked(run, holder):
    folder = run(state="running", started=time.time())
    holder(folder)
    assert steering.stop_run(folder.run_id).status.state == "stopping"
    assert folder.read_control().wish == "stop"
    ended = run("20260101-000001-second", state="finished")
    with pytest.raises(BadInput, match="finished"):
        steering.stop_run(ended.run_id)


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


def test_a_folder_in_the_place_of_a_file_is_said_in_words(run):
    run("20260101-000000-good", state="running", started=1.0)
    bad = run("20260102-000000-bad", state="running", started=1.0)
    for name in ("metrics.jsonl", "log.txt", "lock"):
        (bad.path / name).mkdir()
    assert bad.log_tail() == ""
    for read in (bad.read_events, bad.is_alive):
        with pytest.raises(Damaged, match="cannot be"):
            read()
    listed = manager.list_runs()
    assert isinstance(listed[0].error, Damaged)
    assert "lock" in listed[0].status.message
    assert listed[1].status.state == "interrupted"


@pytest.mark.parametrize("run_id", ["..", "../runs", "a/b", ".hidden", "", "A", "x" * 200])
def test_hostile_run_ids_never_reach_the_disk(run_id):
    with pytest.raises(BadInput):
        manager.get_run(run_id)


def test_an_unknown_run_is_not_found():
    with pytest.raises(NotFound, match="The page Runs"):
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
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(Unavailable, match="10 MB"):
        manager.check_run(CONFIG)


def test_a_large_network_needs_more_room_than_a_small_one(monkeypatch):
    usage = type("usage", (), {"free": 100 * 2**20})
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: usage)
    manager.check_run(CONFIG)
    with pytest.raises(Unavailable, match=r"547 MB are needed and 100 MB are free"):
        manager.check_space(10_000_000)


def test_a_place_for_runs_that_cannot_be_written_is_said_with_the_way_out(tmp_path, spawned):
    (tmp_path / "runs").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot be kept") as caught:
        manager.start_run(CONFIG)
    assert "CNN_RUNS_DIR" in caught.value.hint
    assert not spawned


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


@pytest.fixture
def spawned(monkeypatch):
    """The commands of trainers that would have been started."""
    commands = []
    monkeypatch.setattr(manager, "_spawn", lambda command, log: commands.append(command))
    return commands


def test_an_interrupted_run_is_started_again_with_what_it_had(run, spawned):
    folder = run(state="running", started=1.0, stage="training", epoch=3, seconds=9.0, sittings=1)
    folder.ask(wish="stop")  # of the trainer that died: not meant for the next
    assert manager.get_run(folder.run_id).status.state == "interrupted"
    status = steering.resume_run(folder.run_id).status
    assert [command[-1] for command in spawned] == [str(folder.path)]
    assert (status.state, status.epoch, status.seconds, status.sittings) == ("starting", 3, 9.0, 1)
    assert folder.read_control().wish == ""
    with pytest.raises(BadInput, match="it is starting"):  # a second click
        steering.resume_run(folder.run_id)
    assert len(spawned) == 1


def test_a_trainer_that_cannot_be_started_is_said_in_words(run, spawned):
    folder = run(state="paused")
    folder.log_file.mkdir()
    with pytest.raises(Unavailable, match="cannot be started"):
        steering.resume_run(folder.run_id)
    assert spawned == []


def test_a_trainer_that_does_not_start_leaves_the_run_to_be_resumed_again(run, spawned):
    folder = run(state="running", started=1.0, epoch=3, created=time.time() - 1000)
    steering.resume_run(folder.run_id)
    folder.write_status(replace(folder.read_status(), asked=time.time() - SECONDS_TO_START - 1))
    assert manager.get_run(folder.run_id).status.state == "interrupted"
    assert steering.resume_run(folder.run_id).status.state == "starting"


@pytest.mark.parametrize("state", ["finished", "stopped"])
def test_a_run_that_has_ended_is_not_resumed_but_can_train_more_epochs(run, spawned, state):
    folder = run(state=state, started=1.0)
    folder.checkpoints.write(b"its state", 1, 0)
    with pytest.raises(BadInput, match=f"cannot be resumed: it is {state}") as caught:
        steering.resume_run(folder.run_id)
    assert "--more-epochs" in caught.value.hint
    assert not spawned


@pytest.mark.parametrize("state", ["finished", "stopped", "diverged"])
def test_a_run_without_a_checkpoint_cannot_go_on(run, spawned, state):
    folder = run(state=state, started=1.0, best_epoch=1)
    for act in (steering.finish_run, lambda run_id: steering.continue_run(run_id, 3)):
        with pytest.raises(BadInput, match="no checkpoint") as caught:
            act(folder.run_id)
        assert "same settings" in caught.value.hint
    assert not spawned


def test_a_run_that_trains_is_not_resumed(run, holder, spawned):
    folder = run(state="running", started=time.time())
    holder(folder)
    with pytest.raises(BadInput, match="it is running"):
        steering.resume_run(folder.run_id)
    assert not spawned


def test_nothing_is_resumed_on_a_full_disk_and_the_run_stays_interrupted(
        run, spawned, monkeypatch):
    folder = run(state="running", started=1.0)
    usage = type("usage", (), {"free": 10 * 2**20})
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(Unavailable, match="10 MB"):
        steering.resume_run(folder.run_id)
    assert manager.get_run(folder.run_id).status.state == "interrupted"
    assert not spawned


def test_a_damaged_or_missing_run_is_not_resumed(run, spawned):
    folder = run(state="running", started=1.0)
    (folder.path / "config.json").unlink()
    with pytest.raises(Damaged):
        steering.resume_run(folder.run_id)
    with pytest.raises(NotFound):
        steering.resume_run("20200101-000000-none")
    assert not spawned


def test_history_takes_each_epoch_once_and_none_that_is_void():
    def told(epoch, loss):
        return {"kind": "epoch", "epoch": epoch, "loss": loss}

    events = [told(1, 0.9), {"kind": "batch", "epoch": 2}, told(2, 0.8), told(3, 0.7),
              {"kind": "resume", "epoch": 2}, told(3, 0.6), told(4, 0.5), {"no": "kind"}]
    assert epochs_told(events, 3) == [
        {"epoch": 1, "loss": 0.9}, {"epoch": 2, "loss": 0.8}, {"epoch": 3, "loss": 0.6}]


def test_damaged_lines_cost_only_themselves():
    lost: list[dict[str, object]] = [
        {"kind": "epoch", "epocj": 1}, {"kind": "change", "epoch": 1, "batch": 1, "batches": 0},
        {"kind": "change", "text": "?"}, {"kind": "resume"}, {"kinf": "epoch"}]
    change = {"kind": "change", "epoch": 1, "batch": 1, "batches": 2, "text": "Other."}
    events = [*lost, {"kind": "epoch", "epoch": 1}, change, *lost]
    assert epochs_told(events, 5) == [{"epoch": 1}]
    assert changes_told(events) == ["Epoch 1: Other."]


@pytest.mark.parametrize(("before", "after"), [
    (b'{"a": 1}\n', b'{"a": 1}\n'), (b'{"a": 1}\n{"b', b'{"a": 1}\n{"b\n')])
def test_only_a_torn_line_is_ended(run, before, after):
    folder = run()
    folder.end_torn_line()  # no file yet
    assert not folder.metrics_file.exists()
    folder.metrics_file.write_bytes(before)
    folder.end_torn_line()
    assert folder.metrics_file.read_bytes() == after


def test_the_last_epoch_told_of_a_resumed_run_is_one_that_counts(run):
    folder = run(state="running", started=1.0, epoch=1)
    for epoch in (1, 2):  # the second came from a trainer that died before its checkpoint
        tell(folder, EpochEvent(epoch, 0.5, 0.8, 0.6, 0.7, 1e-3, 99.0, 2.0, True))
    assert run_detail(manager.get_run(folder.run_id))["last_epoch"]["epoch"] == 1


def test_the_time_of_an_active_run_counts_its_earlier_sittings(run, holder):
    folder = run(state="running", started=time.time() - 5, seconds=100.0, sittings=2)
    holder(folder)
    assert 100 <= run_record(manager.get_run(folder.run_id))["seconds"] < 110


# Asking things of a run


def test_a_pause_shows_at_once_and_not_when_the_training_is_over(run, holder):
    folder = run(state="running", started=time.time(), stage="training")
    holder(folder)
    assert steering.pause_run(folder.run_id).status.state == "pausing"
    folder.ask(wish="")
    folder.write_status(replace(folder.read_status(), stage="evaluating on the test images"))
    with pytest.raises(BadInput, match="training is over"):
        steering.pause_run(folder.run_id)
    with pytest.raises(BadInput, match="it is finished"):
        steering.pause_run(run("20260101-000001-x", state="finished").run_id)


@pytest.mark.parametrize("state", ["paused", "interrupted", "failed"])
def test_a_run_at_rest_is_taken_up_and_keeps_what_it_had(run, spawned, state):
    folder = run(state=state, started=1.0, epoch=2, seconds=7.0)
    status = steering.resume_run(folder.run_id).status
    assert (status.state, status.epoch, status.seconds) == ("starting", 2, 7.0)
    assert len(spawned) == 1


def test_a_diverged_run_goes_on_with_another_rate(run, spawned):
    folder = run(state="diverged", started=1.0, epoch=2)
    folder.checkpoints.write(b"its state", 2, 0)
    assert steering.resume_run(folder.run_id, 0.0001).config.learning_rate == 0.0001


def test_more_epochs_count_from_those_that_are_done(run, spawned):
    folder = run(state="finished", started=1.0, epoch=8, model="first")
    folder.checkpoints.write(b"its state", 8, 0)
    assert steering.continue_run(folder.run_id, 3).config.epochs == 11
    assert manager.get_run(folder.run_id).folder.read_config()[0].epochs == CONFIG.epochs
    with pytest.raises(BadInput, match="it is starting"):
        steering.continue_run(folder.run_id, 3)


@pytest.mark.parametrize("more", [0, -1])
def test_no_more_epochs_are_refused(run, spawned, more):
    folder = run(state="finished", started=1.0)
    folder.checkpoints.write(b"its state", 8, 0)
    with pytest.raises(BadInput, match="1 or more"):
        steering.continue_run(folder.run_id, more)
    assert not spawned


def test_a_model_can_be_made_of_the_best_epoch_of_a_run_that_was_left(run, spawned):
    folder = run(state="paused", started=1.0, epoch=2, best_epoch=1)
    assert steering.finish_run(folder.run_id).folder.read_control().wish == "stop"
    none = run("20260101-000001-x", state="paused", started=1.0)
    with pytest.raises(BadInput, match="no whole epoch"):
        steering.finish_run(none.run_id)
    assert len(spawned) == 1


def test_changes_are_asked_for_together_and_seen_by_everybody(run):
    folder = run(state="paused", started=1.0, epoch=2)
    steering.change_run(folder.run_id, learning_rate=0.5)
    changed = steering.change_run(
        folder.run_id, epochs=7, augmentation=Augmentation(flip=True))
    config = changed.config
    assert (config.learning_rate, config.epochs, config.augmentation.flip) == (0.5, 7, True)
    assert folder.read_control().wish == ""


@pytest.mark.parametrize(("changes", "words"), [
    ({}, "learning_rate, epochs, augmentation"), ({"seed": 3}, "Received: seed"),
    ({"epochs": 2}, "more than the 2"), ({"epochs": 10**6}, "epochs must be"),
    ({"learning_rate": -1.0}, "learning_rate must be"),
    ({"learning_rate": float("nan")}, "learning_rate must be"),
])
def test_a_change_that_cannot_be_is_refused_in_words(run, changes, words):
    folder = run(state="paused", started=1.0, epoch=2)
    with pytest.raises(BadInput, match=words):
        steering.change_run(folder.run_id, **changes)
    assert manager.get_run(folder.run_id).config == CONFIG


@pytest.mark.parametrize("content", [
    "{", "[]", '{"wish": "dance"}', '{"epochs": "many"}', '{"augmentation": 3}'])
def test_wishes_edited_into_nonsense_hide_no_run_and_are_replaced_by_the_next(run, content):
    folder = run(state="paused", started=1.0)
    folder.control_file.write_text(content)
    with pytest.raises(CnnError):
        folder.read_control()
    assert manager.get_run(folder.run_id).config == CONFIG
    steering.change_run(folder.run_id, epochs=7)
    assert manager.get_run(folder.run_id).config.epochs == 7


def test_changes_told_are_those_that_a_resumed_run_kept():
    def change(epoch, batch, text):
        return {"kind": "change", "epoch": epoch, "batch": batch, "batches": 4, "text": text}

    events = [change(1, 2, "kept"), change(2, 1, "void"), {"kind": "resume", "epoch": 1},
              change(2, 0, "again"), {"kind": "resume", "epoch": 1, "batch": 2, "batches": 4},
              change(2, 0, "again"), {"kind": "note"}]
    assert changes_told(events) == ["Epoch 1: kept", "Epoch 2: again"]


def test_what_cannot_be_asked_for_in_a_folder_that_may_only_be_read_is_said(run, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    folder = run(state="paused", started=1.0)
    monkeypatch.setattr("cnn.files.FileLock.acquire", refuse)
    with pytest.raises(Unavailable, match="cannot be written"):
        steering.change_run(folder.run_id, epochs=7)
    with pytest.raises(Unavailable, match="cannot be written"):
        steering.move_run(folder.run_id, -1)


# A clock that jumps


@pytest.mark.parametrize("offset", [-10_000, 10_000])
def test_a_clock_that_jumps_leaves_no_run_starting_for_ever(run, offset):
    folder = run(state="starting", created=time.time() + offset)
    assert manager.get_run(folder.run_id).status.state == "interrupted"


def test_a_waiting_trainer_that_died_is_started_again(run, spawned):
    folder = run(state="queued", created=time.time() - 1000)
    queue.enter(folder.run_id)
    assert manager.get_run(folder.run_id).status.state == "queued"
    manager.tend_queue()
    assert [command[-1] for command in spawned] == [str(folder.path)]
    manager.tend_queue()  # it has just been asked
    assert len(spawned) == 1


def test_the_queue_forgets_a_run_that_has_ended(run, spawned):
    folder = run(state="finished", created=time.time() - 1000)
    queue.enter(folder.run_id)
    manager.tend_queue()
    assert queue.waiting() == []
    assert not spawned


def test_a_waiting_run_that_is_cancelled_while_nobody_waits_for_it_is_cancelled(run, spawned):
    folder = run(state="queued", created=time.time() - 1000)
    queue.enter(folder.run_id)
    steering.stop_run(folder.run_id)
    manager.tend_queue()
    assert folder.read_control().wish == "stop"  # for the trainer that it starts
