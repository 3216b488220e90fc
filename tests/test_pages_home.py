"""The Home page: a way into each page, the saved models, the run that is going on."""

from model_folders import write_model
from page_steps import texts
from run_folders import write_run

from cnn.paths import models_dir
from pages.shared.layout import page_list
from pages.shared.model_cards import MOST_CARDS


def links(page):
    return [link.proto.label for link in page.get("page_link")]


def test_home_leads_to_each_other_page_the_prediction_first(app):
    page = app.run()
    assert not page.exception
    targets = [link.proto.page for link in page.get("page_link")]
    ways = ["predict", "train", "lab", "data", "runs", "evaluate", "compare", "inside"]
    assert targets[:8] == ways
    assert len(page_list()) == 1 + len(ways)


def test_home_without_models_says_how_to_get_one(app):
    page = app.run()
    assert "There is none yet" in texts(page.caption)


def test_a_saved_model_is_shown_with_its_figures(app):
    write_model("first", test_accuracy=0.9123, test_n=1234, parameters=52_554, seconds=12.5)
    page = app.run()
    assert texts(page.subheader) == "first"
    assert page.metric[0].value == "91.2 %"
    assert "1,234" in page.metric[0].delta
    assert "52.6 k parameters" in texts(page.caption)
    assert "3 epochs in 12 s" in texts(page.caption)
    queries = [link.proto.query_string for link in page.get("page_link")]
    assert queries.count("model=first") == 2


def test_a_damaged_model_is_named_and_hides_no_other(app):
    write_model("good")
    write_model("bad")
    (models_dir() / "bad" / "card.json").write_text("{")
    (models_dir() / "empty").mkdir()
    page = app.run()
    assert texts(page.subheader) == "good"
    assert len(page.warning) == 2
    assert "bad: " in texts(page.warning)
    assert "empty: " in texts(page.warning)
    assert not page.exception


def test_names_and_classes_are_shown_letter_by_letter(app):
    write_model("odd", dataset="**bold** :red[x]", architecture="$x$")
    page = app.run()
    assert not page.exception
    assert "\\*\\*bold\\*\\*" in texts(page.markdown)


def test_many_models_are_shortened_and_said_to_be(app):
    for number in range(MOST_CARDS + 2):
        write_model(f"model-{number}")
    page = app.run()
    assert len(page.subheader) == MOST_CARDS
    assert f"of {MOST_CARDS + 2}" in texts(page.caption)


def test_the_run_that_is_going_on_is_shown_with_its_progress(app):
    folder = write_run(state="running", best_epoch=2, best_val_accuracy=0.7)
    with folder.lock():
        page = app.run()
        assert "**Training: first**" in texts(page.markdown)
        assert f"run={folder.run_id}" in [
            link.proto.query_string for link in page.get("page_link")]
    write_run("20260102-030407-done", state="finished", model="done")
    page = app.run()  # its trainer is gone now
    assert "Training" not in texts(page.markdown).replace("Train convolutional", "")


def test_a_new_model_appears_at_the_next_look(app):
    write_model("first")
    assert texts(app.run().subheader) == "first"
    write_model("second", created="2026-02-02T03:04:05+00:00")
    assert texts(app.run().subheader) == "second\nfirst"


def test_a_model_is_deleted_brought_back_and_deleted_for_good(app):
    write_model("first")
    write_model("bad").joinpath("card.json").write_text("{")
    page = app.run()
    page.button(key="models_delete_bad").click().run()
    assert not page.warning
    page.button(key="models_delete_first").click().run()
    assert "**first** is deleted" in texts(page.markdown)
    assert "There is none yet" in texts(page.caption)
    assert list(page.dataframe[0].value["Model"]) == ["first", "bad"]
    page.button(key="models_undo").click().run()
    assert "The model first is back" in texts(page.success)
    assert texts(page.subheader) == "first"
    page.button(key="models_empty").click().run()
    assert "Deleted for good\\: 1" in texts(page.success)
    assert not page.dataframe and not page.exception


def test_a_model_that_comes_with_the_project_has_no_button_to_delete_it(app, monkeypatch):
    write_model("digits-base")
    assert [button.key for button in app.run().button] == ["models_delete_digits-base"]
    monkeypatch.setattr("cnn.prediction.deleting.PROJECT", models_dir().parent)
    models_dir().rename(models_dir().parent / "saved_models")
    monkeypatch.setenv("CNN_MODELS_DIR", str(models_dir().parent / "saved_models"))
    page = app.run()
    assert texts(page.subheader) == "digits\\-base" and not page.button


def test_a_run_that_waits_is_not_said_to_train(app):
    write_run(state="queued", epochs=0, stage="waiting for its turn")
    page = app.run()
    assert "**Waiting its turn: first**" in texts(page.markdown)
