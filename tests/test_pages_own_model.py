"""Using a model from elsewhere on the Predict page, and what other pages say of it."""

import pytest
from foreign_files import dense, layer, sequential
from model_folders import write_model
from page_steps import texts
from test_adopting import bring

from cnn.errors import BadInput, Refused
from cnn.models.foreign.plan import plan_of
from cnn.prediction.adopting import Found, Wishes
from pages.shared import own_model

FOUND = Found(plan_of(sequential(layer("Rescaling", "scaled", scale=0.1), layer("Flatten"),
                                 dense(3, "linear"))), 3, 579, "logits", "scaled")


@pytest.fixture
def given(open_page, no_engine, monkeypatch):
    """Open the page, open the section and give a file; returns the page and what was wished."""
    wished = []

    def pretend(path, wishes):
        wished.append((path.read_bytes(), wishes))
        return bring(wishes.name, class_names=list(wishes.class_names))

    monkeypatch.setattr(own_model, "adopt", pretend)

    def give(found=FOUND):
        def look(path):
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(own_model, "look_into_file", look)
        page = open_page("predict")
        page.session_state["own_section_0"] = True
        page.run()
        page.file_uploader(key="own_file_0").upload("My Cats.keras", b"the file")
        return page.run(), wished

    return give


def test_the_section_is_closed_at_first(open_page, no_engine):
    write_model("first")
    page = open_page("predict")
    assert "Use a model of yours" in [expander.label for expander in page.expander]
    assert [uploader.key for uploader in page.file_uploader] == ["predict_files"]


def test_what_was_understood_is_shown(given):
    page, _ = given()
    said = texts(page.markdown) + texts(page.caption)
    assert "**3 layers** · **579** parameters · pictures of **8×8, RGB** · **3 classes**" in said
    assert "a softmax is put behind it" in said
    assert "begins with a layer that scales them (scaled)" in said
    assert page.segmented_control(key="own_pixels").value == "0-255"
    assert page.text_input(key="own_name").value == "my-cats"
    page.toggle(key="own_layers").set_value(True).run()
    assert page.dataframe[0].value["Kind"].tolist() == ["Rescaling", "Flatten", "Dense"]


def test_the_model_is_added_and_chosen(given):
    page, wished = given()
    page.text_area(key="own_classes").set_value(" cat\n\ndog\nant ")
    page.button[-1].click().run()
    assert not page.exception
    assert wished == [(b"the file", Wishes("my-cats", ("cat", "dog", "ant"), "0-255", "crop"))]
    assert page.selectbox(key="model").value == "my-cats"
    assert "my\\-cats** is one of the saved models now" in texts(page.success)
    assert "was not measured here · A model brought from elsewhere (8×6, grey)" in \
        texts(page.caption)
    assert not page.text_area  # closed again
    assert "my\\-cats" not in texts(page.run().success)


def test_a_refused_file_is_said_and_another_can_be_given(given):
    page, _ = given(Refused("The network has a part of the kind 'Lambda'.", "Not taken."))
    assert "of the kind 'Lambda'" in texts(page.error)
    page.button(key="own_again").click().run()
    assert not page.error
    assert "own_file_1" in [uploader.key for uploader in page.file_uploader]


def test_a_wish_that_cannot_be_fulfilled_keeps_what_was_typed(given, monkeypatch):
    page, _ = given()

    def refuse(path, wishes):
        raise BadInput("The network tells 3 classes apart; names given: 1.", "Give one each.")

    monkeypatch.setattr(own_model, "adopt", refuse)
    page.text_area(key="own_classes").set_value("cat")
    page.button[-1].click().run()
    assert "tells 3 classes apart" in texts(page.error)
    assert page.text_area(key="own_classes").value == "cat"


# Pages that show how good models are


def test_home_says_that_it_was_not_measured(open_page):
    bring()
    page = open_page("home")
    assert not page.exception
    assert [(one.label, one.value, one.delta) for one in page.metric] == [
        ("Test accuracy", "–", "not measured here")]
    assert "brought from elsewhere" in texts(page.caption)


def test_evaluate_says_how_to_measure_it(open_page):
    bring()
    page = open_page("evaluate", model="brought")
    assert not page.exception
    assert "was not measured here" in texts(page.info)
    assert "python -m cnn evaluate brought --dataset NAME" in texts(page.info)


def test_evaluate_shows_a_measured_one_without_a_training(open_page):
    write_model("brought", origin="uploaded", epochs=0, best_epoch=0, train_n=0)
    page = open_page("evaluate", model="brought")
    assert not page.exception
    labels = [one.label for one in page.metric]
    assert "Test accuracy" in labels
    assert not {"Best epoch", "Wall time", "Training images"} & set(labels)
    page.segmented_control(key="view").set_value("Details").run()
    assert not page.exception


def test_compare_says_which_have_no_test_answers(open_page):
    for name in ("first", "second"):
        write_model(name)
    bring()
    page = open_page("compare")
    assert not page.exception
    assert set(page.multiselect(key="with").options) == {"first", "second"}
    assert "there are no test answers of theirs: brought" in texts(page.caption)
