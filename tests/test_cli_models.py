"""`models` with deleting: one, its way back, the list of the deleted, emptying it."""

import json

import pytest
from model_folders import write_model

from cnn.cli import main

pytestmark = pytest.mark.usefixtures("empty_folders")


@pytest.fixture
def say(capsys):
    """Runs the command; returns its exit status and what it wrote to both streams together."""
    def run(*words):
        status = main(["models", *words])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


def test_a_deleted_model_is_listed_and_restored(say):
    write_model("first")
    write_model("second")
    assert "python -m cnn models restore first" in say("delete", "first")[1]
    assert [model["name"] for model in json.loads(say("--json")[1])["models"]] == ["second"]
    (deleted,) = json.loads(say("--trash", "--json")[1])["deleted"]
    assert deleted["name"] == "first" and deleted["ends"] > deleted["deleted"]
    assert "first" in say("--trash")[1]
    assert say("restore", "first") == (0, "The model first is back.\n")
    assert say("--trash") == (0, "No model is deleted.\n")


def test_emptying_says_how_many_went(say):
    write_model("first")
    say("delete", "first")
    assert json.loads(say("--empty-trash", "--json")[1]) == {"removed": 1}
    assert say("restore", "first")[0] == 1


@pytest.mark.parametrize(("words", "said"), [
    (("delete", "nothing"), "no saved model 'nothing'"),
    (("remove", "first"), "After 'remove' nothing is expected")])
def test_what_cannot_be_done_is_said(say, words, said):
    write_model("first")
    status, text = say(*words)
    assert status == 1 and said in text
    assert say("first")[0] == 0
