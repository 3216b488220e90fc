"""The page Runs: the list, the chosen run, and everything that can be done with it."""

import json
from pathlib import Path

import pytest
from page_steps import texts
from run_folders import write_run

from cnn.config import Augmentation, RunConfig
from cnn.models.defaults import command_line
from cnn.paths import runs_dir
from cnn.runs import archive, queue
from cnn.runs.archive import export_run, verify_archive
from cnn.runs.folder import STATES
from cnn.runs.labels import Label, read_label, write_label
from cnn.runs.manager import get_run, list_runs
from cnn.runs.trash import delete_run, deleted_runs
from pages.shared import run_panel, run_table

OLD, NEW = "20260101-000000-old", "20260102-000000-new"


def listed(page):
    """The names in the table of runs, from above."""
    return list(page.dataframe[0].value["Run"]) if page.dataframe else []


def keys(page):
    return {button.key for button in page.button}


@pytest.fixture
def two(folders):
    """Two runs with different states, the newer one interrupted."""
    write_run(OLD, name="old", state="finished", model="old", test_accuracy=0.9,
              best_epoch=2, best_val_accuracy=0.95, seconds=61.0)
    write_run(NEW, name="new", state="failed", message="The disk is full.")
    write_label(NEW, title="Great hope", note="with *small* steps")


def chosen(open_page, run_id):
    return open_page("runs", run=run_id)


def test_without_runs_the_page_says_how_to_get_one(open_page):
    page = open_page("runs")
    assert "There is no run yet" in texts(page.markdown)
    assert not page.dataframe
    assert not page.exception


def test_all_runs_are_listed_newest_first_with_what_they_reached(open_page, two):
    rows = open_page("runs").dataframe[0].value
    assert list(rows["Run"]) == ["Great hope", "old"]
    assert [state for (state,) in rows["State"]] == ["failed", "finished"]
    assert list(rows["Validation"])[1] == 95.0
    assert list(rows["Test"])[1] == 90.0
    assert list(rows["Epochs"]) == ["2/5", "2/5"]
    assert list(rows["Time"])[1] == "1 min 01 s"


def test_every_state_can_be_listed_and_filtered(open_page):
    for number, state in enumerate(STATES):
        write_run(f"20260101-0000{number:02}-x", state=state)
    page = open_page("runs")
    assert len(listed(page)) == len(STATES)
    assert not page.exception


@pytest.mark.parametrize(("search", "found"), [
    ("hope", ["Great hope"]), ("SMALL steps", ["Great hope"]), ("digits base", [
        "Great hope", "old"]), ("20260101", ["old"]), ("nothing such", []), ("[(*", [])])
def test_the_list_is_searched_by_all_that_is_known(open_page, two, search, found):
    page = open_page("runs")
    page.text_input(key="runs_search").set_value(search).run()
    assert listed(page) == found
    assert found or "None of 2 runs fits" in texts(page.caption)


def test_the_list_is_filtered_by_state(open_page, two):
    (write_run("20260103-000000-bad").path / "config.json").unlink()
    page = open_page("runs")
    page.multiselect(key="runs_states").set_value(["damaged", "finished"]).run()
    assert listed(page) == ["20260103-000000-bad", "old"]


def test_a_selected_row_goes_into_the_address(monkeypatch):
    address = {"run": OLD}
    monkeypatch.setattr(run_table.st, "query_params", address)
    run_table._select([NEW, OLD], [0])
    assert address == {"run": NEW}
    run_table._select([NEW, OLD], [])
    assert address == {}


def test_the_chosen_run_is_shown_with_its_note_letter_by_letter(open_page, two):
    page = chosen(open_page, NEW)
    assert texts(page.header) == "Great hope"
    assert "with \\*small\\* steps" in texts(page.markdown)
    assert NEW.replace("-", "\\-") in texts(page.caption)
    assert {"runs_delete", "runs_save"} <= keys(page)
    assert page.get("download_button")


def test_title_and_note_are_kept_from_the_form(open_page, two):
    page = chosen(open_page, OLD)
    page.text_input(key=f"runs_title_{OLD}").set_value("Best so far")
    page.text_area(key=f"runs_note_{OLD}").set_value("one\ntwo")
    page.button(key="runs_save").click().run()
    assert read_label(get_run(OLD).folder) == Label("Best so far", "one\ntwo")
    assert texts(page.header) == "Best so far"
    assert listed(page) == ["Great hope", "Best so far"]


def test_delete_can_be_undone_at_once(open_page, two):
    page = chosen(open_page, NEW)
    page.button(key="runs_delete").click().run()
    assert listed(page) == ["old"]
    assert "**Great hope** is deleted" in texts(page.markdown)
    assert "run" not in page.query_params
    page.button(key="runs_undo").click().run()
    assert listed(page) == ["Great hope", "old"]
    assert texts(page.header) == "Great hope"
    assert "runs_undo" not in keys(page)


