"""The parts of the Data page that show a data set: numbers, images, one image, and the map."""

import json
import shutil
import time

import numpy as np
import pytest
from model_folders import write_model
from page_steps import texts

from cnn.config import Augmentation
from cnn.data import looks
from cnn.data.catalogue import load
from cnn.data.images import encode_png
from cnn.data.preview import shown_in_training
from cnn.errors import Unavailable
from cnn.prediction import client, maps
from pages.shared import class_view, image_view, map_view
from pages.shared.data_view import IMAGES_PER_PAGE
from pages.shared.image_view import EPOCHS
from pages.shared.pictures import enlarged

# Nothing but a figure, a graph or turned pictures may need the engine.
pytestmark = pytest.mark.usefixtures("no_engine")


def pictures(page):
    return [picture for image in page.get("image") for picture in image.proto.imgs]


def charts(page):
    return [json.loads(chart.proto.spec) for chart in page.get("echarts_chart")]


def chosen_rows(page):
    return [int(button.label[1:]) for button in page.button if button.label.startswith("#")]


@pytest.fixture
def drawn(monkeypatch):
    """The arrays that the page enlarges and shows, in order."""
    arrays = []

    def record(image, most):
        arrays.append(np.array(image))
        return enlarged(image, most)

    for module in (class_view, image_view):
        monkeypatch.setattr(module, "enlarged", record)
    return arrays


@pytest.fixture
def colours(folders):
    """An imported set of two classes of colour pictures, without its test images' class names."""
    from cnn.data.importing import import_images

    rng = np.random.default_rng(0)
    for name, shade in (("cats", 30), ("dogs", 180)):
        (folders / "source" / name).mkdir(parents=True)
        for number in range(9):
            noise = rng.integers(0, 60, (20, 20, 3)) + shade
            (folders / "source" / name / f"{number}.png").write_bytes(
                encode_png(noise.astype(np.uint8)))
    import_images(folders / "source", "pets", (16, 16), "crop", 3)
    return load("pets")


def open_pets(open_page, section):
    page = open_page("data", section=section)
    page.selectbox(key="dataset").select("pets").run()
    return page


# Parts


def test_only_the_chosen_part_is_drawn(open_page):
    page = open_page("data")
    assert page.button_group(key="section").value == "Overview"
    assert not chosen_rows(page)
    page.button_group(key="section").set_value("Images").run()
    assert chosen_rows(page)
    assert not page.get("echarts_chart")
    assert not page.exception


def test_a_part_that_there_is_not_falls_back_to_the_first(open_page):
    page = open_page("data", section="Secrets")
    assert page.button_group(key="section").value == "Overview"
    assert not page.exception


@pytest.mark.parametrize("section", ["Overview", "Images", "One image", "Map"])
def test_the_address_names_a_part_and_each_says_that_the_test_is_sealed(open_page, section):
    page = open_page("data", section=section)
    assert page.button_group(key="section").value == section
    assert "test images stay sealed" in texts(page.caption)
    assert "Your own pictures" in texts(page.header)
    assert not page.exception


# Overview


def test_counts_are_shown_for_each_class_and_add_up(open_page):
    page = open_page("data")
    counts = page.dataframe[0].value
    assert list(counts["Class"]) == list("0123456789")
    assert counts["Training"].sum() == 1438
    assert counts["Test"].sum() == 359
    assert not page.exception


def test_the_mean_image_of_each_class_is_shown(open_page, drawn):
    page = open_page("data")
    data = load("digits")
    assert [picture.caption for picture in pictures(page)] == list("0123456789")
    mean = np.round(data.train_images[data.train_labels == 3].mean(axis=0))
    np.testing.assert_array_equal(drawn[3], mean)


