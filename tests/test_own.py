"""Architectures with a name of a person's own: one file each, in the one registry."""

import json

import pytest

from cnn.api_records import architectures_record
from cnn.config import RunConfig
from cnn.errors import BadInput, Damaged, NotFound
from cnn.models import registry
from cnn.models.defaults import default_config, switched_augmentation
from cnn.models.documents import document_of
from cnn.models.own import (
    MOST_BYTES,
    check_new_name,
    delete_own,
    free_own_name,
    list_own,
    read_document_bytes,
    save_own,
)
from cnn.models.registry import architecture_names, built_in_names, get_architecture
from cnn.models.speeds import NetworkSpeed, speeds_from_dict
from cnn.models.summary import summarise
from cnn.paths import architectures_dir
from cnn.runs import manager
from cnn.runs.archive import export_run, import_run
from cnn.runs.folder import RunFolder

IMAGES = (8, 8, 1), 10


@pytest.fixture(autouse=True)
def fresh(empty_folders, monkeypatch):
    monkeypatch.setattr(registry, "_HELD", {})


def mine(name="mine", begun="base"):
    return save_own(name, document_of(get_architecture(begun), *IMAGES))


def test_what_was_kept_is_listed_last_and_used_like_every_other():
    assert architecture_names() == built_in_names()
    mine()
    assert architecture_names() == [*built_in_names(), "mine"]
    assert summarise("mine", *IMAGES).rows == summarise("base", *IMAGES).rows
    assert architectures_record()["architectures"][-1]["name"] == "mine"
    assert default_config("mine", "digits", "first").architecture == "mine"
    json.dumps(architectures_record())


def test_the_recipe_of_the_network_it_was_begun_from_is_kept():
    mine(begun="speedrun-small")
    assert default_config("mine", "cifar10", "first").optimizer == "muon"
    assert get_architecture("mine").head.unit


@pytest.mark.parametrize("name", ["base", "show", "Mine", "a/b", "..", "con", "", "x" * 65])
def test_names_that_mean_something_else_are_refused(name):
    with pytest.raises(BadInput):
        mine(name)
    assert not list_own()


def test_nothing_is_written_over_and_a_free_name_is_proposed():
    mine()
    with pytest.raises(BadInput, match="exists already"):
        mine(begun="dense")
    assert free_own_name("mine") == "mine-2"
    assert free_own_name("base") == "my-base"
    assert check_new_name("mine-2") == "mine-2"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "[" * 50_000,
                                  '{"format": 1, "layers": [{"type": "evil"}]}',
                                  " " * (MOST_BYTES + 1)])
def test_a_damaged_file_hides_no_other_and_says_what_is_wrong(text):
    mine()
    (architectures_dir() / "broken.json").write_text(text)
    assert architecture_names()[-1] == "mine"
    assert [own.name for own in list_own() if own.error] == ["broken"]
    with pytest.raises((Damaged, BadInput)):
        get_architecture("broken")
    with pytest.raises(BadInput):
        read_document_bytes(text.encode(), "broken.json")
    delete_own("broken")
    assert [own.name for own in list_own()] == ["mine"]


def test_a_file_that_changes_is_read_again():
    mine()
    path = architectures_dir() / "mine.json"
    data = json.loads(path.read_text())
    data["layers"][0]["filters"] = 5
    path.write_text(json.dumps(data))
    assert get_architecture("mine").layers(*IMAGES)[1][1].filters == 5


def test_deleting_frees_the_name_and_only_what_was_made_here_can_be_deleted():
    mine()
    delete_own("mine")
    with pytest.raises(NotFound, match="no architecture 'mine'"):
        get_architecture("mine")
    for name in ("mine", "base", "../base"):
        with pytest.raises(NotFound):
            delete_own(name)


@pytest.fixture
def run(monkeypatch, digits_folder):
    """A run with an architecture made here, whose trainer has not begun."""
    monkeypatch.setenv("CNN_DATA_DIR", str(digits_folder))
    monkeypatch.setattr(manager, "_start_trainer", lambda folder: None)
    mine()
    return manager.get_run(manager.start_run(RunConfig("digits", "mine", "first")))


def test_a_run_goes_on_with_what_it_began_with_when_the_named_one_is_another(run):
    begun = get_architecture("mine")
    delete_own("mine")
    mine(begun="dense")
    run.folder.hold_architecture()
    assert get_architecture("mine").key == begun.key
    assert summarise("mine", *IMAGES).rows == summarise("base", *IMAGES).rows


def test_a_run_whose_architecture_is_deleted_is_read_and_changed_like_every_other(run):
    delete_own("mine")
    again = manager.get_run(run.run_id)
    assert again.config.architecture == "mine"
    assert switched_augmentation(again.config, True).active
    again.folder.hold_architecture()
    assert get_architecture("mine").document["based_on"] == "base"


def test_an_archive_takes_the_architecture_along(run, tmp_path):
    run.folder.write_status(run.status)
    export_run(run.run_id, tmp_path / "run.zip")
    delete_own("mine")
    elsewhere = manager.get_run(import_run(tmp_path / "run.zip"))
    assert elsewhere.folder.read_architecture().layers(*IMAGES) == get_architecture(
        "base").layers(*IMAGES)


def test_an_archive_with_a_hostile_architecture_is_refused(run, tmp_path):
    run.folder.write_architecture({"format": 1, "layers": [{"type": "conv"}] * 3000})
    export_run(run.run_id, tmp_path / "run.zip")
    with pytest.raises(BadInput, match="3,000 layers"):
        import_run(tmp_path / "run.zip")


def test_runs_of_this_programs_networks_keep_no_copy(monkeypatch, digits_folder):
    monkeypatch.setenv("CNN_DATA_DIR", str(digits_folder))
    monkeypatch.setattr(manager, "_start_trainer", lambda folder: None)
    run = manager.get_run(manager.start_run(RunConfig("digits", "base", "first")))
    assert run.folder.read_architecture() is None
    assert RunFolder(run.folder.path).hold_architecture() is None


def test_measured_speeds_are_those_of_the_network_and_not_of_its_name():
    key = mine().key
    data = {"input_shape": [8, 8, 1], "classes": 10, "precision": "float32", "start": 5.0,
            "busy": 0.0, "networks": [vars(NetworkSpeed(name, 1.0, 0.01, 0.001, 0.0005))
                                      for name in ("base", key)]}
    assert speeds_from_dict(data).of("mine").image == 0.001
    delete_own("mine")
    mine(begun="dense")
    speeds = speeds_from_dict(data)
    assert speeds.of("mine") is None
    assert [network.architecture for network in speeds.networks] == ["base"]