def test_undo_after_it_went_for_good_says_so(open_page, two):
    page = chosen(open_page, OLD)
    page.button(key="runs_delete").click().run()
    page.button(key="runs_empty").click().run()
    assert deleted_runs().entries() == []
    assert "Deleted for good\\: 1" in texts(page.success)
    assert "runs_undo" not in keys(page)
    delete_run(NEW)
    page = chosen(open_page, "")
    other = deleted_runs().entries()[0].name
    page.session_state["runs_deleted"] = ("gone", "gone")
    page.run()
    page.button(key="runs_undo").click().run()
    assert "no deleted run" in texts(page.error)
    assert [run.name for run in deleted_runs().entries()] == [other]
    assert not page.exception


def test_deleted_runs_are_listed_until_they_are_restored(open_page, two):
    delete_run(OLD)
    page = open_page("runs")
    assert list(page.dataframe[-1].value["Run"]) == [OLD]
    run_ids = [deleted.name for deleted in deleted_runs().entries()]
    assert run_ids == [OLD]


def test_an_active_run_cannot_be_deleted_from_the_page(open_page):
    folder = write_run(OLD, state="running")
    with folder.lock():
        page = chosen(open_page, OLD)
        assert page.button(key="runs_delete").disabled
        assert page.button(key="runs_delete").help == "Stop it first."


def test_a_delete_that_comes_too_late_says_why(open_page, two):
    page = chosen(open_page, OLD)
    folder = get_run(OLD).folder
    folder.write_status(get_run(OLD).status.__class__(state="running", started=1.0))
    with folder.lock():
        page.button(key="runs_delete").click().run()
        assert "cannot be deleted now" in texts(page.error)
    assert len(list_runs()) == 2


@pytest.mark.parametrize("name", [OLD, "Copy of a run"])
def test_a_damaged_run_is_shown_with_its_error_and_can_be_deleted(open_page, two, name):
    (get_run(OLD).folder.path / "status.json").write_text("{")
    (runs_dir() / OLD).rename(runs_dir() / name)
    page = chosen(open_page, name)
    assert sorted(listed(page)) == sorted(["Great hope", name])
    assert "status" in texts(page.error)
    assert not page.get("download_button")
    page.button(key="runs_delete").click().run()
    assert listed(page) == ["Great hope"]
    assert not page.error


@pytest.mark.parametrize("run_id", ["nothing-here", "../../etc", "a/b", ".trash", "..", "a" * 300])
def test_a_run_that_does_not_exist_is_said_to_be_missing_below_the_list(open_page, two, run_id):
    page = chosen(open_page, run_id)
    assert len(page.error) == 1
    assert len(listed(page)) == 2
    assert not page.exception


def test_a_status_that_no_clock_made_breaks_nothing(open_page):
    folder = write_run(OLD, state="finished", created=1e18, seconds=1e18)
    page = chosen(open_page, folder.run_id)
    assert len(listed(page)) == 1
    assert not page.exception


def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_lost(open_page, two, monkeypatch):
    page = chosen(open_page, OLD)

    def refuse(*paths):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("cnn.files.os.replace", refuse)
    page.button(key="runs_delete").click().run()
    assert "Read\\-only" in texts(page.error)
    page.text_input(key=f"runs_title_{OLD}").set_value("x")
    page.button(key="runs_save").click().run()
    assert "Read\\-only" in texts(page.error)
    assert len(listed(page)) == 2
    assert not page.exception


def test_the_download_is_an_archive_that_can_be_verified(two, tmp_path):
    (tmp_path / "x.zip").write_bytes(run_panel._archive(OLD))
    assert verify_archive(tmp_path / "x.zip").run_id == OLD


def test_a_run_too_large_for_the_page_is_exported_by_a_command(open_page, two, monkeypatch):
    monkeypatch.setattr(run_panel, "archive_size", lambda folder: 300 * 2**20)
    page = chosen(open_page, OLD)
    (button,) = page.get("download_button")
    assert button.proto.disabled
    assert "\\-\\-export" in button.proto.help or "--export" in button.proto.help


def upload(page, data, name="run.zip"):
    page.file_uploader(key="runs_import_0").upload(name, data).run()
    return page.button(key="runs_import").click().run()


def test_an_upload_becomes_a_run_that_is_chosen(open_page, two, tmp_path):
    export_run(OLD, tmp_path / "run.zip")
    page = upload(open_page("runs"), (tmp_path / "run.zip").read_bytes())
    assert f"{OLD}-2".replace("-", "\\-") in texts(page.success)
    assert page.query_params["run"] in (f"{OLD}-2", [f"{OLD}-2"])
    assert len(listed(page)) == 3
    assert page.button(key="runs_import").disabled  # ready for the next


