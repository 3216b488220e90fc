"""The report on a data set on the Data page: findings, their pictures, fixes, changes by hand."""

import threading

import numpy as np
import pytest
from page_steps import run_until, texts
from picture_files import saved, scenery, write_folder

from cnn.data import background
from cnn.data.catalogue import describe, load
from cnn.data.edits import apply_edit, edits
from cnn.data.importing import import_images
from cnn.data.preflight import item_names
from cnn.data.progress import silent
from cnn.data.reports import kept_report, make_report
from pages.shared import health_pictures
from pages.shared.health_pictures import SETS_PER_PAGE

FILES = {
    **{f"train/cats/{n:02}.png": saved(scenery(n)) for n in range(24)},
    **{f"train/dogs/{n:02}.png": saved(scenery(100 + n)) for n in range(24)},
    **{f"test/cats/{n}.png": saved(scenery(300 + n)) for n in range(4)},
    **{f"test/dogs/{n}.png": saved(scenery(400 + n)) for n in range(4)},
    "train/cats/copy.png": saved(scenery(3)),
    "test/dogs/leak.png": saved(scenery(105)),
    "train/dogs/blank.png": saved(np.full((48, 48, 3), 77, np.uint8)),
    "train/cats/broken.png": b"no picture",
}


def keys(elements):
    return [element.key for element in elements]


def alts(page):
    return [one.alt for image in page.get("image") for one in image.proto.imgs]


def item(name):
    return item_names("pets").index(name)


def boxes(page, part):
    return {box.label: box for box in page.checkbox if f"_{part}_" in box.key}


def checked(page):
    return run_until(page, lambda page: "were compared in" in texts(page.caption))


@pytest.fixture
def pets(folders):
    """An imported set with a leak, a copy, a blank picture and a broken file; nobody looked yet."""
    import_images(write_folder(folders / "source", FILES), "pets", (32, 32))
    return "pets"


@pytest.fixture
def open_pets(open_page, pets):
    def open_it(**state):
        page = open_page("data", section="Check")
        for key, value in state.items():
            page.session_state[key] = value
        return checked(page.selectbox(key="dataset").select("pets").run())

    return open_it


def test_an_imported_set_is_looked_through_without_asking_and_the_report_is_kept(
    open_pets, monkeypatch
):
    page = open_pets()
    said = texts(page.markdown)
    for words in ("1 problem", "2 warnings", "1 test image shows the same picture as a training",
                  "1 image is a copy", "1 image is of one colour", "1 file was left out"):
        assert words in said
    assert kept_report("pets").amounts() == {"problem": 1, "warning": 2, "note": 1}
    monkeypatch.setattr(background, "make_report", None)  # would fail if it were made again
    assert "1 problem" in texts(page.run().markdown)
    assert not page.error


def test_a_built_in_set_is_looked_through_at_a_click_and_offers_no_fixes(open_page):
    page = open_page("data", section="Check")
    assert kept_report("digits") is None
    page.button(key="health_check").click().run()
    checked(page)
    assert kept_report("digits").name == "digits"
    assert not [key for key in keys(page.button) if key and key.startswith("health_fix")]
    assert "mend_open" not in page.session_state


def test_a_fix_is_done_at_a_click_recorded_and_taken_back(open_pets):
    page = open_pets()
    before = load("pets").fingerprint
    page.button(key="health_fix_leaks_drop").click().run()
    checked(page)
    assert describe("pets").train_count == 49
    assert "1 test image shows" not in texts(page.markdown)
    assert r"1. 1 picture left out\: the same picture as a test image" in texts(page.markdown)
    page.button(key="health_fix_blank_drop").click().run()
    checked(page)
    assert [edit["kind"] for edit in edits("pets")] == ["drop", "drop"]
    page.button(key="health_undo_1").click().run()
    checked(page)
    assert "1 test image shows" in texts(page.markdown)
    assert "is of one colour" not in texts(page.markdown)
    page.button(key="health_undo_1").click().run()
    checked(page)
    assert edits("pets") == []
    assert load("pets").fingerprint == before


def test_test_images_are_shown_by_name_only_until_a_person_asks(open_pets):
    page = open_pets(health_open_leaks=True)
    assert "train/dogs/05.png, dogs" in alts(page)
    assert "test/dogs/leak.png, dogs" not in alts(page)
    assert ":small[leak\\.png]" in boxes(page, "leaks")
    assert "dogs, test" in texts(page.caption)
    page.toggle(key="health_test_leaks").set_value(True).run()
    assert "test/dogs/leak.png, dogs" in alts(page)


def test_pictures_are_read_only_where_they_are_shown(open_pets, monkeypatch):
    read = []
    real = health_pictures.item_image
    monkeypatch.setattr(health_pictures, "item_image",
                        lambda data, item: read.append(item) or real(data, item))
    page = open_pets()
    assert read == []
    page.session_state["health_open_duplicates"] = True
    page.run()
    assert sorted(set(read)) == sorted([item("train/cats/03.png"), item("train/cats/copy.png")])


