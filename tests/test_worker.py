"""The trainer process for real: a few seconds of digits each, and real kills."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from picture_files import saved, scenery, write_folder
from run_folders import tell

from cnn.config import Augmentation, RunConfig, config_from_dict
from cnn.data.dividing import SplitPlan
from cnn.data.edits import apply_edit
from cnn.data.importing import import_images
from cnn.evaluation.results import read_evaluation
from cnn.prediction.saved import list_models, read_card, read_history
from cnn.runs import manager, queue, steering
from cnn.training.events import BatchEvent, EpochEvent
from pages.shared.run_log import RunLog

PATIENCE = 90  # seconds; a busy machine starts TensorFlow slowly


pytestmark = pytest.mark.usefixtures("empty_folders")


def start(**settings):
    return manager.start_run(RunConfig(**{
        "dataset": "digits", "architecture": "base", "name": "first", "epochs": 2, **settings}))


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def epochs_of(run_id):
    return manager.get_run(run_id).status.epoch


@pytest.fixture
def endless():
    """A run that trains until it is ended."""
    run_id = start(epochs=10_000)
    wait_for(lambda: epochs_of(run_id) >= 1)
    yield run_id
    status = manager.get_run(run_id).status
    if manager.get_run(run_id).active:
        os.kill(status.pid, signal.SIGKILL)


def test_a_run_ends_with_a_model_whose_figures_can_be_checked_without_us(tmp_path):
    run_id = start(architecture="batchnorm", precision="bfloat16", early_stopping=2,
                   augmentation=Augmentation(shift=0.13))
    run = manager.wait_until_ended(run_id, PATIENCE)
    assert (run.status.state, run.status.model) == ("finished", "first"), run.folder.log_tail()
    card, evaluation = read_card("first"), read_evaluation(tmp_path / "models" / "first")
    assert card.test_accuracy == evaluation.accuracy == run.status.test_accuracy
    assert card.test_n == 359
    assert config_from_dict(card.config) == run.config
    assert card.command == run.command
    assert [row["epoch"] for row in read_history("first")] == [1, 2]
    for row in read_history("first"):  # a snapshot of each epoch, with its own answers
        kept = run.folder.snapshots.answers(row["epoch"])
        assert (kept.answers == kept.labels).mean() == pytest.approx(row["val_accuracy"])
    assert card.sittings == 1
    assert card.temperature != 1
    assert 0 <= card.calibration_error <= 1 and 0 <= card.calibration_error_before <= 1
    assert card.averaged_test_accuracy == pytest.approx(card.test_accuracy, abs=0.2)

    # Plain Keras, in a process that cannot see this package, must find the same accuracy.
    images = np.load(tmp_path / "data" / "cnn-studio" / "digits" / "test_images.npy")
    labels = np.load(tmp_path / "data" / "cnn-studio" / "digits" / "test_labels.npy")
    np.savez(tmp_path / "test.npz", images=images, labels=labels)
    code = ("import keras, numpy, sys\n"
            "data = numpy.load('test.npz')\n"
            "model = keras.models.load_model(sys.argv[1])\n"
            "answers = model.predict(data['images'].astype('float32'), verbose=0)\n"
            "assert {v.dtype for v in model.weights} <= {'float32'}\n"
            "right = answers[range(len(answers)), data['labels']]\n"
            "print((answers.argmax(1) == data['labels']).mean(), -numpy.log(right).mean())")
    found = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path / "models" / "first" / "model.keras")],
        cwd=tmp_path, capture_output=True, text=True, check=True)
    accuracy, loss = map(float, found.stdout.split()[-2:])
    assert accuracy == pytest.approx(card.test_accuracy, abs=1e-9)
    assert loss == pytest.approx(card.test_loss, abs=1e-4)  # calibrated, in the file itself


def test_a_stop_keeps_the_best_so_far(endless):
    steering.stop_run(endless)
    asked = time.monotonic()
    run = manager.wait_until_ended(endless, PATIENCE)
    assert time.monotonic() - asked < PATIENCE
    assert run.status.state == "stopped"
    card = read_card(run.status.model)
    assert card.stopped
    assert 1 <= card.best_epoch <= card.epochs < 10_000
    best = max(row["val_accuracy"] for row in read_history(run.status.model))
    assert card.val_accuracy == best


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_sigterm_is_a_pause(endless):
    os.kill(manager.get_run(endless).status.pid, signal.SIGTERM)
    status = manager.wait_until_ended(endless, PATIENCE).status
    assert (status.state, status.model) == ("paused", "")
    assert "asked to end" in status.message


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_trainer_is_interrupted_with_its_epochs_on_record(endless):
    os.kill(manager.get_run(endless).status.pid, signal.SIGKILL)
    run = manager.wait_until_ended(endless, PATIENCE)
    assert run.status.state == "interrupted"
    assert run.status.epoch >= 1
    records, _ = run.folder.read_events()
    assert sum(record["kind"] == "epoch" for record in records) >= 1
    assert run.folder.checkpoints.paths()
    assert list_models() == []


# Going on


def epochs_in(records):
    return [record["epoch"] for record in records if record["kind"] == "epoch"]


@pytest.fixture
def here(monkeypatch):
    """Run trainers in this process: start or resume a run, and return its end."""
    from cnn.runs.worker import main

    monkeypatch.setattr(manager, "_spawn", lambda command, log: main(command[-1]))
    monkeypatch.setattr("cnn.runs.worker.signal.signal", lambda *_: None)
    monkeypatch.setattr("cnn.runs.worker.psutil.Process.nice", lambda *_: None)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_run_goes_on_to_the_result_it_would_have_had(monkeypatch, request):
    settings = {"epochs": 15, "seed": 4, "architecture": "dropout", "batch_size": 100}
    run_id = start(**settings)
    wait_for(lambda: epochs_of(run_id) >= 2)
    os.kill(manager.get_run(run_id).status.pid, signal.SIGKILL)
    killed = manager.wait_until_ended(run_id, PATIENCE)
    assert killed.status.state == "interrupted"
    assert [run.status.state for run in manager.list_runs()] == ["interrupted"]
    assert 2 <= killed.status.epoch < 15

    assert steering.resume_run(run_id).active
    run = manager.wait_until_ended(run_id, PATIENCE)
    assert (run.status.state, run.status.epoch) == ("finished", 15), run.folder.log_tail()
    assert run.status.seconds > killed.status.seconds
    card = read_card("first")
    assert (card.sittings, card.epochs) == (2, 15)
    assert [row["epoch"] for row in read_history("first")] == list(range(1, 16))
    assert [row["epoch"] for row in RunLog(run.folder).view().epochs] == list(range(1, 16))

    request.getfixturevalue("here")
    whole = manager.get_run(start(**settings, name="undisturbed"))
    assert whole.status.state == "finished"
    # Bit for bit in one process (test_checkpoint); in two, sums of parallel threads may be rounded
    # differently, which after some epochs moves an image or two of the 144.
    assert card.test_accuracy == pytest.approx(read_card("undisturbed").test_accuracy, abs=0.02)
    accuracies = [[row["val_accuracy"] for row in read_history(name)]
                  for name in ("first", "undisturbed")]
    assert accuracies[0] == pytest.approx(accuracies[1], abs=0.035)


@pytest.fixture
def died(monkeypatch):
    """A run whose trainer died in its first epoch, while it wrote a line."""
    monkeypatch.setattr(manager, "_spawn", lambda command, log: None)
    folder = manager.get_run(start(epochs=1, train_images=100)).folder
    folder.write_status(replace(
        folder.read_status(), state="running", stage="training", started=1.0, sittings=1))
    tell(folder, BatchEvent(1, 1, 2, 9.0, 0.1, 0.001, 99.0, 1.0, 1.0))
    with folder.metrics_file.open("a") as file:
        file.write('{"kind": "batch", "epo')
    return folder


def test_a_run_that_died_in_its_first_epoch_begins_again(died, here):
    run = steering.resume_run(died.run_id)
    assert run.status.state == "finished", run.status.message
    assert (run.status.sittings, read_card("first").sittings) == (2, 2)
    kinds = [record["kind"] for record in died.read_events()[0]]
    assert kinds[:2] == ["batch", "resume"]  # nothing was swallowed by the torn line
    assert kinds.count("epoch") == 1
    points = RunLog(died).view().points
    assert 9.0 not in [point[1] for point in points]


def test_an_epoch_that_was_saved_by_a_trainer_that_died_before_it_told_is_told(monkeypatch, here):
    from cnn.runs.report import Report

    tell = Report.tell

    def die(self, event):
        if isinstance(event, EpochEvent) and event.epoch == 2:
            raise SystemExit
        tell(self, event)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(Report, "tell", die)
        start(train_images=300, batch_size=100, epochs=3)
    run_id = newest().run_id
    assert newest().status.state == "interrupted"
    assert epochs_in(newest().folder.read_events()[0]) == [1]
    assert steering.resume_run(run_id).status.state == "finished"
    assert epochs_in(newest().folder.read_events()[0]) == [1, 2, 3]
    assert [row["epoch"] for row in read_history("first")] == [1, 2, 3]
    assert [row["epoch"] for row in RunLog(newest().folder).view().epochs] == [1, 2, 3]


def test_a_damaged_checkpoint_ends_a_resumed_run_in_words(died, here):
    for epoch in (1, 2):
        died.checkpoints.write(b"PK nothing", epoch, 0).write_bytes(b"PK")
    status = steering.resume_run(died.run_id).status
    assert status.state == "failed"
    assert "No checkpoint" in status.message
    assert "same settings" in status.hint
    assert list_models() == []


def test_a_second_trainer_of_a_resumed_run_changes_nothing(died, here):
    from cnn.runs.worker import main

    steering.resume_run(died.run_id)
    before = {path: path.read_bytes() for path in died.path.glob("*.json*")}
    assert main(str(died.path)) == 1
    assert {path: path.read_bytes() for path in died.path.glob("*.json*")} == before
    assert [model.name for model in list_models()] == ["first"]


def test_a_checkpoint_of_another_network_ends_a_resumed_run_in_words(died, here):
    died.checkpoints.write(b"PK nothing", 1, 0)
    status = steering.resume_run(died.run_id).status
    assert (status.state, list_models()) == ("failed", [])
    assert "cannot be used" in status.message
    assert died.checkpoints.paths()  # whole as it is, it may be of another version


def acting(monkeypatch, act):
    """Let somebody act after each step of training, counted from 1; trainers see it at once."""
    import cnn.training.steps

    steps = cnn.training.steps.Steps
    real, calls = steps.train, iter(range(1, 10**6))

    def train(self, *batch):
        result = real(self, *batch)
        act(next(calls))
        return result

    monkeypatch.setattr(steps, "train", train)
    monkeypatch.setattr("cnn.runs.wishes.SECONDS_BETWEEN_LOOKS", 0)


def newest():
    return manager.list_runs()[0]


def test_paused_resumed_changed_and_given_more_epochs_it_is_one_training(monkeypatch, here):
    def act(step):  # three batches an epoch
        if step == 4:
            steering.pause_run(newest().run_id)
            assert newest().status.state == "pausing"
        if step == 5:
            steering.change_run(newest().run_id, learning_rate=0.002, epochs=3)

    acting(monkeypatch, act)
    run_id = start(train_images=300, batch_size=100)
    paused = manager.get_run(run_id)
    assert (paused.status.state, paused.status.model, paused.status.epoch) == ("paused", "", 1)
    assert paused.folder.checkpoints.paths()[0].name.startswith("00001-00001-")

    status = steering.resume_run(run_id).status
    assert (status.state, status.epoch, status.sittings) == ("finished", 3, 2)
    card = read_card("first")
    assert (card.epochs, card.config["epochs"], card.config["learning_rate"]) == (3, 3, 0.002)
    assert card.changes == ["Epoch 2: Learning rate set to 0.002.",
                            "Epoch 2: Epochs set to 3, from 2."]
    records = manager.get_run(run_id).folder.read_events()[0]
    assert epochs_in(records) == [1, 2, 3]
    assert [(r["epoch"], r["batch"]) for r in records if r["kind"] == "resume"] == [(1, 1)]

    status = steering.continue_run(run_id, 2).status
    assert (status.state, status.epoch, status.model) == ("finished", 5, "first-2")
    assert [row["epoch"] for row in read_history("first-2")] == [1, 2, 3, 4, 5]
    assert {model.name for model in list_models()} == {"first", "first-2"}
    assert len(manager.get_run(run_id).folder.checkpoints.paths()) == 1


def test_the_best_of_a_paused_run_becomes_a_model_without_another_step(monkeypatch, here):
    steps = []

    def act(step):
        steps.append(step)
        if step == 5:
            steering.pause_run(newest().run_id)

    acting(monkeypatch, act)
    run_id = start(train_images=300, batch_size=100, epochs=9)
    status = steering.finish_run(run_id).status
    assert (status.state, status.model, status.epoch) == ("stopped", "first", 1)
    assert len(steps) == 5
    assert read_card("first").best_epoch == 1
    assert steering.continue_run(run_id, 1).status.state == "finished"
    assert read_card("first-2").epochs == 2


def test_a_stopped_run_goes_on_where_it_was_stopped(monkeypatch, here):
    acting(monkeypatch, lambda step: step == 5 and steering.stop_run(newest().run_id))
    run_id = start(train_images=300, batch_size=100, epochs=9)
    assert manager.get_run(run_id).status.state == "stopped"
    steering.continue_run(run_id, 1)
    records = manager.get_run(run_id).folder.read_events()[0]
    assert [(r["epoch"], r["batch"]) for r in records if r["kind"] == "resume"] == [(1, 2)]
    assert epochs_in(records) == [1, 2]


def test_a_stop_in_the_first_epoch_saves_a_model_and_the_run_can_still_go_on(monkeypatch, here):
    acting(monkeypatch, lambda step: step == 1 and steering.stop_run(newest().run_id))
    run_id = start(train_images=300, batch_size=100, epochs=9)
    assert read_card("first").epochs == 1
    assert steering.continue_run(run_id, 1).status.state == "finished"
    assert [row["epoch"] for row in read_history("first-2")] == [1, 2]


def test_wishes_that_make_no_sense_are_noted_and_the_run_goes_on(monkeypatch, here):
    def act(step):
        if step == 2:
            newest().folder.control_file.write_text('{"wish": "dance"}')

    acting(monkeypatch, act)
    run = manager.get_run(start(train_images=300, batch_size=100))
    assert run.status.state == "finished"
    notes = [r["text"] for r in run.folder.read_events()[0] if r["kind"] == "note"]
    assert len(notes) == 1
    assert "dance" in notes[0]


def test_a_full_disk_is_waited_out(monkeypatch, here):
    from cnn.errors import DiskFull
    from cnn.runs import checkpoints

    room, stages = iter([False, True, False, False] + [True] * 99), []

    def need_space(place, size):
        if not next(room):
            raise DiskFull("5 MB are needed and 1 MB are free.", "Free some space.")

    monkeypatch.setattr(checkpoints, "need_space", need_space)
    monkeypatch.setattr("cnn.runs.report.time.sleep", lambda _: stages.append(newest().status))
    run = manager.get_run(start(train_images=300, batch_size=100, epochs=3))
    assert run.status.state == "finished"
    assert len(stages) == 3
    assert {status.state for status in stages} == {"running"}
    assert all("5 MB are needed" in status.stage for status in stages)
    assert epochs_in(run.folder.read_events()[0]) == [1, 2, 3]


def test_other_images_than_those_it_began_with_are_refused_and_it_can_go_on_later(died, here):
    died.write_status(replace(died.read_status(), dataset_fingerprint="of other images"))
    status = steering.resume_run(died.run_id).status
    assert status.state == "failed"
    assert "not the one" in status.message
    died.write_status(replace(died.read_status(), dataset_fingerprint=""))
    assert steering.resume_run(died.run_id).status.state == "finished"


@pytest.mark.parametrize(("ask", "state"), [
    (steering.stop_run, "stopped"), (steering.pause_run, "paused")])
def test_a_wish_is_followed_while_the_data_still_arrive(monkeypatch, here, ask, state):
    told = []

    def endless_download(name, progress):
        run_id = manager.list_runs()[0].run_id
        ask(run_id)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            progress("Downloading cifar-10-python.tar.gz", len(told), 1000)
            told.append(manager.get_run(run_id).status.stage)
            time.sleep(0.02)

    monkeypatch.setattr("cnn.data.catalogue.load", endless_download)
    run = manager.get_run(start())
    assert (run.status.state, run.status.model, run.status.epoch) == (state, "", 0)
    assert len(told) < 50
    assert run.can_go_on == (state == "paused")


def test_groups_and_weights_of_an_imported_set_reach_training_and_card(tmp_path, here):
    files = {f"{name}/{slide}_IMG_{number}.png": saved(scenery(100 * first + 10 * slide + number))
             for first, (name, count) in enumerate({"a": 4, "b": 2}.items())
             for slide in range(5) for number in range(count)}
    import_images(write_folder(tmp_path / "cells", files), "cells", (12, 12),
                  plan=SplitPlan(group="^(.)_IMG"))
    apply_edit("cells", {"kind": "weights", "why": "b is rare"})
    run = manager.get_run(start(dataset="cells", epochs=1, validation_fraction=0.25))
    assert run.status.state == "finished", run.folder.log_tail()
    card = read_card(run.status.model)
    assert card.split == ("by group, 20 % test, seed 0, groups named by ^(.)_IMG; 1 change since; "
                          "validation by group too; rare classes weigh more in training")
    # A slide has 4 + 2 pictures: one is the test, one is held back.
    assert (card.test_n, card.validation_n, card.train_n) == (6, 6, 18)


def test_a_second_run_waits_for_its_turn_and_then_trains(endless):
    second = start(name="second", epochs=1)
    third = start(name="third", epochs=1)
    wait_for(lambda: queue.waiting() == [second, third])
    wait_for(lambda: manager.get_run(third).status.state == "queued")
    steering.move_run(third, -1)
    steering.stop_run(second)
    cancelled = manager.wait_until_ended(second, PATIENCE)
    assert (cancelled.status.state, cancelled.status.model) == ("stopped", "")
    assert queue.waiting() == [third]
    assert manager.get_run(third).status.state == "queued"
    os.kill(manager.get_run(endless).status.pid, signal.SIGKILL)
    assert manager.wait_until_ended(third, PATIENCE).status.state == "finished"


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_the_trainer_outlives_the_process_that_started_it(tmp_path):
    code = ("from cnn.config import RunConfig; from cnn.runs.manager import start_run\n"
            "print(start_run(RunConfig('digits', 'base', 'first', epochs=10_000)), flush=True)\n"
            "import time; time.sleep(60)")
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                              cwd=Path(__file__).parent.parent, start_new_session=True)
    run_id = parent.stdout.readline().strip()
    os.killpg(parent.pid, signal.SIGKILL)  # the whole group, as a closing terminal does
    parent.wait()
    wait_for(lambda: epochs_of(run_id) >= 2)
    steering.stop_run(run_id)
    assert manager.wait_until_ended(run_id, PATIENCE).status.state == "stopped"


def test_a_diverging_run_says_so_and_what_to_do(monkeypatch):
    # In this process, because no learning rate diverges for certain.
    import cnn.training.steps
    from cnn.runs.worker import Worker

    monkeypatch.setattr(manager, "_spawn", lambda command, log: None)
    monkeypatch.setattr(cnn.training.steps.Steps, "train", lambda *_: (float("nan"), 0))
    run_id = start()
    Worker(manager.get_run(run_id).folder).run()
    status = manager.get_run(run_id).status
    assert status.state == "diverged"
    assert "batch 1" in status.message
    assert "learning rate" in status.hint


def test_a_run_that_diverges_later_keeps_its_best_epoch(monkeypatch):
    import cnn.training.steps
    from cnn.runs.worker import Worker

    steps = cnn.training.steps.Steps
    real, calls = steps.train, iter(range(10**6))

    def breaks_in_the_second_epoch(self, *batch):
        loss, right = real(self, *batch)
        return (loss if next(calls) < 30 else float("nan")), right

    monkeypatch.setattr(manager, "_spawn", lambda command, log: None)
    monkeypatch.setattr(steps, "train", breaks_in_the_second_epoch)
    run_id = start()
    Worker(manager.get_run(run_id).folder).run()
    status = manager.get_run(run_id).status
    assert (status.state, status.model, status.best_epoch) == ("diverged", "first", 1)
    assert "epoch 2, batch" in read_card("first").stopped
    assert "learning rate" in status.hint


def test_a_name_taken_during_the_run_costs_neither_model(tmp_path):
    run_id = start()
    taken = tmp_path / "models" / "first"
    taken.mkdir(parents=True)
    (taken / "precious").write_text("mine")
    run = manager.wait_until_ended(run_id, PATIENCE)
    assert run.status.model == "first-2"
    assert (taken / "precious").read_text() == "mine"


def test_a_name_taken_at_the_last_moment_costs_neither_model(tmp_path, monkeypatch):
    # In this process, to take the name between the choice of a name and the save.
    from cnn.runs import result
    from cnn.runs.worker import Worker

    def save_late(model, card, *rest):
        (tmp_path / "models" / "first").mkdir(parents=True, exist_ok=True)
        return save(model, card, *rest)

    save = result.save_model
    monkeypatch.setattr(result, "save_model", save_late)
    monkeypatch.setattr(manager, "_spawn", lambda command, log: None)
    run_id = start(epochs=1)
    Worker(manager.get_run(run_id).folder).run()
    assert manager.get_run(run_id).status.model == "first-2"
    assert read_card("first-2").name == "first-2"


def test_a_failure_is_in_words_and_leaves_no_half_model(tmp_path):
    run_id = start(train_images=3)  # fewer than classes: found out when the data are there
    status = manager.wait_until_ended(run_id, PATIENCE).status
    assert status.state == "failed"
    assert "3" in status.message
    assert status.hint
    assert list(tmp_path.glob("models/*")) == []


def test_metrics_are_written_a_few_times_a_second_at_most(endless):
    time.sleep(3)
    steering.stop_run(endless)
    run = manager.wait_until_ended(endless, PATIENCE)
    records = [json.loads(line) for line in run.folder.metrics_file.read_text().splitlines()]
    batches = [record for record in records if record["kind"] == "batch"]
    seconds = batches[-1]["seconds"] - batches[0]["seconds"]
    inside = [record for record in batches if record["batch"] < record["batches"]]
    assert len(inside) <= 4 * seconds + 2
