"""`runs` with an action: label, delete, restore, export, import and verify."""

import json

import pytest
from run_folders import write_run

from cnn.cli import main
from cnn.runs.manager import list_runs

RUN = "20260102-030405-first"
pytestmark = pytest.mark.usefixtures("empty_folders")


@pytest.fixture
def say(capsys):
    """Runs a command; returns its exit status and what it wrote to both streams together."""
    def run(*words):
        status = main(["runs", *map(str, words)])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


@pytest.fixture
def ask(say):
    """Runs a command with --json and returns its object."""
    def run(*words):
        status, text = say(*words, "--json")
        assert status == 0, text
        return json.loads(text)

    return run


def test_title_and_note_are_given_and_shown(say, ask):
    write_run(RUN, state="finished")
    assert say(RUN, "--title", "Mine", "--note", "small rate")[0] == 0
    record = ask(RUN)
    assert (record["title"], record["note"]) == ("Mine", "small rate")
    assert "Mine" in say()[1].splitlines()[1]
    shown = say(RUN)[1]
    assert "Mine" in shown
    assert "small rate" in shown
    assert ask(RUN, "--title", "")["title"] == ""


def test_a_deleted_run_is_listed_and_restored(say, ask):
    write_run(RUN, state="finished")
    assert f"python -m cnn runs {RUN} --restore" in say(RUN, "--delete")[1]
    assert list_runs() == []
    assert [run["run"] for run in ask("--trash")["deleted"]] == [RUN]
    assert RUN in say("--trash")[1]
    assert ask(RUN, "--restore")["run"] == RUN
    assert say("--trash") == (0, "No run is deleted.\n")


def test_emptying_the_trash_says_how_many_went(ask):
    write_run(RUN, state="finished")
    assert ask(RUN, "--delete") == {"run": RUN, "deleted": RUN}
    assert ask("--empty-trash") == {"removed": 1}
    assert ask("--trash") == {"deleted": []}


def test_a_run_goes_out_is_verified_and_comes_in(say, ask, tmp_path):
    write_run(RUN, state="running")  # nobody trains it
    path = tmp_path / "out.zip"
    told = ask(RUN, "--export", path)
    assert told["run"] == RUN
    assert told["bytes"] == sum(entry["bytes"] for entry in told["files"].values())
    assert ask("--verify", path) == told
    assert "every sum right" in say("--verify", path)[1]
    assert ask("--import", path)["run"] == f"{RUN}-2"
    assert f"python -m cnn resume {RUN}-3" in say("--import", path)[1]
    assert len(list_runs()) == 3


@pytest.mark.parametrize("words", [
    ("--delete",), ("--restore",), ("--export", "x.zip"), ("--title", "x"), ("--note", "x"),
    ("nothing-here", "--delete"), ("../first", "--delete"), (RUN, "--restore"),
    ("nothing-here", "--title", "x"), (RUN, "--title", "x", "--delete"),
    ("--import", "nothing-here.zip"), ("--verify", "nothing-here.zip"), ("--import", "."),
    (RUN, "--title", "x" * 81),
])
def test_what_cannot_be_done_is_said_and_changes_nothing(say, words):
    write_run(RUN, state="finished")
    status, text = say(*words)
    assert status == 1
    assert len(text.splitlines()) == 2  # what is wrong, and what to do
    assert [run.run_id for run in list_runs()] == [RUN]


def test_two_actions_at_once_are_wrong_usage(say):
    with pytest.raises(SystemExit) as caught:
        say(RUN, "--delete", "--restore")
    assert caught.value.code == 2
