"""The commands pause, set, queue and the ways on of resume and stop."""

import json

import pytest
from run_folders import write_run

from cnn.cli import main
from cnn.runs import manager, queue

pytestmark = pytest.mark.usefixtures("empty_folders")


@pytest.fixture
def spawned(monkeypatch):
    """The run folders of trainers that would have been started."""
    folders = []
    monkeypatch.setattr(manager, "_spawn", lambda command, log: folders.append(command[-1]))
    return folders


def test_pause_asks_a_living_run(capsys):
    folder = write_run(state="running")
    with folder.lock():
        assert main(["pause", folder.run_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "pausing"
    assert folder.read_control().wish == "pause"
    assert main(["pause", folder.run_id]) == 1
    assert "interrupted" in capsys.readouterr().err


def test_set_changes_what_was_given_and_nothing_else(capsys):
    folder = write_run(state="running")
    with folder.lock():
        words = ["set", folder.run_id, "--learning-rate", "0.01", "--epochs", "9", "--augmentation"]
        assert main(words) == 0
    assert "from its next step on" in capsys.readouterr().out
    control = folder.read_control()
    assert (control.wish, control.learning_rate, control.epochs) == ("", 0.01, 9)
    assert control.augmentation.active
    assert main(["set", folder.run_id, "--no-augmentation"]) == 0
    assert "when it is resumed" in capsys.readouterr().out
    assert not manager.get_run(folder.run_id).config.augmentation.active


@pytest.mark.parametrize(("words", "said"), [
    ([], "Nothing to change"), (["--epochs", "1"], "more than the 2"),
    (["--learning-rate", "-3"], "learning_rate must be")])
def test_set_refuses_in_words(words, said, capsys):
    folder = write_run(state="paused")
    assert main(["set", folder.run_id, *words]) == 1
    assert said in capsys.readouterr().err


def test_queue_shows_the_order_and_changes_it(capsys):
    for name in "ab":
        queue.enter(write_run(f"20260102-030405-{name}", name=name, state="queued").run_id)
    assert main(["queue"]) == 0
    out = capsys.readouterr().out
    assert out.index("405-a") < out.index("405-b")
    assert main(["queue", "--move", "20260102-030405-b", "-1", "--slots", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "slots": 2, "waiting": ["20260102-030405-b", "20260102-030405-a"]}


def test_queue_refuses_what_cannot_be(capsys):
    assert main(["queue", "--slots", "0"]) == 1
    assert "1 to 16" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["queue", "--move", "20260102-030405-b", "far"])
    assert main(["queue"]) == 0
    assert "No run waits" in capsys.readouterr().out


def test_resume_gives_a_finished_run_more_epochs(spawned, capsys):
    folder = write_run(state="finished", model="first")
    folder.checkpoints.write(b"its state", 2, 0)
    assert main(["resume", folder.run_id]) == 1
    assert "--more-epochs" in capsys.readouterr().err
    assert main(["resume", folder.run_id, "--more-epochs", "3", "--detach", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["epochs_asked"] == 5
    assert spawned == [str(folder.path)]


def test_resume_takes_another_rate_for_a_run_that_diverged(spawned, capsys):
    folder = write_run(state="diverged")
    folder.checkpoints.write(b"its state", 2, 0)
    assert main(["resume", folder.run_id, "--learning-rate", "0.0001", "--detach"]) == 0
    assert folder.read_control().learning_rate == 0.0001


def test_stop_makes_a_model_of_the_best_of_a_paused_run(spawned, capsys):
    folder = write_run(state="paused", best_epoch=2)
    assert main(["stop", folder.run_id]) == 0
    assert spawned == [str(folder.path)]
    assert folder.read_control().wish == "stop"