def test_levels_are_those_of_the_chosen_class(open_page, colours):
    page = open_pets(open_page, "Overview")
    page.selectbox(key="data_levels_pets").set_value(1).run()
    series = charts(page)[-1]["series"]
    assert [line["name"] for line in series] == ["Red", "Green", "Blue"]
    own = colours.train_images[colours.train_labels == 1]
    for channel, line in enumerate(series):
        wanted = np.histogram(own[..., channel], bins=32, range=(0, 256))[0] / own[..., 0].size
        np.testing.assert_allclose(line["data"], 100 * wanted, atol=1e-3)
    table = page.dataframe[-1].value
    assert list(table["class"]) == ["cats", "dogs"]
    assert table["red mean"][0] == pytest.approx(
        colours.train_images[colours.train_labels == 0][..., 0].mean())
    assert table["blue sd"][1] == pytest.approx(own[..., 2].std())


def test_the_images_are_looked_at_once(open_page, monkeypatch):
    page = open_page("data")
    monkeypatch.setattr(class_view, "make_portrait", None)  # to call it would fail
    page.run()
    assert not page.exception
    assert len(pictures(page)) == 10


def test_a_data_folder_that_cannot_be_written_breaks_nothing(open_page, monkeypatch):
    def fails(inside):
        raise Unavailable("No data folder can be written.")

    monkeypatch.setattr(looks, "writable_folder", fails)
    monkeypatch.setattr(looks, "_in_memory", {})
    page = open_page("data")
    assert len(pictures(page)) == 10
    assert not page.exception
    assert not page.error


def test_many_classes_are_shown_page_by_page(open_page, monkeypatch):
    monkeypatch.setattr(class_view, "MEANS_PER_PAGE", 4)
    page = open_page("data")
    assert [picture.caption for picture in pictures(page)] == list("0123")
    assert page.get("pagination")


# Images


def test_the_images_of_a_class_are_its_training_images(open_page):
    page = open_page("data", section="Images")
    labels = load("digits").train_labels
    assert chosen_rows(page) == list(np.flatnonzero(labels == 0)[:IMAGES_PER_PAGE])
    page.button_group(key="data_class_digits").set_value(7).run()
    assert chosen_rows(page) == list(np.flatnonzero(labels == 7)[:IMAGES_PER_PAGE])


def test_a_click_on_a_number_opens_its_image(open_page):
    page = open_page("data", section="Images")
    row = chosen_rows(page)[5]
    page.button(key=f"data_choose_{row}").click().run()
    assert page.button_group(key="section").value == "One image"
    assert f"Training image #{row}" in texts(page.caption)
    assert page.number_input(key="data_row_digits").value == row
    assert not page.exception


# One image


def test_an_image_is_shown_in_numbers_before_and_after_normalisation(open_page):
    page = open_page("data", section="One image")
    page.number_input(key="data_row_digits").set_value(40).run()
    assert "Training image #40" in texts(page.caption)
    before, after = (frame.value.to_numpy() for frame in page.dataframe[-2:])
    image = load("digits").train_images[40, :, :, 0]
    assert (before == image).all()
    assert np.allclose(after, image / 255)
    assert "255" in texts(page.latex)


def test_a_colour_image_is_shown_by_channel(open_page, colours):
    page = open_pets(open_page, "One image")
    assert all(picture.url.endswith(".png")  # JPEG would show other pixels than there are
               for picture in pictures(page))
    captions = [picture.caption for picture in pictures(page)]
    assert captions[:4] == ["The image", "Red channel", "Green channel", "Blue channel"]
    page.button_group(key="data_channel").set_value("Blue").run()
    assert (page.dataframe[-2].value.to_numpy() == colours.train_images[0][..., 2]).all()


def test_the_number_cannot_lead_out_of_the_training_images(open_page):
    field = open_page("data", section="One image").number_input(key="data_row_digits")
    assert (field.min, field.max) == (0, 1437)


def test_another_data_set_starts_with_its_first_image(open_page, colours):
    page = open_page("data", section="One image")
    page.number_input(key="data_row_digits").set_value(1000).run()
    page.selectbox(key="dataset").select("pets").run()
    assert page.number_input(key="data_row_pets").value == 0
    assert not page.exception


