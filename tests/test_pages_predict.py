"""The Predict page, with an engine that needs no TensorFlow."""

import sys

import numpy as np
import pytest
from model_folders import write_model
from page_steps import texts

from cnn.data.images import encode_png
from cnn.errors import Refused
from cnn.prediction import client
from cnn.prediction.client import EngineClient
from pages.shared.formats import confidence
from pages.shared.many_view import ONE_BY_ONE
from pages.shared.picture_sources import KEPT
from pages.shared.visit import MOST, Visited, _within_limits

DIGITS = [str(n) for n in range(10)]


def picture(value=200, size=(30, 40)):
    return encode_png(np.full((*size, 3), value, np.uint8))


@pytest.fixture
def asked(asked):
    """The predictions alone."""
    return lambda: [header for header in asked() if header["op"] == "ways"]


@pytest.fixture
def predict(open_page, asked):
    """Open the page with one model of three classes."""
    write_model("first")
    return open_page("predict")


def give(page, *files):
    for name, data in files:
        page.file_uploader(key="predict_files").upload(name, data)
    return page.run()


def one_by_one(page):
    """Choose that many pictures too are shown one below the other."""
    page.session_state["predict_layout_As a table"] = ONE_BY_ONE


def images(page):
    return [image.proto.imgs[0] for image in page.get("image")]


# Choosing a model


def test_without_a_model_the_page_says_what_to_do(open_page):
    page = open_page("predict")
    assert "no saved model yet" in texts(page.info)
    assert [link.value for link in page.page_link] == ["Train a network"]
    assert not page.file_uploader


def test_the_page_explains_itself_and_asks_nothing_of_the_engine(predict, asked):
    assert "Give a picture above" in texts(predict.info)
    assert "**75.0 %** of 12 test images right" in texts(predict.caption)
    assert "3 classes: ant, bee, cat" in texts(predict.caption)
    assert asked() == []


def test_the_address_names_the_model(open_page, asked):
    write_model("first", test_accuracy=0.9)
    write_model("second", test_accuracy=0.5)
    page = open_page("predict", model="second")
    give(page, ("a.png", picture()))
    assert asked()[0]["model"] == "second"
    assert not page.warning


def test_without_an_address_the_best_model_is_chosen(open_page, asked):
    write_model("worse", test_accuracy=0.5)
    write_model("better", test_accuracy=0.9)
    assert open_page("predict").selectbox(key="model").value == "better"


def test_an_unknown_model_in_the_address_is_said_and_another_is_offered(open_page, asked):
    write_model("first")
    page = open_page("predict", model="<script>*nobody*")
    assert "no saved model" in texts(page.warning)
    assert "\\*nobody\\*" in texts(page.warning)
    assert page.selectbox(key="model").value == "first"


def test_a_damaged_model_says_so_and_the_others_can_be_chosen(open_page, asked):
    write_model("good")
    (write_model("torn") / "model.keras").unlink()
    page = open_page("predict", model="torn")
    assert "has no model\\.keras" in texts(page.error)
    assert not page.file_uploader
    page.selectbox(key="model").select("good").run()
    assert not page.error and page.file_uploader


def test_names_from_a_card_are_shown_letter_by_letter(open_page, asked):
    write_model("odd", class_names=["**bold**", "$x$", ":red[z]"])
    page = give(open_page("predict"), ("a.png", picture()))
    assert page.progress[0].text.startswith("**\\*\\*bold\\*\\***")
    assert "\\$x\\$" in page.progress[1].text


# Answers


def test_a_picture_gets_its_three_best_classes_as_bars(predict):
    give(predict, ("meadow.png", picture()))
    assert [bar.value for bar in predict.progress] == [75, 12, 12]
    assert predict.progress[0].text == "**ant** · 75.0 %"
    assert [heading.value for heading in predict.subheader] == ["meadow\\.png"]
    assert "can be sure and wrong" in texts(predict.caption)
    assert not predict.error


