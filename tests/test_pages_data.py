"""The Data page: what is shown of a data set, and getting one ready."""

import shutil
from dataclasses import replace

import numpy as np
from picture_files import class_files, write_folder

from cnn.data.catalogue import dataset_names, load
from cnn.data.images import encode_png
from cnn.data.importing import import_images
from pages.shared.data_view import IMAGES_PER_PAGE


def texts(elements):
    return "\n".join(str(element.value) for element in elements)


def chosen_rows(page):
    return [int(button.label[1:]) for button in page.button if button.label.startswith("#")]


def picture(shade, seed):
    noise = np.random.default_rng(seed).integers(0, 40, (20, 30, 3))
    return encode_png((noise + shade).astype(np.uint8))


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
    import_images(source, "source", (64, 64))
    page = open_page("data").selectbox(key="dataset").select("source").run()
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


def test_an_imported_data_set_can_be_removed_and_a_built_in_one_not(open_page, folders):
    import_images(write_folder(folders / "pets", class_files(cats=5, dogs=6)), "pets", (8, 8))
    page = open_page("data")
    assert not [button for button in page.button if button.key == "import_remove"]
    page.selectbox(key="dataset").select("pets").run()
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