def test_the_preview_shows_what_training_gets(open_page, drawn):
    page = open_page("data", section="One image")
    page.number_input(key="data_row_digits").set_value(7).run()
    drawn.clear()
    page.number_input(key="data_cutout_digits").set_value(25.0).run()
    shown = [picture for picture in pictures(page) if picture.caption.startswith("Epoch")]
    changes = Augmentation(shift=0.1, flip=False, cutout=0.25)  # digits are not mirrored
    wanted = shown_in_training(load("digits"), 7, changes, 64, 0, EPOCHS).images
    assert [picture.caption for picture in shown] == [f"Epoch {n + 1}" for n in range(EPOCHS)]
    np.testing.assert_array_equal(drawn[1:], wanted)  # after the image itself


def test_turned_pictures_come_from_the_engine_and_without_it_the_rest_is_there(
        open_page, monkeypatch):
    page = open_page("data", section="One image")
    page.number_input(key="data_rotation_digits").set_value(20.0).run()
    assert "engine" in texts(page.error)
    assert len(page.dataframe) == 2  # the numbers below
    asked = []

    class Engine:
        def moved(self, shown):
            asked.append(shown)
            return shown.images

    monkeypatch.setattr(client, "_shared", Engine())
    page.run()
    assert asked[0].transforms.shape == (EPOCHS, 8)
    assert len([p for p in pictures(page) if p.caption.startswith("Epoch")]) == EPOCHS
    assert not page.error


def test_without_changes_it_says_so_and_an_impossible_one_is_refused(open_page):
    page = open_page("data", section="One image")
    page.number_input(key="data_shift_digits").set_value(0.0).run()
    assert "No change is chosen" in texts(page.info)
    page.number_input(key="data_shift_digits").set_value(80.0).run()
    assert "shift must be" in texts(page.error)
    assert not page.exception


# Map


