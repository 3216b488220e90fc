"""The Train page: the form, what it refuses, starting, watching and the end of a run."""

import json

import pytest
from model_folders import write_model
from page_steps import texts
from run_folders import tell, write_epoch, write_run

from cnn.config import RunConfig
from cnn.errors import Unavailable
from cnn.models.defaults import command_line
from cnn.runs import queue
from cnn.runs.manager import get_run, wait_until_ended
from cnn.training.events import BatchEvent
from pages.shared import live_run
from pages.shared.live_feed import live_feed


def start_button(page):
    return page.button(key="train_start")


def command(page):
    return page.code[0].value


@pytest.fixture
def started(monkeypatch):
    """Keep trainers from starting: a run folder is written instead. Returns the configurations."""
    configs = []

    def start_run(config, pins=()):
        configs.append(config)
        return write_run(f"20260102-03040{len(configs)}-{config.name}", 0, config.name).run_id

    monkeypatch.setattr("pages.shared.starting.start_run", start_run)
    return configs


def test_the_form_shows_the_network_before_anything_is_started(open_page):
    page = open_page("train")
    layers = page.dataframe[0].value
    assert list(layers["Layer"])[:2] == ["rescaling", "conv_1"]
    assert layers["Parameters"].sum() == 52_554
    assert "52.6 k" in texts(page.markdown)
    assert not start_button(page).disabled
    assert not page.error


def test_the_form_says_how_many_images_are_used_for_what(open_page):
    page = open_page("train")
    assert "**1,294** images" in texts(page.caption)
    assert "**144** others" in texts(page.caption)
    page.number_input(key="train_validation").set_value(50).run()
    assert "**719** images" in texts(page.caption)


def test_a_network_that_does_not_fit_the_images_is_refused_with_its_layer(open_page):
    page = open_page("train")
    page.selectbox(key="train_architecture").select("lenet").run()
    assert "conv\\_2" in texts(page.error)
    assert "12×12" in texts(page.error)
    assert start_button(page).disabled
    assert not page.exception


@pytest.mark.parametrize(("key", "value", "words"), [
    ("train_name", "Not/allowed", "model name"),
    ("train_rate_base_adam", 0.0, "learning"),
    ("train_rotation_base_digits", 200.0, "rotation"),
    ("train_images_digits", 5, "train\\_images"),
    ("train_epochs_digits", 20_000, "epochs"),
])
def test_a_value_that_cannot_work_is_refused_in_words(open_page, key, value, words):
    page = open_page("train")
    kind = page.text_input if isinstance(value, str) else page.number_input
    kind(key=key).set_value(value).run()
    assert words in texts(page.error)
    assert start_button(page).disabled
    assert not page.exception


def test_the_proposed_name_is_free_and_a_taken_one_is_refused(open_page):
    write_model("digits-base")
    page = open_page("train")
    assert page.text_input(key="train_name").placeholder == "digits-base-2"
    page.text_input(key="train_name").set_value("digits-base").run()
    assert "exists already" in texts(page.error)
    assert start_button(page).disabled


def test_the_command_line_follows_the_settings(open_page):
    page = open_page("train")
    page.number_input(key="train_epochs_digits").set_value(3)
    page.selectbox(key="train_architecture").select("augmented")
    page.run()
    assert "--architecture augmented" in command(page)
    assert "--epochs 3" in command(page)
    assert "--rotation 5" in command(page)
    assert "--no-flip" in command(page)  # digits are never mirrored, whatever the network


def test_each_optimizer_starts_with_its_own_learning_rate(open_page):
    page = open_page("train")
    page.button_group(key="train_optimizer_base").set_value("sgd").run()
    assert page.number_input(key="train_rate_base_sgd").value == 0.01
    assert "--optimizer sgd" in command(page)
    page.number_input(key="train_rate_base_sgd").set_value(0.02).run()
    assert "--learning-rate 0.02" in command(page)
    page.button_group(key="train_optimizer_base").set_value("adam").run()
    assert "--learning-rate" not in command(page)


