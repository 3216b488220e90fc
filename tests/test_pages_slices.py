"""Slices and single images on the Evaluate page, with a set that was imported with its groups."""


import numpy as np
import pytest
from model_folders import write_model
from page_steps import texts
from picture_files import slide_files, write_folder

from cnn.data.catalogue import load
from cnn.data.dividing import SplitPlan
from cnn.data.importing import import_images
from cnn.evaluation.results import evaluate_predictions, write_evaluation


@pytest.fixture
def slides(folders, asked):
    """A model that errs on the images of the darkest slide of the test, and a stub of an engine."""
    import_images(write_folder(folders / "source", slide_files()), "slides", (8, 8),
                  plan=SplitPlan(group="^(.+)_", test_fraction=0.34))
    data = load("slides")
    brightness = np.asarray(data.test_images).mean(axis=(1, 2, 3))
    wrong = np.argsort(brightness, kind="stable")[:4]
    answers = data.test_labels.copy()
    answers[wrong] = 1 - answers[wrong]
    probabilities = np.full((len(answers), 2), 0.1, np.float32)
    probabilities[np.arange(len(answers)), answers] = 0.9
    folder = write_model("slides-base", dataset="slides", class_names=list(data.class_names),
                         input_shape=[8, 8, 3], dataset_fingerprint=data.fingerprint,
                         test_n=len(answers))
    write_evaluation(folder, evaluate_predictions(probabilities, data.test_labels,
                                                  data.class_names))
    return data, wrong, asked


def test_accuracy_is_told_by_brightness_size_and_group(open_page, slides):
    data, wrong, _ = slides
    page = open_page("evaluate", view="Slices")
    table = page.dataframe[0].value
    assert table["test images"].sum() == len(data.test_labels)
    assert table["right"].tolist()[0] == table["test images"].tolist()[0] - len(wrong)
    assert "Wilson" in texts(page.caption)
    page.segmented_control(key="slices_by").set_value("Size of the original").run()
    assert page.dataframe[0].value["size of the original"].tolist() == [
        "8 px", "9 px", "10 px", "11 px"]
    page.segmented_control(key="slices_by").set_value("Group").run()
    groups = page.dataframe[0].value
    assert set(groups["group"]) <= {f"s{slide}" for slide in range(6)}
    assert groups["accuracy"][0] == groups["accuracy"].min()
    assert not page.exception


def test_without_the_data_set_there_are_no_slices_and_a_reason(open_page):
    write_model("first")
    page = open_page("evaluate", view="Slices")
    assert "not on this computer" in texts(page.info) and not page.exception


def test_a_set_without_originals_is_divided_by_brightness_alone(open_page, folders):
    data = load("digits")
    names = tuple(str(number) for number in range(10))
    folder = write_model("digits", dataset="digits", class_names=list(names),
                         dataset_fingerprint=data.fingerprint)
    write_evaluation(folder, evaluate_predictions(
        np.eye(10, dtype=np.float32)[data.test_labels], data.test_labels, names))
    page = open_page("evaluate", view="Slices")
    assert len(page.dataframe[0].value) == 4
    assert "slices_by" not in [one.key for one in page.button_group]


def test_an_opened_image_shows_its_answer_its_file_and_both_heat_maps(open_page, slides):
    data, wrong, asked = slides
    row = int(wrong[0])
    truth = data.class_names[data.test_labels[row]]
    other = "bee" if truth == "ant" else "ant"
    page = open_page("evaluate", view="Images", image=str(row))
    assert not page.exception and not page.error
    assert f"The label says **{truth}**, the model **{other}**, 90.0 % sure." in texts(
        page.markdown)
    assert "File: " in texts(page.caption)
    (question,) = [one for one in asked() if one["op"] == "explain"]
    assert question["classes"] == [other, truth] and question["method"] == "grad-cam"
    alts = [image.proto.imgs[0].alt for image in page.get("image")]
    assert f"Heat map for the class {truth}" in alts and f"Heat map for the class {other}" in alts


def test_from_an_opened_image_the_next_one_is_a_click_away(open_page, slides):
    _, wrong, _ = slides
    rows = sorted(wrong.tolist())  # all are equally sure
    page = open_page("evaluate", view="Images", image=str(rows[0]))
    assert f"**#{rows[0]}**, 1 of 4" in texts(page.markdown)
    assert page.button(key="evaluate_Previous").disabled
    page.button(key="evaluate_Next").click().run()
    assert f"**#{rows[1]}**, 2 of 4" in texts(page.markdown)


@pytest.mark.parametrize("image", ["100000", "-1", "x"])
def test_an_image_that_there_is_not_opens_nothing(open_page, slides, image):
    page = open_page("evaluate", view="Images", image=image)
    assert not page.exception and "The label says" not in texts(page.markdown)


def test_right_answers_that_were_close_and_suspected_labels_can_be_looked_at(open_page, slides):
    data, wrong, _ = slides
    page = open_page("evaluate", view="Images")
    page.button_group(key="look").set_value("Doubtful right answers").run()
    assert f"{len(data.test_labels) - len(wrong)} images among" in texts(page.caption)
    assert not page.exception
    page.button_group(key="look").set_value("Suspected labels").run()
    assert f"{len(wrong)} images among" in texts(page.caption)
    assert "suspicion, not a finding" in texts(page.caption)
    assert "arxiv.org/abs/1911.00068" in texts(page.caption)
    assert not page.exception
