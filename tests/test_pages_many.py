"""The Predict page with many pictures: progress, the table, its filters, one opened picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import stub_engine
from model_folders import write_model
from page_steps import run_until, texts
from picture_files import picture
from streamlit.testing.v1 import AppTest

from cnn.data.drops import Announced, Drop, Tray
from cnn.data.images import encode_png
from cnn.data.jobs import JobState
from cnn.errors import Refused, Unavailable
from cnn.prediction import client
from cnn.prediction.answer_table import Row
from cnn.prediction.child import Answered
from cnn.prediction.client import EngineClient, Prediction
from cnn.prediction.patience import Patience
from pages.shared import drop_box, many_view, uploads
from pages.shared.many_view import ONE_BY_ONE, TABLE
from pages.shared.picture_sources import Picture


class InProcess(EngineClient):
    """The stub engine without a process of its own: nothing to start, nothing to wait for."""

    def __init__(self) -> None:
        super().__init__(("false",))
        self.asked: list[dict[str, Any]] = []
        self.ready = True

    def once(
        self, header: dict[str, Any], parts: Sequence[bytes], patience: Patience
    ) -> Answered:
        if header["op"] == "predict":
            self.asked.append(header)
        return stub_engine.answer(header, list(parts))


@pytest.fixture
def asked(folders: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    """Put the stub in the place of the engine; returns what was asked of pictures so far."""
    engine = InProcess()
    monkeypatch.setattr(client, "_shared", engine)
    return lambda: list(engine.asked)


@pytest.fixture
def many(open_page: Callable[..., AppTest], asked: object, folders: Path) -> AppTest:
    """A page that was given a folder of 14 pictures, one of them of nothing and one no picture."""
    write_model("first")
    place = folders / "many"
    (place / "below").mkdir(parents=True)
    for n in range(12):
        (place / f"{n}.png").write_bytes(picture(90 + n))
    (place / "notes.txt").write_text("not asked about")
    (place / "black.png").write_bytes(encode_png(np.zeros((8, 8, 3), np.uint8)))
    (place / "below" / "torn.jpg").write_bytes(b"only text")
    page = open_page("predict")
    page.text_input(key="predict_folder").set_value(str(place)).run()
    return page


def answered(page: AppTest) -> AppTest:
    return run_until(page, lambda page: page.dataframe)


def files(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["File"])


def test_many_pictures_become_a_table_asked_in_batches_for_thumbnails_only(
    many: AppTest, asked: Callable[[], list[Any]]
) -> None:
    table = answered(many).dataframe[0].value
    assert files(many) == ["0.png", "1.png", "2.png", "3.png", "4.png", "5.png", "6.png", "7.png",
                           "8.png", "9.png", "10.png", "11.png", "below/torn.jpg", "black.png"]
    assert all(url.startswith("data:image/jpeg;base64,") for url in table["Picture"].dropna())
    assert table["Answer"].tolist()[:2] == ["ant", "ant"]
    assert table["Confidence"].tolist()[0] == 75
    assert [list(flags) for flags in table["Beware"]][11:] == [[], ["no answer"], ["none of these"]]
    assert "This is a text file" in table["Problem"].tolist()[12]
    assert table["Confidence"].isna().sum() == 1
    assert all(header["thumbnails"] and not header["pictures"] for header in asked())
    assert len(asked()) < 14
    assert [button.label for button in many.download_button] == ["Answers as CSV"]
    asked_so_far = len(asked())
    many.run()
    assert len(asked()) == asked_so_far


def test_a_few_pictures_are_shown_one_by_one_unless_a_table_is_wanted(
    many: AppTest, folders: Path
) -> None:
    for n in range(4, 12):
        (folders / "many" / f"{n}.png").unlink()
    (folders / "few").symlink_to(folders / "many")
    many.text_input(key="predict_folder").set_value(str(folders / "few")).run()
    layout = next(one for one in many.segmented_control if one.label == "How answers are shown")
    assert layout.options == [ONE_BY_ONE, TABLE]
    assert layout.value == ONE_BY_ONE
    assert len(many.subheader) == 6
    layout.set_value(TABLE).run()
    assert len(files(answered(many))) == 6
    assert not many.subheader


def test_the_table_is_filtered_and_ordered(many: AppTest) -> None:
    pills = answered(many).pills(key="predict_many_flag")
    assert pills.options == ["All 14", "Sure 12", "None of these 1", "No answer 1"]
    pills.set_value("none of these").run()
    assert files(many) == ["black.png"]
    many.pills(key="predict_many_flag").set_value("").run()
    many.selectbox(key="predict_many_best").select("ant").run()
    assert len(files(many)) == 13
    many.selectbox(key="predict_many_order").select("Answer").run()
    assert files(many)[-1] == "black.png"
    many.slider(key="predict_many_confidence").set_range(0, 50).run()
    assert not many.dataframe
    assert "No answer is like that" in texts(many.info)


def test_another_question_is_asked_about_all_pictures_anew(
    many: AppTest, asked: Callable[[], list[Any]]
) -> None:
    answered(many)
    many.toggle(key="predict_average").set_value(True).run()
    run_until(many, lambda page: page.dataframe
              and page.dataframe[0].value["Confidence"].tolist()[0] == 50)
    assert asked()[-1]["average"] is True


def test_a_new_picture_alone_is_asked_about(
    many: AppTest, asked: Callable[[], list[Any]]
) -> None:
    answered(many)
    before = len(asked())
    many.file_uploader(key="predict_files").upload("new.png", picture(7)).run()
    run_until(many, lambda page: page.dataframe and "new.png" in files(page))
    assert len(asked()) == before + 1


def test_a_selected_row_opens_its_picture_with_all_that_is_said_of_it(many: AppTest) -> None:
    table = answered(many).dataframe[0].proto.id.rpartition("-")[2]
    many.session_state[table] = {"selection": {"rows": [13]}}
    many.run()
    assert [heading.value for heading in many.subheader] == ["black\\.png"]
    assert "Probably none of these" in texts(many.warning)
    assert "Why?" in [section.label for section in many.expander]


def test_beside_a_second_model_the_table_says_where_its_answers_are(many: AppTest) -> None:
    write_model("second")
    assert "second says" not in texts(answered(many).caption)
    many.selectbox(key="other").set_value("second").run()
    assert "why, and what second says." in texts(many.caption)


def test_what_stopped_the_work_is_said_and_it_can_go_on(
    many: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(many)
    sheet = many.session_state["predict_sheet"][1]
    del sheet.answers[next(key for key in sheet.answers if key.startswith("3.png"))]
    failed = JobState("failed", error=Unavailable("It *died*.", "Mend it."))
    with monkeypatch.context() as patch:
        patch.setattr(type(sheet), "look", lambda self: failed)
        many.run()
    assert "It \\*died\\*" in texts(many.error)
    assert "13 of 14 pictures are answered." in texts(many.markdown)
    assert len(files(many)) == 13
    many.button(key="predict_many_go_on").click().run()
    run_until(many, lambda page: page.dataframe and len(files(page)) == 14)


def test_work_under_way_shows_how_far_it_is_and_can_be_cancelled(
    many: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(many)
    sheet = many.session_state["predict_sheet"][1]
    cancelled: list[int] = []
    running = JobState("running", "Asking the model, 9 s left", 30, 90, seconds=3)
    monkeypatch.setattr(type(sheet), "look", lambda self: running)
    monkeypatch.setattr(type(sheet), "cancel", lambda self: cancelled.append(1))
    many.run()
    assert [bar.text for bar in many.progress] == [
        "Asking the model, 9 s left \\(30 of 90, 10 a second\\)"]
    assert not many.dataframe
    many.button(key="predict_many_cancel").click().run()
    assert cancelled == [1]


@pytest.mark.parametrize(("path", "words"), [
    ("many", "is not a whole path"), ("~no-such/x", "whole path"), ("/nowhere", "no folder")])
def test_a_folder_that_cannot_be_used_is_said(many: AppTest, path: str, words: str) -> None:
    many.text_input(key="predict_folder").set_value(path).run()
    assert words in texts(many.error)
    assert not many.dataframe
    assert not many.exception


def test_too_many_pictures_for_a_table_are_said(
    many: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_view, "MOST", 12)
    assert "These are 14 pictures; the first 12" in texts(many.run().warning)
    assert len(files(answered(many))) == 12


# Files from the browser


def staged(page: AppTest) -> list[Path]:
    shelf = page.session_state["predict_files_shelf"]
    return [upload.path for upload in (*shelf.earlier, *shelf.listed.values())]


def test_files_are_on_disk_and_no_longer_in_memory(
    open_page: Callable[..., AppTest], asked: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("first")
    forgotten: list[str] = []
    monkeypatch.setattr(uploads, "_forget", forgotten.append)
    page = open_page("predict")
    page.file_uploader(key="predict_files").upload("a.png", picture(7)).run()
    assert [path.read_bytes() for path in staged(page)] == [picture(7)]
    assert len(set(forgotten)) == 1
    assert [file.getvalue() for file in page.session_state["predict_files"]] == [b""]


def test_files_that_are_removed_leave_the_disk_and_those_of_before_can_be_removed(
    open_page: Callable[..., AppTest], asked: object
) -> None:
    write_model("first")
    page = open_page("predict")
    page.file_uploader(key="predict_files").upload("a.png", picture(7)).run()
    first, = staged(page)
    page.file_uploader(key="predict_files").clear().run()
    assert staged(page) == []
    assert not first.exists()
    page.file_uploader(key="predict_files").upload("b.png", picture(8)).run()
    page.switch_page("pages/home.py").run()
    page.switch_page("pages/predict.py").run()
    assert [heading.value for heading in page.subheader] == ["b\\.png"]
    second, = staged(page)
    page.button(key="predict_files_remove").click().run()
    assert not page.subheader
    assert not second.exists()


# Many files at once


def dropped(page: AppTest, monkeypatch: pytest.MonkeyPatch, *names: str) -> Drop:
    """Send files as the script in the page does, and let it tell the page."""
    tray: Tray = page.session_state["predict_files_tray"]
    drop = tray.announce([Announced(name, len(picture(7))) for name in names])
    drop.keep(list(drop.wanted), BytesIO(picture(7) * len(drop.wanted)))
    monkeypatch.setattr(drop_box, "_component", lambda **_: SimpleNamespace(dropped=drop.id))
    page.run()
    monkeypatch.setattr(drop_box, "_component", lambda **_: SimpleNamespace(dropped=None))
    return drop


def test_files_dropped_at_once_become_a_table_and_can_be_removed(
    open_page: Callable[..., AppTest], asked: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("first")
    page = open_page("predict")
    names = [f"{number}.png" for number in range(12)]
    drop = dropped(page, monkeypatch, *names, "holiday/a*b.txt")
    assert files(answered(page)) == names
    assert "**12 files** given at once" in texts(page.markdown)
    assert "1 because of the name" in texts(page.warning).replace("\\", "")
    assert "holiday/a\\*b\\.txt" in texts(page.warning)
    page.button(key="predict_files_drop_remove").click().run()
    assert not page.dataframe
    assert "given at once" not in texts(page.markdown)
    assert drop.files()[0].path.exists() is False


def test_files_dropped_at_once_stand_beside_others_and_give_way_to_the_next_drop(
    many: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(many)
    dropped(many, monkeypatch, "first.png")
    run_until(many, lambda page: page.dataframe and "first.png" in files(page))
    assert len(files(many)) == 15
    dropped(many, monkeypatch, "second.png")
    run_until(many, lambda page: page.dataframe and "second.png" in files(page))
    assert len(files(many)) == 15
    assert "first.png" not in files(many)


def test_what_a_browser_says_of_no_drop_changes_nothing(
    open_page: Callable[..., AppTest], asked: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("first")
    page = open_page("predict")
    for said in ("", "0" * 16, 7, ["x"], {"id": "x"}):
        monkeypatch.setattr(drop_box, "_component", lambda said=said, **_: SimpleNamespace(
            dropped=said))
        page.run()
        assert not page.exception
        assert page.session_state["predict_files_tray"].drop is None


def test_a_picture_that_left_the_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"a\.png: it cannot be read.*Give it again"):
        Picture("a.png", tmp_path / "gone").read()


def test_pictures_are_told_apart_by_their_file_or_their_bytes(tmp_path: Path) -> None:
    pictures = [Picture("a", tmp_path / "1"), Picture("a", tmp_path / "2"), Picture("a", b"1"),
                Picture("b", b"2"), Picture("c", error=Refused("No.")), Picture("d", b"")]
    assert len({one.key for one in pictures}) == 6
    assert Picture("x", b"1").key == Picture("y", b"1").key


@pytest.mark.parametrize(("probability", "shown"), [(1.0, 99.9), (0.9996, 99.9), (0.754, 75.4)])
def test_the_table_never_rounds_to_certainty(probability: float, shown: float) -> None:
    row = Row("a", "a", Prediction((("ant", probability),)))
    assert many_view._columns([row])["Confidence"] == [shown]