def test_the_picture_is_beside_what_the_model_sees_and_both_have_words(predict):
    give(predict, ("meadow.png", picture(size=(300, 600))))
    shown, seen = images(predict)[:2]
    assert (shown.caption, seen.caption) == ("600 × 300", "What the model sees")
    assert shown.url.endswith(".png") and seen.url.endswith(".png")  # exact, as a JPEG is not
    assert shown.alt == "meadow.png" and "as the model sees it" in seen.alt


def test_an_upload_is_never_handed_back_as_it_came(predict, monkeypatch):
    """What is shown was encoded anew, without whatever else the file carried."""
    handed = []
    monkeypatch.setattr("pages.shared.answer_card.st.image", lambda data, **_: handed.append(data))
    upload = picture() + b"and something hidden"
    give(predict, ("a.png", upload))
    assert len(handed) == 5  # the picture, what the model sees, and that in each way
    assert all(b"hidden" not in data and data.startswith(b"\x89PNG") for data in handed)


def test_a_bad_file_has_its_own_error_and_the_others_keep_their_answers(predict):
    give(predict, ("good.png", picture()), ("notes.png", b"only text"), ("also.png", picture(9)))
    assert len(predict.error) == 1
    assert "This is a text file" in predict.error[0].value
    assert len(predict.progress) == 6
    assert [heading.value for heading in predict.subheader] == [
        "also\\.png", "notes\\.png", "good\\.png"]


def test_a_rerun_asks_the_engine_nothing_again(predict, asked):
    give(predict, ("a.png", picture()), ("b.png", picture(9)))
    assert len(asked()) == 2
    predict.run()
    assert len(asked()) == 2


def test_the_same_picture_twice_is_asked_once(predict, asked):
    give(predict, ("a.png", picture()), ("copy.png", picture()))
    assert len(asked()) == 1
    assert len(predict.progress) == 6 and not predict.exception


def test_a_model_that_was_replaced_is_asked_again(predict, asked, folders):
    give(predict, ("a.png", picture()))
    (folders / "models" / "first" / "model.keras").write_bytes(b"another network")
    predict.run()
    assert len(asked()) == 2


def test_how_begins_with_the_cards_way_and_can_be_changed(predict, asked):
    how = predict.segmented_control(key="predict_how_first")
    assert how.options == ["Fit", "Crop", "Stretch"] and how.value == "fit"
    assert "the model's own way" in texts(predict.caption)
    give(predict, ("a.png", picture()))
    seen = images(predict)[1].url
    predict.segmented_control(key="predict_how_first").set_value("stretch").run()
    assert len(asked()) == 1  # all ways came with the first answer
    assert images(predict)[1].url != seen
    assert "the model's own way" not in texts(predict.caption)


def test_views_are_averaged_only_when_asked_and_not_from_memory(predict, asked):
    give(predict, ("a.png", picture()))
    assert [bar.value for bar in predict.progress] == [75, 12, 12]
    predict.toggle(key="predict_average").set_value(True).run()
    assert [bar.value for bar in predict.progress] == [50, 25, 25]
    assert [header["average"] for header in asked()] == [False, True]
    predict.toggle(key="predict_average").set_value(False).run()
    assert [bar.value for bar in predict.progress] == [75, 12, 12]
    assert len(asked()) == 2


@pytest.mark.parametrize("changes, label, words", [
    ({"averaged_test_accuracy": 0.8125, "config": {"augmentation": {"flip": True}}},
     "Average over mirrored and shifted views", ("6 times", "mirrored", "75.0 % → 81.2 % of 12")),
    ({"averaged_test_accuracy": 0.8125, "config": {"augmentation": {"flip": False}}},
     "Average over shifted views", ("3 times", "75.0 % → 81.2 % of 12")),
    ({"config": {}}, "Average over shifted views", ("3 times", "not measured")),
])
def test_averaging_says_what_it_costs_and_gains(open_page, asked, changes, label, words):
    write_model("first", **changes)
    toggle = open_page("predict").toggle(key="predict_average")
    assert toggle.label == label and toggle.value is False
    assert all(word in toggle.help for word in words)
    assert ("mirrored" in toggle.help) is ("mirrored" in label)