def test_start_begins_the_run_of_the_settings_and_shows_it(open_page, started):
    page = open_page("train")
    page.number_input(key="train_epochs_digits").set_value(4)
    page.text_input(key="train_name").set_value("mine")
    page.run()
    start_button(page).click().run()
    assert [(c.name, c.epochs, c.dataset, c.architecture) for c in started] == [
        ("mine", 4, "digits", "base")]
    assert page.query_params["run"] == "20260102-030401-mine"
    assert "mine" in texts(page.header)
    assert not page.exception


def test_a_start_that_fails_says_why_and_leaves_the_form(open_page, monkeypatch):
    def fail(config, pins=()):
        raise Unavailable("The disk is full.", "Free some space.")

    page = open_page("train")
    monkeypatch.setattr("pages.shared.starting.start_run", fail)
    start_button(page).click().run()
    assert "The disk is full" in texts(page.error)
    assert "Free some space" in texts(page.error)
    assert start_button(page)


def test_settings_are_kept_on_the_way_to_another_page_and_back(open_page):
    page = open_page("train")
    page.number_input(key="train_epochs_digits").set_value(7).run()
    page.switch_page("pages/data.py").run()
    page.switch_page("pages/train.py").run()
    assert page.number_input(key="train_epochs_digits").value == 7


@pytest.mark.parametrize("run_id", ["nothing-here", "../../etc", ".hidden", "A B", "a" * 300])
def test_a_run_that_does_not_exist_is_said_to_be_missing(open_page, run_id):
    page = open_page("train", run=run_id)
    assert len(page.error) == 1
    assert not page.exception


def live_words(page):
    """What the live figures are told when the page is drawn."""
    (component,) = page.get("bidi_component")
    return json.loads(component.proto.json)["feed"]


