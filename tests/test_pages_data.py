"""The Data page: what is shown of a data set, getting one ready, and importing pictures."""

import io
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from cnn.data.catalogue import dataset_names, load
from cnn.data.images import encode_png
from pages.shared.data_view import IMAGES_PER_PAGE


def texts(elements):
    return "\n".join(str(element.value) for element in elements)


def chosen_rows(page):
    return [int(button.label[1:]) for button in page.button if button.label.startswith("#")]


def picture(shade, seed):
    noise = np.random.default_rng(seed).integers(0, 40, (20, 30, 3))
    return encode_png((noise + shade).astype(np.uint8))


def zip_of_classes(**classes):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, count in classes.items():
            for number in range(count):
                archive.writestr(f"{name}/{number}.png", picture(60 * len(name) % 200, number))
        archive.writestr("cats/notes.png", "this is text")
    return buffer.getvalue()


def test_counts_are_shown_for_each_class_and_add_up(open_page):
    page = open_page("data")
    counts = page.dataframe[0].value
    assert list(counts["Class"]) == list("0123456789")
    assert counts["Training"].sum() == 1438
    assert counts["Test"].sum() == 359
    assert not page.exception


def test_the_images_of_a_class_are_its_training_images(open_page):
    page = open_page("data")
    labels = load("digits").train_labels
    assert chosen_rows(page) == list(np.flatnonzero(labels == 0)[:IMAGES_PER_PAGE])
    page.button_group(key="data_class_digits").set_value(7).run()
    assert chosen_rows(page) == list(np.flatnonzero(labels == 7)[:IMAGES_PER_PAGE])
    assert "test images stay sealed" in texts(page.caption)


def test_a_chosen_image_is_shown_in_numbers_before_and_after_normalisation(open_page):
    page = open_page("data")
    row = chosen_rows(page)[5]
    page.button(key=f"data_choose_{row}").click().run()
    assert f"Training image #{row}" in texts(page.caption)
    before, after = (frame.value.to_numpy() for frame in page.dataframe[-2:])
    image = load("digits").train_images[row, :, :, 0]
    assert (before == image).all()
    assert np.allclose(after, image / 255)
    assert "255" in texts(page.latex)


def test_a_colour_image_is_shown_by_channel(open_page, folders):
    source = folders / "source"
    for name in ("cats", "dogs"):
        (source / name).mkdir(parents=True)
        for number in range(4):
            (source / name / f"{number}.png").write_bytes(picture(100, number))
    page = open_page("data")
    page.text_input(key="import_path").set_value(str(source)).run()
    page.button(key="import_start").click().run()
    assert all(picture.url.endswith(".png")  # JPEG would show other pixels than there are
               for image in page.get("image") for picture in image.proto.imgs)
    captions = [picture.caption for image in page.get("image") for picture in image.proto.imgs]
    assert captions[-4:] == ["The image", "Red channel", "Green channel", "Blue channel"]
    page.button_group(key="data_channel").set_value("Blue").run()
    row = chosen_rows(page)[0]
    image = load("source").train_images[row]
    assert (page.dataframe[-2].value.to_numpy() == image[..., 2]).all()


def test_a_data_set_that_needs_no_network_is_prepared_at_once(open_page, monkeypatch):
    from pages.shared import dataset_picker

    asked = []
    monkeypatch.setattr(dataset_picker, "load", lambda name, progress: asked.append(name))
    unprepared = replace(dataset_picker.describe("digits"), image_shape=None, available=True)
    monkeypatch.setattr(dataset_picker, "describe", lambda name: unprepared)
    monkeypatch.setattr(dataset_picker.st, "rerun", lambda: None)
    page = open_page("train")
    assert asked == ["digits"]
    assert not [button for button in page.button if button.key == "prepare"]


def test_a_data_set_that_is_not_here_cannot_be_trained_on(open_page):
    page = open_page("train")
    page.selectbox(key="dataset").select("cifar10").run()
    assert not [button for button in page.button if button.key == "train_start"]
    assert page.button(key="prepare")
    assert not page.exception


def test_the_chosen_data_set_is_the_same_on_the_train_page(open_page):
    page = open_page("data")
    page.selectbox(key="dataset").select("mnist").run()
    page.switch_page("pages/train.py").run()
    assert page.selectbox(key="dataset").value == "mnist"


def test_a_zip_becomes_a_data_set_and_says_what_was_left_out(open_page):
    page = open_page("data")
    page.file_uploader(key="import_zip").upload("My Pets.zip", zip_of_classes(cats=5, dogs=6)).run()
    page.number_input(key="import_size").set_value(16).run()
    page.button(key="import_start").click().run()
    assert "my\\-pets" in texts(page.success)
    assert "1 file" in texts(page.warning)
    assert page.selectbox(key="dataset").value == "my-pets"
    assert load("my-pets").image_shape == (16, 16, 3)
    assert not page.exception


@pytest.mark.parametrize(("path", "words"), [
    ("/no/such/folder", "no file or folder"), ("relative/folder", "not a whole path")])
def test_a_path_that_cannot_be_imported_is_refused_in_words(open_page, path, words):
    page = open_page("data")
    page.text_input(key="import_path").set_value(path).run()
    page.button(key="import_start").click().run()
    assert words in texts(page.error)
    assert not page.exception


def test_a_name_that_is_taken_is_refused(open_page):
    page = open_page("data")
    page.file_uploader(key="import_zip").upload("x.zip", zip_of_classes(cats=5, dogs=6)).run()
    page.text_input(key="import_name").set_value("digits").run()
    page.button(key="import_start").click().run()
    assert "already a data set" in texts(page.error)


def test_a_file_that_is_no_zip_is_refused(open_page):
    page = open_page("data")
    page.file_uploader(key="import_zip").upload("x.zip", b"not a zip at all").run()
    page.button(key="import_start").click().run()
    assert "zip" in texts(page.error)
    assert not page.exception


def test_an_imported_data_set_can_be_removed_and_a_built_in_one_not(open_page):
    page = open_page("data")
    assert not [button for button in page.button if button.key == "import_remove"]
    page.file_uploader(key="import_zip").upload("pets.zip", zip_of_classes(cats=5, dogs=6)).run()
    page.button(key="import_start").click().run()
    page.button(key="import_remove").click().run()
    assert "pets" not in dataset_names()
    assert page.selectbox(key="dataset").value == "digits"
    assert not page.exception


def test_a_damaged_data_set_is_named_and_hides_no_other(open_page, folders):
    store = folders / "data" / "cnn-studio"
    shutil.copytree(store / "digits", store / "broken")
    (store / "broken" / "meta.json").write_text("{")
    page = open_page("data")
    assert page.selectbox(key="dataset").value == "digits"
    page.selectbox(key="dataset").select("broken").run()
    assert "damaged" in texts(page.error)
    assert page.button(key="import_remove")
    assert not page.exception


def test_a_data_set_with_a_missing_file_is_said_to_be_damaged(open_page, folders):
    store = folders / "data" / "cnn-studio"
    shutil.copytree(store / "digits", store / "torn")
    (store / "torn" / "train_images.npy").write_bytes(b"short")
    page = open_page("data")
    page.selectbox(key="dataset").select("torn").run()
    assert "damaged" in texts(page.error)
    assert not page.exception