@pytest.mark.parametrize("value, exchanged", [(255, True), (0, False)])
def test_a_note_says_when_light_and_dark_were_exchanged(open_page, asked, value, exchanged):
    write_model("first", dark_background=True)
    page = give(open_page("predict"), ("digit.png", picture(value)))
    assert ("light and dark were exchanged" in texts(page.caption)) is exchanged


def test_many_pictures_come_in_pages_and_all_are_in_the_table(predict):
    one_by_one(predict)
    give(predict, *((f"{n}.png", picture(n)) for n in range(23)))
    assert len(predict.subheader) == 10
    assert predict.pagination(key="predict_page").num_pages == 3
    predict.pagination(key="predict_page").set_value(3).run()
    assert [heading.value for heading in predict.subheader] == ["2\\.png", "1\\.png", "0\\.png"]
    assert [button.label for button in predict.download_button] == ["Answers as CSV"]


def test_more_pictures_than_are_answered_is_said(predict, asked, monkeypatch):
    one_by_one(predict)
    give(predict, *((f"{n}.png", picture(n)) for n in range(52)))
    assert "52 pictures" in texts(predict.warning)
    assert len(asked()) == 50


def test_one_picture_needs_no_table(predict):
    give(predict, ("a.png", picture()))
    assert not predict.download_button


def test_an_engine_that_dies_on_a_picture_leaves_the_others_alone(open_page, folders, monkeypatch):
    write_model("first")
    deadly = picture(66)
    code = (f"import sys, os; sys.argv = ['', {str(folders / 'log')!r}]\n"
            "import tests.stub_engine as stub; from pathlib import Path; real = stub.predict\n"
            f"stub.predict = lambda data, *a: os._exit(1) if data == {deadly!r} "
            "else real(data, *a)\nstub.main(Path(sys.argv[1]))")
    engine = EngineClient((sys.executable, "-c", code))
    monkeypatch.setattr(client, "_shared", engine)
    page = give(open_page("predict"), ("a.png", picture()), ("deadly.png", deadly),
                ("b.png", picture(9)))
    assert [("died" in error.value) for error in page.error] == [True]
    assert len(page.progress) == 6
    engine.close()


def test_an_engine_that_cannot_start_is_not_tried_for_every_picture(
    open_page, folders, monkeypatch
):
    write_model("first")
    log = folders / "starts"
    engine = EngineClient((sys.executable, "-c", f"open({str(log)!r}, 'a').write('x')"))
    monkeypatch.setattr(client, "_shared", engine)
    page = give(open_page("predict"), *((f"{n}.png", picture(n)) for n in range(9)))
    assert len(page.error) == 1 and "died" in page.error[0].value
    assert len(log.read_text()) == 4  # two pictures, each tried twice


def test_a_model_that_the_engine_cannot_load_is_said_once(open_page, folders, monkeypatch):
    write_model("first")
    code = ("import sys; from cnn.prediction.wire import receive, send\n"
            "error = {'error': {'kind': 'damaged', 'message': 'Torn network', 'hint': 'Mend'}}\n"
            "while True:\n"
            "    head, _ = receive(sys.stdin.buffer)\n"
            "    send(sys.stdout.buffer, {} if head['op'] == 'ready' else error)")
    engine = EngineClient((sys.executable, "-c", code))
    monkeypatch.setattr(client, "_shared", engine)
    page = give(open_page("predict"), ("a.png", picture()), ("b.png", picture(9)))
    assert [error.value for error in page.error] == ["**Torn network**\n\nMend"]
    engine.close()


# Other ways, parts, a second model


def test_every_way_has_its_answer_and_the_one_in_use_is_marked(predict):
    give(predict, ("wide.png", picture(size=(30, 90))))
    tiles = [caption.value for caption in predict.caption if " · 75.0 %" in caption.value]
    assert [tile.split("  \n")[0] for tile in tiles] == [
        "Crop", "**Fit** :material/check:", "Stretch"]