def test_an_active_run_is_shown_to_everybody_who_comes(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train")
        assert page.query_params["run"] == folder.run_id
        assert texts(page.header) == "first"
        shown = live_words(page)
        assert [(label, value) for label, value, _ in shown["figures"]] == [
            ("Training", "80.0 %"), ("Best validation", "–"), ("Time left", "1 min 01 s"),
            ("Images per second", "1.50 k"), ("Memory", "–"), ("Processor", "–")]
        assert len(page.get("echarts_chart")) == 2
        assert list(page.dataframe[0].value["Epoch"]) == ["2 · best", "1"]
        assert "last words" in texts(page.code)


def test_an_active_run_shows_how_far_it_is(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        assert live_words(page)["bars"] == [[0.4, "Epoch 2 of 5"],
                                            [1.0, "Batch 21 of 21 in this epoch"]]


def test_what_a_trainer_does_before_its_first_batch_is_in_words(open_page):
    folder = write_run(epochs=0, state="running", stage="loading the data: <b>")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        assert live_words(page)["bars"] == [[0.0, "Loading the data: <b>"]]  # set as text
        assert not page.get("echarts_chart")


def test_a_look_draws_the_whole_page_again_when_state_or_pace_changes(folders, monkeypatch):
    class DrawnAgain(Exception):
        pass

    def rerun():
        raise DrawnAgain

    monkeypatch.setattr(live_run.st, "rerun", rerun)
    folder = write_run(state="running")
    with folder.lock():
        mark = live_feed(folder.run_id)["mark"]
        live_run._follow(folder.run_id, mark)
        with pytest.raises(DrawnAgain):
            live_run._follow(folder.run_id, mark.replace("running", "starting"))
        tell(folder, BatchEvent(3, 1, 21, 0.5, 0.8, 0.001, 1500.0, 100.0, 61.0))
        with pytest.raises(DrawnAgain):
            live_run._follow(folder.run_id, mark)


def test_new_epochs_appear_without_reading_the_old_ones_again(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        write_epoch(folder, 3)
        with folder.metrics_file.open("a") as file:
            file.write('{"kind": "epoch", "epoch": 4, "lo')  # torn: its writer is still at it
        page.run()
        assert list(page.dataframe[0].value["Epoch"]) == ["3", "2 · best", "1"]


def test_stop_asks_the_trainer_and_keeps_the_best(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        page.button(key="run_stop").click().run()
        assert folder.read_control().wish == "stop"
        assert page.button(key="run_stop").disabled
        assert not page.error


def test_stop_at_the_very_moment_of_the_end_is_no_failure(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
    folder.write_status(get_run(folder.run_id).status.__class__(state="failed", message="over"))
    page.button(key="run_stop").click().run()
    assert "over" in texts(page.error)  # how it ended
    assert not folder.control_file.exists()
    assert not page.exception


def test_the_form_says_that_a_run_will_wait_while_another_is_active(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run="new")
        assert "wait for its turn" in texts(page.info)
        assert not start_button(page).disabled


def test_the_way_from_a_run_to_the_form_is_in_the_address(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        page.button(key="run_new").click().run()
        assert page.query_params["run"] == "new"
        assert start_button(page)


def test_a_finished_run_shows_its_result(open_page):
    folder = write_run(
        state="finished", stage="", model="first", test_accuracy=0.9749, test_loss=0.08,
        test_n=359, best_epoch=2, best_val_accuracy=0.96, seconds=21.4)
    page = open_page("train", run=folder.run_id)
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown == {"Test accuracy": "97.49 %", "Test images": "359", "Test loss": "0.0800",
                     "Best validation": "96.00 %", "Wall time": "21 s"}
    assert "after epoch 2" in texts(page.success)
    assert not [button for button in page.button if button.key == "run_stop"]


@pytest.mark.parametrize(("maker", "here"), [
    ("20260102-030405-first", True), ("20260102-030405-other", False), ("", False), (None, False)])
def test_only_the_model_that_the_run_made_is_linked(open_page, maker, here):
    folder = write_run(state="finished", model="first", test_accuracy=0.9, best_epoch=2)
    if maker is not None:
        card = write_model("first") / "card.json"
        card.write_text(json.dumps({**json.loads(card.read_text()), "run": maker}))
    page = open_page("train", run=folder.run_id)
    links = [link.proto.label for link in page.get("page_link")]
    assert ("Evaluate it" in links) == here
    assert ("not on this computer" in texts(page.caption)) != here


@pytest.mark.parametrize("page_name", ["train", "runs", "evaluate"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_run_with_snapshots_leads_to_its_time_machine_and_so_does_its_model(
        open_page, page_name, kept):
    folder = write_run(state="finished", model="first", test_accuracy=0.9, best_epoch=2)
    write_model("first", run=folder.run_id)
    if kept:
        folder.snapshots.folder.mkdir()
        (folder.snapshots.folder / "00001-0123456789abcdef.npz").write_bytes(b"")
    page = open_page(page_name, **({} if page_name == "evaluate" else {"run": folder.run_id}))
    queries = [link.proto.query_string for link in page.get("page_link")]
    assert (f"view=Time+machine&run={folder.run_id}" in queries) == kept


@pytest.mark.parametrize("state", ["failed", "diverged"])
def test_a_failed_run_says_why_and_can_be_started_again(open_page, started, state):
    folder = write_run(state=state, message="The loss became nan.", hint="Lower the rate.")
    page = open_page("train", run=folder.run_id)
    assert "The loss became nan" in texts(page.error)
    assert "Lower the rate" in texts(page.error)
    assert "last words" in texts(page.code)
    page.button(key="run_again").click().run()
    assert started == [get_run(folder.run_id).config]


def test_a_dead_trainer_is_said_to_be_dead(open_page):
    folder = write_run(state="running")  # nobody holds its lock
    page = open_page("train", run=folder.run_id)
    assert "died" in texts(page.error)


@pytest.fixture
def spawned(monkeypatch):
    """Keep trainers from starting. Returns the folders of those that would have been."""
    folders = []
    monkeypatch.setattr("cnn.runs.manager._spawn",
                        lambda command, log: folders.append(command[-1]))
    return folders


def interrupted():
    folder = write_run(state="running")  # nobody holds its lock
    folder.checkpoints.write(b"what the trainer knew", 2, 0)
    return folder


def test_an_interrupted_run_goes_on_at_a_click(open_page, spawned):
    folder = interrupted()
    page = open_page("train", run=folder.run_id)
    assert page.button(key="run_resume").label == "Resume after epoch 2"
    assert page.button(key="run_again")
    page.button(key="run_resume").click().run()
    assert spawned == [str(folder.path)]
    assert page.query_params["run"] in (folder.run_id, [folder.run_id])
    assert get_run(folder.run_id).status.state == "starting"
    assert not page.error
    assert not [button for button in page.button if button.key == "run_resume"]


def test_a_resume_that_comes_too_late_shows_the_run_as_it_is(open_page, spawned):
    folder = interrupted()
    page = open_page("train", run=folder.run_id)
    with folder.lock():
        folder.write_status(get_run(folder.run_id).status.__class__(state="running"))
        page.button(key="run_resume").click().run()
    assert page.button(key="run_stop")
    assert not spawned
    assert not page.exception


def test_a_resume_that_fails_says_why(open_page, spawned, monkeypatch):
    def full(parameters):
        raise Unavailable("Only 3 MB are free where runs are kept.", "Free some.")

    folder = interrupted()
    page = open_page("train", run=folder.run_id)
    monkeypatch.setattr("cnn.runs.manager.check_space", full)
    page.button(key="run_resume").click().run()
    assert "Only 3 MB" in texts(page.error)
    assert get_run(folder.run_id).status.state == "interrupted"
    assert not spawned


def keys_of(page):
    return [button.key for button in page.button if button.key and button.key.startswith("run_")]


@pytest.mark.parametrize(("state", "kept", "more", "keys"), [
    ("interrupted", True, {"best_epoch": 1}, ["run_resume", "run_finish", "run_again"]),
    ("interrupted", False, {}, ["run_resume", "run_again"]),
    ("paused", True, {"best_epoch": 2}, ["run_resume", "run_finish", "run_again"]),
    ("paused", True, {}, ["run_resume", "run_again"]),
    ("failed", True, {}, ["run_resume", "run_again"]),
    ("diverged", True, {}, ["run_resume", "run_again"]),
    ("diverged", False, {}, ["run_again"]),
    ("finished", True, {"model": "gone"}, ["run_continue", "run_finish"]),
    ("finished", False, {"model": "first"}, []),
    ("stopped", True, {"model": "gone"}, ["run_continue", "run_finish"]),
    ("stopped", False, {"message": "Cancelled."}, ["run_again"]),
])
def test_each_state_offers_its_ways_on(open_page, state, kept, more, keys):
    folder = write_run(state=state, **more)
    if kept:
        folder.checkpoints.write(b"what the trainer knew", 2, 0)
    page = open_page("train", run=folder.run_id)
    assert keys_of(page) == [*keys, "run_new"]
    assert not page.exception


@pytest.mark.parametrize(("state", "keys"), [
    ("starting", ["run_pause", "run_stop"]), ("running", ["run_pause", "run_stop"]),
    ("queued", ["run_stop"])])
def test_each_active_state_offers_what_can_be_asked(open_page, state, keys):
    folder = write_run(state=state)
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        assert keys_of(page) == [*keys, "run_new"]


@pytest.mark.parametrize("wish", ["pause", "stop"])
def test_what_was_asked_for_is_not_asked_for_again_but_a_pause_can_become_a_stop(open_page, wish):
    folder = write_run(state="running")
    folder.ask(wish=wish)
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        assert page.button(key="run_pause").disabled
        assert page.button(key="run_stop").disabled == (wish == "stop")


def test_pause_asks_the_trainer(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        page.button(key="run_pause").click().run()
        assert folder.read_control().wish == "pause"
        assert not page.error


def test_settings_change_while_it_trains(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        next(field for field in page.number_input if field.label == "Epochs in all").set_value(9)
        next(toggle for toggle in page.toggle if toggle.label == "Augmentation").set_value(True)
        next(button for button in page.button if button.label == "Change it").click().run()
        control = folder.read_control()
        assert (control.epochs, control.learning_rate, control.wish) == (9, None, "")
        assert control.augmentation.shift
        assert not control.augmentation.flip  # digits are never mirrored
        assert get_run(folder.run_id).config.epochs == 9
        assert not page.error


def test_a_change_of_nothing_says_what_can_be_changed(open_page):
    folder = write_run(state="running")
    with folder.lock():
        page = open_page("train", run=folder.run_id)
        next(button for button in page.button if button.label == "Change it").click().run()
        assert "learning\\_rate" in texts(page.error)


def test_a_finished_run_trains_more_epochs(open_page, spawned):
    folder = write_run(state="finished", model="first", test_accuracy=0.9, test_n=9)
    folder.checkpoints.write(b"what the trainer knew", 2, 0)
    page = open_page("train", run=folder.run_id)
    page.number_input(key="run_more_epochs").set_value(3)
    page.button(key="run_continue").click().run()
    assert spawned == [str(folder.path)]
    assert get_run(folder.run_id).config.epochs == 5
    assert not page.error


def test_the_best_of_a_paused_run_is_kept_at_a_click(open_page, spawned):
    folder = write_run(state="paused", best_epoch=2)
    folder.checkpoints.write(b"what the trainer knew", 2, 0)
    page = open_page("train", run=folder.run_id)
    assert page.button(key="run_finish").label == "Keep epoch 2 as a model"
    page.button(key="run_finish").click().run()
    assert spawned == [str(folder.path)]
    assert folder.read_control().wish == "stop"


def test_a_waiting_run_shows_its_place_and_moves(open_page):
    folders = [write_run(f"20260102-03040{n}-x", epochs=0, state="queued") for n in (1, 2)]
    for folder in folders:
        queue.enter(folder.run_id)
    with folders[0].lock(), folders[1].lock():
        page = open_page("train", run=folders[1].run_id)
        assert "Place **2** of 2" in texts(page.markdown)
        assert page.button(key="run_back").disabled
        page.button(key="run_forward").click().run()
        assert queue.waiting() == [folders[1].run_id, folders[0].run_id]
        page.button(key="run_stop").click().run()
        assert folders[1].read_control().wish == "stop"


def test_a_damaged_run_hides_no_other(open_page):
    write_run(state="finished", model="first", test_accuracy=0.9)
    broken = write_run("20260102-030406-broken")
    (broken.path / "status.json").write_text("{")
    (write_run("20260102-030407-bare").path / "config.json").unlink()
    page = open_page("train")
    runs = page.dataframe[-1].value
    assert [state for (state,) in runs["State"]] == ["damaged", "damaged", "finished"]
    assert list(runs["Run"])[2] == "first"
    page = open_page("train", run=broken.run_id)
    assert "status" in texts(page.error)
    assert not page.exception


def test_a_real_run_from_start_to_its_result(open_page):
    page = open_page("train")
    page.number_input(key="train_epochs_digits").set_value(1)
    page.number_input(key="train_images_digits").set_value(100)
    page.run()
    start_button(page).click().run()
    run_id = page.query_params["run"]
    run_id = run_id[0] if isinstance(run_id, list) else run_id
    run = wait_until_ended(run_id, 120)
    assert run.status.state == "finished", run.folder.log_tail()
    config = RunConfig("digits", "base", "digits-base", epochs=1, train_images=100)
    assert run.config == config
    assert run.command == command_line(config)
    page.run()
    assert "digits\\-base" in texts(page.success)
    assert {m.label: m.value for m in page.metric}["Test images"] == "359"