def test_chosen_pictures_are_left_out_or_moved(open_pets):
    page = open_pets(health_open_duplicates=True)
    assert "health_drop_duplicates" not in keys(page.button)
    boxes(page, "duplicates")[":small[copy\\.png]"].check().run()
    page.button(key="health_drop_duplicates").click().run()
    checked(page)
    assert edits("pets") == [
        {"kind": "drop", "items": [item("train/cats/copy.png")], "why": "chosen by hand"}]
    page.session_state["health_open_blank"] = True
    page.run()
    boxes(page, "blank")[":small[blank\\.png]"].check().run()
    assert page.button(key="health_move_blank").disabled
    page.selectbox(key="health_to_blank").set_value("cats").run()
    page.button(key="health_move_blank").click().run()
    checked(page)
    assert edits("pets")[1]["to"] == "cats"
    assert item("train/dogs/blank.png") in edits("pets")[1]["items"]


def test_a_change_that_would_leave_too_little_is_refused_in_words(open_pets):
    page = open_pets(mend_open=True)
    page.multiselect(key="mend_merge").set_value(["cats", "dogs"]).run()
    page.button(key="mend_merge_do").click().run()
    assert "fewer than two classes" in texts(page.error)
    assert edits("pets") == []


def test_pictures_of_a_class_are_chosen_page_by_page(open_pets):
    page = open_pets(mend_open=True)
    names = boxes(page, "class_0")
    assert len(names) == 2 * SETS_PER_PAGE
    assert "leak" not in "".join(names)
    page.session_state["health_page_class_0"] = 2
    page.run()
    assert list(boxes(page, "class_0")) == [":small[copy\\.png]"]
    boxes(page, "class_0")[":small[copy\\.png]"].check().run()
    page.selectbox(key="health_to_class_0").set_value("dogs").run()
    page.button(key="health_move_class_0").click().run()
    assert edits("pets")[0]["items"] == [item("train/cats/copy.png")]


def test_a_class_gets_another_name(open_pets):
    page = open_pets(mend_open=True)
    assert page.button(key="mend_rename_do").disabled
    page.text_input(key="mend_new_name").set_value("dogs").run()
    assert page.button(key="mend_rename_do").disabled
    page.text_input(key="mend_new_name").set_value("felines").run()
    page.button(key="mend_rename_do").click().run()
    assert describe("pets").classes == ("dogs", "felines")
    assert "cats renamed to felines" in texts(page.markdown)


def test_classes_become_one(open_page, folders):
    files = {f"{name}/{n}.png": saved(scenery(n + 40 * place))
             for place, name in enumerate(("cats", "dogs", "wolves")) for n in range(5)}
    import_images(write_folder(folders / "f", files), "pets", (16, 16))
    page = open_page("data", section="Check")
    page.session_state["mend_open"] = True
    checked(page.selectbox(key="dataset").select("pets").run())
    page.multiselect(key="mend_merge").set_value(["dogs", "wolves"]).run()
    page.text_input(key="mend_into").set_value("canines").run()
    page.button(key="mend_merge_do").click().run()
    assert describe("pets").classes == ("canines", "cats")


def test_the_files_that_were_left_out_are_listed_with_reasons(open_pets):
    page = open_pets(health_open_skipped=True)
    skipped = next(found.value for found in page.dataframe if "Why" in found.value)
    assert list(skipped["File"]) == ["train/cats/broken.png"]


def test_a_check_goes_on_without_its_page_and_can_be_cancelled(open_page, pets, monkeypatch):
    release, real = threading.Event(), background.make_report

    def waiting(name, tell):
        tell("Comparing pictures", 5, 50)
        release.wait(30)
        tell("Comparing pictures", 6, 50)
        return real(name, tell)

    monkeypatch.setattr(background, "make_report", waiting)
    page = open_page("data", section="Check").selectbox(key="dataset").select("pets").run()
    run_until(page, lambda page: "5 of 50" in "".join(
        bar.proto.text for bar in page.get("progress")))
    page.switch_page("pages/home.py").run()
    page.switch_page("pages/data.py").run()
    page.button_group(key="section").set_value("Check")
    page.selectbox(key="dataset").select("pets").run()
    page.button(key="health_cancel").click().run()
    release.set()
    run_until(page, lambda page: "health_check" in keys(page.button))
    assert kept_report("pets") is None
    page.button(key="health_check").click().run()
    checked(page)


def test_the_train_page_says_what_was_found_once_somebody_looked(open_page, pets):
    page = open_page("train").selectbox(key="dataset").select("pets").run()
    assert "found in these pictures" not in texts(page.markdown)
    make_report("pets", silent)
    page.run()
    assert "1 problem and 2 warnings found in these pictures" in texts(page.markdown)
    for finding in kept_report("pets").findings:
        if finding.kind in ("leaks", "duplicates", "blank"):
            apply_edit("pets", finding.fixes[0].edit)
    make_report("pets", silent)
    page.run()
    assert "found in these pictures" not in texts(page.markdown)