def made_up_map(data, count=60, agreement=0.5):
    rows = np.arange(count)
    points = np.stack([rows % 7, rows // 7], axis=1) + data.train_labels[:count, None] / 10
    nearest = (rows[:, None] + np.arange(1, 7)) % count
    return {"rows": rows, "points": points, "nearest": nearest, "agreement": agreement,
            "explained": [0.25, 0.125], "dimensions": 64, "seconds": 3.0}


@pytest.fixture
def mapped(folders):
    """The digits with a map of pixels by PCA that was made before."""
    data = load("digits")
    looks.keep(data.fingerprint, "map-pca-pixels",
               {key: np.asarray(value) for key, value in made_up_map(data).items()})
    return data


class Making:
    """Stands for the background: maps that are never done, or fail."""

    def __init__(self, error=None):
        self.started, self.error = [], error

    def start(self, subject):
        self.started.append(subject)

    def running(self, subject):
        return subject in self.started and self.error is None

    def failure(self, subject):
        return self.error


@pytest.fixture
def making(monkeypatch):
    stub = Making()
    monkeypatch.setattr(map_view, "background", stub)
    return stub


def test_the_map_has_a_series_for_each_class_with_its_images(open_page, mapped):
    page = open_page("data", section="Map")
    option, = charts(page)
    assert [series["name"] for series in option["series"]] == [*"0123456789", "chosen"]
    for label, series in enumerate(option["series"][:10]):
        rows = [row for _, _, row in series["data"]]
        assert rows == list(np.flatnonzero(mapped.train_labels[:60] == label))
    assert "component 1: 25.0 % of the variance" in option["xAxis"]["name"]
    assert "37.5 %" in texts(page.caption)  # what both axes explain
    assert "**50.0 %** are most like one of their own class" in texts(page.markdown)
    assert list(page.dataframe[-1].value["image"]) == list(range(60))
    assert not page.exception


def test_a_chosen_image_has_a_ring_its_picture_and_its_nearest(open_page, mapped):
    page = open_page("data", section="One image")
    page.number_input(key="data_row_digits").set_value(12).run()
    page.button_group(key="section").set_value("Map").run()
    points = made_up_map(mapped)["points"]
    assert charts(page)[0]["series"][-1]["data"] == [points[12].tolist()]
    shown = [picture.caption for picture in pictures(page)]
    assert shown[0].startswith("#12")
    assert [caption.strip("*") for caption in shown[1:]] == [
        str(mapped.train_labels[row]) for row in range(13, 19)]
    page.button(key="data_map_open").click().run()
    assert "Training image #12" in texts(page.caption)


def test_an_image_that_is_not_on_the_map_has_no_ring(open_page, mapped):
    page = open_page("data", section="One image")
    page.number_input(key="data_row_digits").set_value(1000).run()
    page.button_group(key="section").set_value("Map").run()
    assert charts(page)[0]["series"][-1]["data"] == []
    assert "Click a point" in texts(page.info)


def test_a_click_on_a_point_chooses_its_image(mapped, monkeypatch):
    state = {}
    monkeypatch.setattr(map_view.st, "session_state", state)
    monkeypatch.setattr(map_view, "choose_row", lambda name, row: state.update(row=row))
    found = maps.known_map(mapped, "", "pca")

    def click(*selected):
        state["chart"] = {"selection": {"selected": [
            {"series_index": label, "data_indices": places} for label, places in selected]}}
        map_view._take_click(mapped, found, "chart")
        return state.get("row")

    rows = [np.flatnonzero(mapped.train_labels[:60] == label) for label in range(10)]
    assert click((3, [1])) == rows[3][1]
    assert click((3, [1]), (5, [0])) == rows[5][0]  # the other class keeps its selected point
    assert click((3, [2]), (5, [0])) == rows[3][2]
    assert click((3, [2])) == rows[5][0]  # a second click takes a selection off
    state.pop("row")
    assert click((3, [2])) is None


def test_the_first_map_is_made_without_asking_and_others_at_a_click(open_page, making):
    page = open_page("data", section="Map")
    assert making.started == [("digits", "", "pca")]
    assert "Making the map" in texts(page.info)
    page.button_group(key="data_map_method").set_value("tsne").run()
    assert len(making.started) == 1
    assert "half a minute" in texts(page.caption)
    page.button(key="data_map_make").click().run()
    assert making.started[-1] == ("digits", "", "tsne")
    assert not page.exception


def test_a_map_that_failed_says_why_and_can_be_tried_again(open_page, monkeypatch):
    stub = Making(Unavailable("The map failed: no memory left.", "Close something."))
    monkeypatch.setattr(map_view, "background", stub)
    page = open_page("data", section="Map")
    assert "no memory left" in texts(page.error)
    assert stub.started == []
    page.button(key="data_map_make").click().run()
    assert stub.started == [("digits", "", "pca")]


def test_models_that_take_such_images_are_offered_and_no_others(open_page, making):
    write_model("fits", input_shape=[8, 8, 1])
    write_model("large", input_shape=[32, 32, 1])
    write_model("colour", input_shape=[8, 8, 3])
    write_model("by-hand", input_shape=[8, 8, 1], needs_cnn=True)
    page = open_page("data", section="Map")
    field = page.selectbox(key="data_map_space_digits")
    assert field.options == ["their pixels", "what fits sees"]
    field.set_value("fits").run()
    assert making.started == [("digits", "", "pca")]  # TensorFlow is started at a click only
    page.button(key="data_map_make").click().run()
    assert making.started[-1] == ("digits", "fits", "pca")


def test_the_map_of_a_set_is_made_for_real_kept_and_shown(open_page):
    page = open_page("data", section="Map")
    subject = ("digits", "", "pca")
    end = time.monotonic() + 120
    while maps.background.running(subject) and time.monotonic() < end:
        time.sleep(0.1)
    page.run()
    assert not page.error
    assert len(charts(page)[0]["series"]) == 11


def test_a_changed_set_has_no_map_yet(open_page, mapped, folders, making):
    store = folders / "data" / "cnn-studio"
    shutil.copytree(store / "digits", store / "other")
    meta = json.loads((store / "other" / "meta.json").read_text())
    (store / "other" / "meta.json").write_text(json.dumps(meta | {"fingerprint": "9" * 64}))
    page = open_page("data", section="Map")
    page.selectbox(key="dataset").select("other").run()
    assert making.started == [("other", "", "pca")]
