"""Deleting saved models: what goes to the trash, what comes back, and what is kept."""

import subprocess

import pytest
from model_folders import write_model

from cnn.errors import BadInput, NotFound
from cnn.paths import PROJECT, models_dir
from cnn.prediction import deleting
from cnn.prediction.choice import default_model
from cnn.prediction.deleting import SHIPPED, delete_model, deleted_models, is_shipped
from cnn.prediction.saved import free_name, list_models, read_card

pytestmark = pytest.mark.usefixtures("empty_folders")


def names():
    return [model.name for model in list_models()]


def test_a_deleted_model_is_gone_for_everybody_and_comes_back_as_it_was():
    write_model("first")
    card = read_card("first")
    assert delete_model("first") == "first"
    assert names() == []
    with pytest.raises(NotFound, match="no saved model 'first'"):
        read_card("first")
    with pytest.raises(NotFound):
        default_model()
    assert [deleted.name for deleted in deleted_models().entries()] == ["first"]
    assert deleted_models().restore("first") == "first"
    assert read_card("first") == card


def test_a_name_that_is_taken_meanwhile_overwrites_nothing():
    write_model("first", seed=1)
    delete_model("first")
    assert free_name("first") == "first"
    write_model("first", seed=2)
    assert deleted_models().restore("first") == "first-2"
    assert [read_card(name).seed for name in ("first", "first-2")] == [2, 1]


@pytest.mark.parametrize("name", ["broken", "Copy of first"])
def test_a_damaged_model_can_be_deleted_whatever_its_name(name):
    (models_dir() / name).mkdir(parents=True)
    assert delete_model(name) == name
    assert names() == []


@pytest.mark.parametrize("name", ["nothing", "", "..", ".trash", "../runs", "first/card.json"])
def test_only_saved_models_can_be_deleted(name):
    write_model("first")
    with pytest.raises((NotFound, BadInput)):
        delete_model(name)
    with pytest.raises(NotFound, match="models --trash"):
        deleted_models().restore(name)
    assert names() == ["first"]


def test_models_that_come_with_the_project_are_kept_and_their_copies_are_not(monkeypatch):
    write_model("digits-base")
    write_model("mine")
    assert not is_shipped("digits-base")  # a copy in another folder
    monkeypatch.setattr(deleting, "PROJECT", models_dir().parent)
    models_dir().rename(models_dir().parent / "saved_models")
    monkeypatch.setenv("CNN_MODELS_DIR", str(models_dir().parent / "saved_models"))
    with pytest.raises(BadInput, match="digits-base comes with CNN Studio"):
        delete_model("digits-base")
    delete_model("mine")
    assert names() == ["digits-base"]


def test_the_models_that_come_with_the_project_are_those_that_are_committed():
    if not (PROJECT / ".git").exists():
        pytest.skip("no history here")
    listed = subprocess.run(
        ["git", "ls-files", "saved_models/*/card.json"], cwd=PROJECT, check=True,
        capture_output=True, text=True).stdout.split()
    assert sorted(path.split("/")[1] for path in listed) == sorted(SHIPPED)