def test_a_part_that_is_chosen_is_cut_out_and_answered(predict, asked, monkeypatch):
    monkeypatch.setattr("pages.shared.answer_card.choose_part",
                        lambda png, size, aspect, alt, key: (0.5, 0.0, 1.0, 0.5))
    give(predict, ("a.png", picture(size=(60, 80))))
    assert "Your part" not in texts(predict.caption)
    part = next(toggle for toggle in predict.toggle if toggle.label == "Choose a part")
    part.set_value(True).run()
    assert not predict.exception
    assert "**Your part** :material/check:" in texts(predict.caption)
    assert len(asked()) == 2  # the whole, then the part
    part.set_value(False).run()
    assert "Your part" not in texts(predict.caption) and len(asked()) == 2


def test_the_box_counts_as_it_is_first_drawn_and_not_only_once_moved(predict, monkeypatch):
    cuts = []
    monkeypatch.setattr("pages.shared.answer_card.choose_part", lambda *given: None)
    monkeypatch.setattr("pages.shared.answer_card.cut",
                        lambda digest, part, data: cuts.append(part) or data)
    give(predict, ("wide.png", picture(size=(30, 90))))
    next(toggle for toggle in predict.toggle if toggle.label == "Choose a part").set_value(
        True).run()
    assert not predict.exception
    assert cuts == [(0.375, 0, 0.625, 1)]  # 8 × 6 of 30 × 90 pixels
    assert "**Your part** :material/check:" in texts(predict.caption)


@pytest.mark.parametrize("names, words", [
    (["ant", "bee", "cat"], "Both say ant."), (["dog", "eel"], "They differ: ant (75.0 %) and d")])
def test_a_second_model_answers_the_same_pictures(open_page, asked, names, words):
    write_model("first")
    write_model("second", class_names=names)
    page = open_page("predict", model="first", other="second")
    give(page, ("a.png", picture()))
    assert [header["model"] for header in asked()] == ["first", "second"]
    assert words in texts(page.caption)
    assert len(page.progress) == 3 + min(3, len(names))
    page.selectbox(key="other").set_value(None).run()
    assert len(page.progress) == 3


def test_what_is_said_of_other_pictures_is_what_the_model_can_do(predict):
    give(predict, ("a.png", picture()))
    said = texts(predict.caption)
    assert "often, but not always, says that it is probably none of these" in said
    assert "gets one of them as well" not in said


def test_all_classes_are_there_on_demand(predict):
    give(predict, ("a.png", picture()))
    assert "All 3 classes" in [popover.proto.popover.label for popover in predict.get("popover")]
    table = predict.dataframe[0].value
    assert list(table["Class"]) == ["ant", "bee", "cat"]
    assert table["Confidence"].sum() == pytest.approx(100)


# Clipboard, camera, history


def test_a_pasted_picture_is_kept_until_it_is_removed(predict, monkeypatch):
    given = [picture()]
    monkeypatch.setattr("pages.shared.picture_sources.pasted_picture",
                        lambda key: given.pop() if given else b"")
    predict.run()
    predict.run()
    assert [heading.value for heading in predict.subheader] == ["Pasted picture 1"]
    given.append(picture(9))
    predict.run()
    assert [heading.value for heading in predict.subheader] == [
        "Pasted picture 2", "Pasted picture 1"]
    next(b for b in predict.button if b.label == "Remove").click().run()
    assert [heading.value for heading in predict.subheader] == ["Pasted picture 1"]


def test_the_camera_is_asked_for_only_when_wanted_and_its_photos_are_kept(predict):
    assert not predict.camera_input
    predict.toggle(key="predict_camera_on").set_value(True).run()
    predict.camera_input[0].upload("photo.jpg", picture(), "image/jpeg").run()
    assert [heading.value for heading in predict.subheader] == ["Photo 1"]
    predict.run()
    assert len(predict.subheader) == 1
    predict.toggle(key="predict_camera_on").set_value(False).run()
    assert [heading.value for heading in predict.subheader] == ["Photo 1"]


def test_what_was_removed_can_be_brought_back_from_the_history(predict, asked, monkeypatch):
    monkeypatch.setattr("pages.shared.picture_sources.fetch_image_bytes", lambda url: picture())
    fetch(predict, "https://example.org/a.png")
    assert not [box for box in predict.expander if "Earlier" in box.label]
    next(b for b in predict.button if b.label == "Remove").click().run()
    assert "Earlier in this visit: 1 picture" in [box.label for box in predict.expander]
    assert "ant · 75.0 %" in texts(predict.caption)
    next(b for b in predict.button if b.label == "Show again").click().run()
    assert len(predict.subheader) == 1 and len(asked()) == 1


