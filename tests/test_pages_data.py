"""The Data page: getting a data set ready, and importing pictures. What it shows is elsewhere."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from page_steps import texts
from picture_files import class_files, write_folder

from cnn.data.catalogue import dataset_names
from cnn.data.images import encode_png
from cnn.data.importing import import_images


def picture(shade, seed):
    noise = np.random.default_rng(seed).integers(0, 40, (20, 30, 3))
    return encode_png((noise + shade).astype(np.uint8))




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


@pytest.mark.parametrize("name", ["data", "train"])
def test_a_reload_or_a_link_keeps_the_chosen_data_set(open_page, name):
    page = open_page(name)
    assert "dataset" not in page.query_params
    page.selectbox(key="dataset").select("mnist").run()
    assert page.query_params["dataset"] == "mnist"
    page.selectbox(key="dataset").select("digits").run()
    assert page.query_params["dataset"] == "digits"


@pytest.mark.parametrize("name", ["data", "train"])
def test_the_address_names_the_data_set_of_a_new_visit(open_page, name):
    page = open_page(name, dataset="mnist")
    assert page.selectbox(key="dataset").value == "mnist"
    assert not page.warning


def test_a_data_set_of_the_address_that_is_not_there_is_said(open_page):
    page = open_page("data", dataset="<b>gone</b>")
    assert "There is no data set" in texts(page.warning)
    assert page.selectbox(key="dataset").value == "digits"
    assert page.query_params["dataset"] == "digits"


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