@pytest.mark.parametrize("spoil", [
    lambda data: b"", lambda data: b"hello", lambda data: data[:-100],
    lambda data: data.replace(b'"seed": 3', b'"seed": 4'),
    lambda data: data.replace(b"log.txt", b"../a.tx")])
def test_an_upload_that_is_no_archive_is_refused_in_words(open_page, two, tmp_path, spoil):
    export_run(OLD, tmp_path / "run.zip")
    page = upload(open_page("runs"), spoil((tmp_path / "run.zip").read_bytes()))
    assert len(page.error) == 1
    assert len(list_runs()) == 2
    assert not page.exception


def test_an_import_that_cannot_be_written_is_said(open_page, two, tmp_path, monkeypatch):
    export_run(OLD, tmp_path / "run.zip")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.os, "fsync", full)
    page = upload(open_page("runs"), (tmp_path / "run.zip").read_bytes())
    assert "disk is full" in texts(page.error)
    assert len(list_runs()) == 2


# A new run from the settings of one


CONFIG = RunConfig(
    "digits", "dropout", "like-me", epochs=7, batch_size=48, optimizer="sgd", learning_rate=0.05,
    label_smoothing=0.1, early_stopping=3, reduce_on_plateau=2, seed=11, train_images=500,
    validation_fraction=0.2, augmentation=Augmentation(10.0, 0.1, False, 0.25))


def write_config(**changes):
    folder = write_run(OLD, state="finished")
    values = {**CONFIG.to_dict(), **changes}
    (folder.path / "config.json").write_text(json.dumps({**values, "command": "x"}))


def test_the_form_starts_from_the_settings_of_a_run_with_a_free_name(open_page, empty_folders):
    write_config()
    (Path(empty_folders) / "models" / "like-me").mkdir(parents=True)
    page = open_page("train", run="new", like=OLD)
    assert page.code[0].value == command_line(CONFIG.with_name("like-me-2"))
    assert page.text_input(key="train_name").value == "like-me-2"
    assert "like\\-me" in texts(page.info)
    assert "like" not in page.query_params
    page.run()
    assert page.code[0].value == command_line(CONFIG.with_name("like-me-2"))


def test_what_is_changed_after_that_is_kept_and_another_run_can_be_taken(open_page):
    write_config()
    page = open_page("train", run="new", like=OLD)
    page.number_input(key="train_seed_1").set_value(12).run()
    assert "--seed 12" in page.code[0].value
    page.query_params["like"] = OLD
    page.run()
    assert "--seed 11" in page.code[0].value


def test_whole_numbers_written_by_hand_are_taken_too(open_page):
    write_config(learning_rate=1, label_smoothing=0,
                 augmentation={"rotation": 0, "shift": 0, "cutout": 0})
    page = open_page("train", run="new", like=OLD)
    assert "--learning-rate 1" in page.code[0].value
    assert not page.exception


@pytest.mark.parametrize(("changes", "words"), [
    ({"dataset": "gone"}, "gone"), ({"architecture": "gone"}, "gone"), ({"epochs": 0}, "epochs")])
def test_settings_that_cannot_be_used_here_are_refused_and_the_form_stays(
        open_page, changes, words):
    write_config(**changes)
    page = open_page("train", run="new", like=OLD)
    assert words in texts(page.error)
    assert page.button(key="train_start")
    assert not page.exception


@pytest.mark.parametrize("run_id", ["nothing-here", "../../etc", "a/b"])
def test_a_run_to_be_like_that_does_not_exist_is_said_to_be_missing(open_page, run_id):
    page = open_page("train", run="new", like=run_id)
    assert len(page.error) == 1
    assert page.button(key="train_start")
    assert not page.exception


# The queue


def test_the_queue_shows_its_order_which_can_be_changed(open_page):
    folders = [write_run(run_id, epochs=0, name=run_id[-3:], state="queued")
               for run_id in (OLD, NEW)]
    for folder in folders:
        queue.enter(folder.run_id)
    with folders[0].lock(), folders[1].lock():
        page = open_page("runs")
        assert "Place **1** of 2" in texts(page.markdown)
        page.button(key=f"run_forward_{NEW}").click().run()
        assert queue.waiting() == [NEW, OLD]
        page.button(key=f"run_stop_{OLD}").click().run()
        assert folders[0].read_control().wish == "stop"
        assert not page.error


def test_how_many_train_at_once_is_a_setting(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("runs")
        page.number_input(key="queue_slots_1").set_value(2).run()
        assert queue.slots() == 2
        assert page.number_input(key="queue_slots_2").value == 2


def test_no_queue_is_shown_where_nothing_trains(open_page, two):
    page = open_page("runs")
    assert not [field for field in page.number_input if field.label == "Runs at once"]
