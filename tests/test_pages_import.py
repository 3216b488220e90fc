"""Importing own pictures on the Data page: three ways in, a look, a preview, splits, the report."""

import io
import threading
import zipfile

import pytest
from page_steps import run_until, texts
from picture_files import class_files, picture, saved, scenery, write_folder

from cnn.data import background
from cnn.data.catalogue import dataset_names, describe, load
from cnn.data.decoding import Way
from cnn.data.dividing import SplitPlan
from cnn.data.importing import source_of
from cnn.data.store import STORE
from pages.shared import import_look

PETS = {**{f"cats/A{n // 3}_{n}.png": saved(scenery(n)) for n in range(9)},
        **{f"dogs/B{n // 3}_{n}.png": saved(scenery(50 + n)) for n in range(9)},
        "cats/notes.png": b"this is text", "readme.txt": b"hello"}


def keys(elements):
    return [element.key for element in elements]


def packed(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def import_it(page):
    page.button(key="import_start").click().run()
    return run_until(page, lambda page: "is ready" in texts(page.success))


def choose_path(page, path):
    page.button_group(key="import_way").set_value("path").run()
    return page.text_input(key="import_path").set_value(str(path)).run()


def given(folders):
    return [path for path in (folders / "data" / STORE).iterdir() if "given" in path.name]


def frame(page, column):
    return next(found.value for found in page.dataframe if column in found.value)



def test_a_zip_is_looked_at_imported_and_reported(open_page, folders):
    page = open_page("data")
    page.file_uploader(key="import_zip_0").upload("My Pets.zip", packed(PETS)).run()
    assert "**19 pictures** of **2 classes**" in texts(page.markdown)
    assert page.number_input(key="import_size").value == 48
    assert len(given(folders)) == 1
    page.number_input(key="import_size").set_value(16).run()
    import_it(page)
    assert "my\\-pets" in texts(page.success)
    assert "2 files" in texts(page.warning)
    assert set(frame(page, "Why")["File"]) == {"cats/notes.png", "readme.txt"}
    page.text_input(key="import_report_search").set_value("TEXT file").run()
    assert list(frame(page, "Why")["File"]) == ["cats/notes.png"]
    assert page.selectbox(key="dataset").value == "my-pets"
    assert load("my-pets").image_shape == (16, 16, 3)
    assert describe("my-pets").source == "My Pets.zip"
    assert given(folders) == []
    assert "import_zip_again" not in keys(page.button)
    page.button(key="import_report_close").click().run()
    assert not page.success


def test_another_zip_can_be_given_instead(open_page, folders):
    page = open_page("data")
    page.file_uploader(key="import_zip_0").upload("pets.zip", packed(PETS)).run()
    page.button(key="import_zip_again").click().run()
    assert "import_start" not in keys(page.button)
    assert given(folders) == []
    page.file_uploader(key="import_zip_1").upload("b.zip", packed(class_files(a=4, b=4))).run()
    assert "**8 pictures**" in texts(page.markdown)


def test_a_file_that_is_no_zip_is_refused(open_page):
    page = open_page("data")
    page.file_uploader(key="import_zip_0").upload("x.zip", b"not a zip at all").run()
    assert "The file cannot be read as a zip" in texts(page.error)  # not "1.zip", our name for it
    assert "import_start" not in keys(page.button)
    assert not page.exception


@pytest.mark.parametrize(("path", "words"), [
    ("/no/such/folder", "no file or folder"), ("relative/folder", "not a whole path")])
def test_a_path_that_cannot_be_imported_is_refused_in_words(open_page, path, words):
    page = choose_path(open_page("data"), path)
    assert words in texts(page.error)
    assert "import_start" not in keys(page.button)
    assert not page.exception


@pytest.mark.parametrize(("name", "words"), [
    ("digits", "already a data set"), ("No Name", "cannot be used")])
def test_a_name_that_cannot_be_taken_is_refused(open_page, folders, name, words):
    page = choose_path(open_page("data"), write_folder(folders / "pets", PETS))
    page.text_input(key="import_name").set_value(name).run()
    page.button(key="import_start").click().run()
    assert words in texts(page.error)
    assert background.look_import(name) is None


def test_one_class_is_not_enough(open_page, folders):
    page = choose_path(open_page("data"), write_folder(folders / "f", class_files(cats=5)))
    assert "At least two classes" in texts(page.info)
    assert "import_start" not in keys(page.button)


def test_a_changed_folder_is_looked_at_again(open_page, folders):
    folder = write_folder(folders / "f", class_files(a=3, b=3))
    page = choose_path(open_page("data"), folder)
    write_folder(folder, class_files(first=9, c=4))
    page.button(key="import_again").click().run()
    assert "**10 pictures** of **3 classes**" in texts(page.markdown)


def test_files_are_given_class_by_class(open_page, folders):
    page = open_page("data")
    page.button_group(key="import_way").set_value("classes").run()
    page.text_input(key="import_class_names").set_value("cats, dogs , cats,, fish")
    next(button for button in page.button if button.label == "Add").click().run()
    assert texts(page.markdown).count(": 0 pictures") == 3
    page.button(key="import_class_remove_2").click().run()
    for number in (0, 1):
        files = [("image.png", saved(scenery(10 * number + n)), "image/png") for n in range(4)]
        page.file_uploader(key=f"import_class_{number}_0").set_value(files).run()
    more = ("more.png", picture(7), "image/png")
    page.file_uploader(key="import_class_0_1").set_value([more]).run()
    assert "**cats**: 5 pictures" in texts(page.markdown)
    import_it(page)
    info = describe("my-pictures")
    assert (info.classes, info.train_count + info.test_count) == (("cats", "dogs"), 9)
    assert given(folders) == []


def test_the_preview_is_what_the_import_stores(open_page, folders, monkeypatch):
    shown = []
    real = import_look.enlarged
    monkeypatch.setattr(import_look, "enlarged",
                        lambda image, most: shown.append(image) or real(image, most))
    files = {f"{name}/{n}.png": saved(scenery(n + 9 * len(name))[:, :30])
             for name in ("ab", "cde") for n in range(2)}
    page = choose_path(open_page("data"), write_folder(folders / "f", files))
    page.number_input(key="import_size").set_value(24).run()
    page.button_group(key="import_channels").set_value(1).run()
    shown.clear()
    page.button_group(key="import_how").set_value("fit").run()
    originals, fitted = shown[:3], shown[6:9]
    assert all((Way((24, 24), "fit", 1).apply(one) == small).all()
               for one, small in zip(originals, fitted, strict=True))
    import_it(page)
    data = load("f")
    assert (data.image_shape, data.resize) == ((24, 24, 1), "fit")
    stored = [image.tobytes() for part in (data.train_images, data.test_images) for image in part]
    assert all(small.tobytes() in stored for small in fitted)


def test_given_parts_are_kept_unless_the_person_divides_anew(open_page, folders):
    files = class_files("train/", a=6, b=6) | class_files("test/", 50, a=2, b=2)
    page = choose_path(open_page("data"), write_folder(folders / "f", files))
    assert "train 12, test 4" in texts(page.markdown)
    assert page.button_group(key="import_by").value == "folders"
    assert "About **12** to train on and **4** for the test" in texts(page.markdown)
    page.button_group(key="import_by").set_value("ratio").run()
    page.slider(key="import_share").set_value(50).run()
    page.number_input(key="import_seed").set_value(3).run()
    assert "About **8** to train on and **8**" in texts(page.markdown)
    import_it(page)
    assert describe("f").split == "by ratio in each class, 50 % test, seed 3"
    assert describe("f").test_count == 8


def test_other_pictures_begin_with_the_split_that_suits_them(open_page, folders):
    page = choose_path(open_page("data"), write_folder(folders / "pets", PETS))
    assert page.button_group(key="import_by").value == "ratio"
    files = class_files("train/", a=6, b=6) | class_files("test/", 50, a=2, b=2)
    page.text_input(key="import_path").set_value(str(write_folder(folders / "f", files))).run()
    assert page.button_group(key="import_by").value == "folders"
    assert page.button_group(key="import_by").proto.set_value  # told to the browser as well
    import_it(page)
    assert describe("f").test_count == 4


def test_groups_are_shown_before_and_kept_together(open_page, folders):
    page = choose_path(open_page("data"), write_folder(folders / "pets", PETS))
    assert page.button_group(key="import_by").value == "ratio"
    page.button_group(key="import_by").set_value("group").run()
    groups = frame(page, "Group")
    assert dict(zip(groups["Group"], groups["Pictures"], strict=True)) == {
        f"{letter}{n}": 3 for letter in "AB" for n in range(3)}
    page.button_group(key="import_grouping").set_value("own").run()
    assert "fits no file name" in texts(page.error)
    assert page.button(key="import_start").disabled
    page.text_input(key="import_pattern").set_value("([").run()
    assert "not a regular expression" in texts(page.error)
    page.text_input(key="import_pattern").set_value("^(..)_").run()
    assert not page.error
    assert "6 groups, the largest of 3 pictures; 1 picture in none" in texts(page.caption)
    page.number_input(key="import_size").set_value(16).run()
    import_it(page)
    assert "groups named by ^(..)_" in describe("pets").split


def test_the_groups_of_a_table_are_offered(open_page, folders):
    lines = ["file,label,slide", *(f"{n}.png,{'ab'[n % 2]},s{n // 4}" for n in range(16))]
    files = {f"{n}.png": picture(9 * n) for n in range(16)} | {"t.csv": "\n".join(lines).encode()}
    page = choose_path(open_page("data"), write_folder(folders / "f", files) / "t.csv")
    assert "The table t\\.csv says" in texts(page.markdown)
    assert page.button_group(key="import_by").value == "group"
    assert list(frame(page, "Group")["Group"]) == ["s0", "s1", "s2", "s3"]


@pytest.fixture
def held(monkeypatch):
    """Lets an import stop at its second picture until it is released."""
    release, real = threading.Event(), background.import_images

    def slow(*args):
        *others, tell = args

        def waiting(what, done, total):
            tell(what, done, total)
            if done == 2:
                release.wait(30)
                tell(what, done, total)

        return real(*others, waiting)

    monkeypatch.setattr(background, "import_images", slow)
    yield release
    release.set()


def bars(page):
    return "".join(bar.proto.text for bar in page.get("progress"))


def test_an_import_goes_on_without_its_page(open_page, folders, held):
    page = choose_path(open_page("data"), write_folder(folders / "pets", PETS))
    page.button(key="import_start").click().run()
    run_until(page, lambda page: "2 of 19" in bars(page))
    assert "import_start" not in keys(page.button)
    page.switch_page("pages/train.py").run()
    held.set()
    page.switch_page("pages/data.py").run()
    run_until(page, lambda page: "is ready" in texts(page.success))
    assert page.selectbox(key="dataset").value == "pets"


def test_a_cancelled_import_leaves_nothing_and_can_be_begun_again(open_page, folders, held):
    page = open_page("data")
    page.file_uploader(key="import_zip_0").upload("pets.zip", packed(PETS)).run()
    page.button(key="import_start").click().run()
    run_until(page, lambda page: "2 of 19" in bars(page))
    page.button(key="import_cancel_pets").click().run()
    held.set()
    run_until(page, lambda page: "cancelled" in texts(page.info))
    assert "pets" not in dataset_names()
    import_it(page)  # the uploaded zip is still there
    assert "pets" in dataset_names()


def test_a_failed_import_says_why_and_keeps_what_was_given(open_page, folders):
    files = {f"{name}/{n}.png": b"no picture" for name in ("a", "b") for n in range(3)}
    page = open_page("data")
    page.file_uploader(key="import_zip_0").upload("pets.zip", packed(files)).run()
    assert "None of those" in texts(page.caption)
    page.button(key="import_start").click().run()
    run_until(page, lambda page: page.error)
    assert "At least two classes" in texts(page.error)
    assert "import_zip_again" in keys(page.button)


def test_removing_the_set_removes_its_report(open_page, folders):
    page = choose_path(open_page("data"), write_folder(folders / "pets", PETS))
    import_it(page)
    page.button(key="import_remove").click().run()
    assert not page.success
    assert "pets" not in dataset_names()


def test_another_visitors_import_is_seen_and_changes_no_choice(open_page, folders, held):
    source = write_folder(folders / "pets", PETS)
    background.start_import(source_of(source), "pets", Way((16, 16)), SplitPlan(), lambda: None)
    page = open_page("data")
    assert "import_cancel_pets" in keys(page.button)
    choose_path(page, source)
    assert "import_start" in keys(page.button)
    held.set()
    run_until(page, lambda page: "is ready" in texts(page.success))
    assert page.selectbox(key="dataset").value == "digits"