def test_the_history_is_bounded(monkeypatch):
    visits = {str(n): Visited(str(n), str(n), b"x" * 10, "m", "", b"") for n in range(40)}
    assert len(_within_limits(visits)) == MOST
    monkeypatch.setattr("pages.shared.visit.MOST_BYTES", 35)
    assert list(_within_limits(visits)) == ["0", "1", "2"]


# Links and samples


def fetch(page, link):
    page.text_input(key="predict_url").set_value(link)
    return page.form_submit_button[0].click().run()


def test_a_link_is_fetched_once_and_answered(predict, asked, monkeypatch):
    fetched = []
    monkeypatch.setattr("pages.shared.picture_sources.fetch_image_bytes",
                        lambda url: fetched.append(url) or picture())
    fetch(predict, "  https://example.org/meadow.png ")
    assert fetched == ["https://example.org/meadow.png"]
    assert len(predict.progress) == 3
    predict.run()
    assert len(fetched) == 1 and len(asked()) == 1


def test_a_link_to_this_machine_is_refused_in_words(predict, asked):
    fetch(predict, "http://127.0.0.1/secret.png")
    assert "not on the public internet" in texts(predict.error)
    assert not predict.progress and asked() == []


def test_a_bad_link_does_not_disturb_the_files(predict, monkeypatch):
    def refuse(url):
        raise Refused("Not that one.", "Take another.")

    monkeypatch.setattr("pages.shared.picture_sources.fetch_image_bytes", refuse)
    give(predict, ("a.png", picture()))
    fetch(predict, "https://example.org/a.png")
    assert [error.value for error in predict.error] == ["**Not that one\\.**\n\nTake another\\."]
    assert len(predict.progress) == 3


def test_a_link_can_be_removed_and_an_empty_one_does_nothing(predict, monkeypatch):
    monkeypatch.setattr("pages.shared.picture_sources.fetch_image_bytes", lambda url: picture())
    fetch(predict, "   ")
    assert not predict.subheader
    fetch(predict, "https://example.org/a.png")
    next(b for b in predict.button if b.label == "Remove").click().run()
    assert not predict.subheader and not predict.progress


def test_only_the_newest_links_stay_in_memory(predict, monkeypatch):
    monkeypatch.setattr("pages.shared.picture_sources.fetch_image_bytes",
                        lambda url: picture(len(url)))
    for number in range(14):
        fetch(predict, f"https://example.org/{number}.png")
    kept = [p.source for p in predict.session_state[KEPT]]
    assert len(kept) == 12
    assert kept[0] == "https://example.org/13.png" and "https://example.org/1.png" not in kept


def test_samples_come_from_the_test_split_of_the_models_data(open_page, asked):
    write_model("first", dataset="digits", input_shape=[8, 8, 1], class_names=DIGITS)
    page = open_page("predict")
    samples = [button for button in page.button if str(button.key).startswith("predict_sample")]
    assert [button.label for button in samples] == ["0", "1", "3", "5", "7", "9"]
    assert [image.alt.rsplit(" ", 1)[1] for image in images(page)] == ["0", "1", "3", "5", "7", "9"]
    assert all(image.url.endswith(".png") for image in images(page))
    samples[3].click().run()
    assert "in truth 5" in page.subheader[0].value
    assert len(page.progress) == 3 and len(asked()) == 1


def test_without_the_data_set_the_page_works_without_samples(predict):
    assert not [b for b in predict.button if str(b.key).startswith("predict_sample")]
    assert "Or try a test image" not in texts(predict.markdown)


# Words


@pytest.mark.parametrize("probability, words", [
    (1.0, "over 99.9 %"), (0.99901, "over 99.9 %"), (0.9989, "99.9 %"), (0.5, "50.0 %"),
    (0.0011, "0.1 %"), (0.0004, "under 0.1 %"), (0.0, "under 0.1 %"),
])
def test_confidence_is_never_rounded_to_certainty(probability, words):
    assert confidence(probability) == words
