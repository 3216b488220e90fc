"""The architecture lab: edits count at once, what breaks is named, what is kept can be trained."""

import json
import re
import time

import pytest
from page_steps import texts
from run_folders import write_run
from speeds import made_up

from cnn.models.documents import document_of
from cnn.models.editing import packed, unpacked
from cnn.models.kinds import KINDS
from cnn.models.own import delete_own, list_own, read_own, save_own
from cnn.models.registry import get_architecture
from cnn.models.summary import summarise
from cnn.runs import measuring
from pages.shared import lab_view

DIGITS = (8, 8, 1), 10


def labels(page):
    """What the rows of the layers say, from the first that can be changed on."""
    said = [button.label.removesuffix(" :gray[:material/edit:]") for button in page.button
            if str(button.key).startswith("lab_edit_")]
    ends = [text.value.removeprefix(":small[").removesuffix("]") for text in page.markdown
            if ":material/" in text.value][1:]
    return [re.sub(r"^:gray\[:material/\w+:\] ", "", text) for text in [*said, *ends]]


def in_address(page):
    text = page.query_params["draft"]
    return text if isinstance(text, str) else text[0]


def metrics(page):
    return {metric.label: metric.value for metric in page.metric}


def opened(page, number):
    """Show the settings of a layer."""
    if number not in page.session_state["lab"].opened:
        page.button(key=f"lab_edit_{number}").click().run()
    return page


def change(page, number, setting, value):
    opened(page, number)
    key = f"lab_{number}_{setting}"
    widget = next(widget for kind in (page.number_input, page.selectbox, page.checkbox)
                  for widget in kind if widget.key == key)
    widget.set_value(value).run()


def click(page, number, icon):
    opened(page, number).button(key=f"lab_{icon}_{number}").click().run()


@pytest.fixture
def lab(open_page, monkeypatch):
    """Open the lab with the base network for digits, on a computer that was measured."""
    monkeypatch.setattr(lab_view, "known_speeds", made_up)
    return open_page("lab")


def test_the_lab_begins_with_a_network_its_shapes_and_what_it_costs(lab):
    assert not lab.exception
    assert labels(lab)[0].startswith("**Conv 4×4, 32, ReLU** → 8×8×32")
    assert metrics(lab)["Parameters"] == "52.6 k"
    assert metrics(lab)["Time for an epoch"] == "under 5 s"
    assert lab.selectbox(key="lab_start").value == "base"


def test_an_edit_changes_every_shape_and_figure_behind_it_at_once(lab):
    change(lab, 1, "filters", 64)
    assert labels(lab)[0].startswith("**Conv 4×4, 64, ReLU** → 8×8×64")
    assert labels(lab)[1].startswith("**Max pool 2×2** → 4×4×64")
    total = 64 * 17 + 32 * (16 * 64 + 1) + 256 * (128 + 1) + 10 * 257
    assert f"{total / 1000:.1f} k" == metrics(lab)["Parameters"]
    change(lab, 1, "stride", 2)
    assert "→ 4×4×64" in labels(lab)[0]


def test_an_impossible_layer_is_red_the_rest_grey_and_nothing_can_be_saved(lab):
    change(lab, 3, "padding", "valid")
    change(lab, 3, "kernel", 5)
    broken = labels(lab)[2]
    assert broken.startswith(":red[")
    assert labels(lab)[1].startswith("**")
    assert all(label.startswith(":gray[") for label in labels(lab)[3:6])
    assert "at least 5×5 and receives 4×4" in texts(lab.error)
    assert "conv\\_2" in texts(lab.error)
    assert lab.button(key="lab_save").disabled
    for _ in range(2):
        lab.button(key="lab_undo").click().run()
    assert not lab.error
    assert not lab.button(key="lab_save").disabled


def test_undo_goes_back_step_by_step_to_the_beginning(lab):
    first = labels(lab)
    change(lab, 1, "filters", 8)
    click(lab, 1, "arrow_downward")
    click(lab, 1, "content_copy")
    click(lab, 1, "delete")
    assert labels(lab) != first
    for _ in range(4):
        assert not lab.button(key="lab_undo").disabled
        lab.button(key="lab_undo").click().run()
    assert labels(lab) == first
    assert lab.button(key="lab_undo").disabled
    assert opened(lab, 1).number_input(key="lab_1_filters").value == 32


@pytest.mark.parametrize("kind", [key for key in KINDS if key not in ("skip", "whitening")])
def test_every_kind_of_layer_can_be_added_and_opens_with_its_settings(lab, kind):
    opened(lab, 1).selectbox(key="lab_below_1").select(kind).run()
    assert not lab.exception
    number = lab.session_state["lab"].draft.newest
    fields = [field for field in KINDS[kind].fields if field.kind in ("whole", "number")]
    assert all(lab.number_input(key=f"lab_{number}_{field.name}") for field in fields)
    assert lab.selectbox(key="lab_below_1").value is None


def test_a_classic_is_taken_as_a_start_with_blocks_as_rows_and_its_source(lab):
    lab.selectbox(key="lab_start").select("resnet").run()
    assert not lab.exception
    assert sum("Residual block" in label for label in labels(lab)) == 9
    assert metrics(lab)["Parameters"] == f"{summarise('resnet', *DIGITS).parameters / 1000:.0f} k"
    assert "1512" in texts(lab.caption)
    numbers = lab.session_state["lab"].draft.ids
    change(lab, numbers[3], "filters", 24)
    assert labels(lab)[3].startswith("**Residual block, 24**")
    assert "× the start" in lab.metric[0].delta


def test_what_is_saved_is_an_architecture_that_training_accepts(lab, folders):
    change(lab, 1, "filters", 8)
    lab.text_input(key="lab_name").set_value("small-one").run()
    lab.text_input(key="lab_description").set_value("Eight filters.").run()
    lab.button(key="lab_save").click().run()
    assert not lab.exception
    assert not lab.error
    assert "small\\-one" in texts(lab.success)
    assert read_own("small-one").description == "Eight filters."
    assert summarise("small-one", *DIGITS).rows[1].output_shape == (8, 8, 8)
    lab.switch_page("pages/train.py")
    lab.query_params["architecture"] = "small-one"
    lab.run()
    assert lab.selectbox(key="train_architecture").value == "small-one"
    assert "--architecture small-one" in lab.code[0].value


@pytest.mark.parametrize("name", ["Not allowed", "base", "add", "taken", "../up"])
def test_a_name_that_cannot_be_used_is_refused_and_the_draft_stays(lab, name):
    save_own("taken", document_of(get_architecture("base"), *DIGITS))
    change(lab, 1, "filters", 8)
    lab.text_input(key="lab_name").set_value(name).run()
    lab.button(key="lab_save").click().run()
    assert lab.error
    assert labels(lab)[0].startswith("**Conv 4×4, 8")
    assert [own.name for own in list_own()] == ["taken"]


def test_the_address_brings_a_draft_back_and_a_damaged_one_is_said(open_page):
    document = document_of(get_architecture("lenet"), (32, 32, 1), 10)
    page = open_page("lab", draft=packed(document))
    assert "5×5, 6" in labels(page)[0]
    assert unpacked(in_address(page)) == document
    page.query_params["draft"] = "nonsense"
    page.run()
    assert "damaged" in texts(page.error)
    assert "5×5, 6" in labels(page)[0]
    assert unpacked(in_address(page)) == document


def test_the_link_from_train_starts_from_its_architecture(open_page):
    page = open_page("lab", **{"from": "zfnet"})
    assert page.selectbox(key="lab_start").value == "zfnet"
    page.query_params["from"] = "no-such"
    page.run()
    assert "no architecture" in texts(page.error)
    assert page.selectbox(key="lab_start").value == "zfnet"


def test_keras_code_is_shown_for_what_is_drawn(lab):
    change(lab, 1, "filters", 9)
    assert not lab.code  # drawn when somebody opens it
    lab.session_state["lab_code"] = True
    lab.run()
    assert any("layers.Conv2D(9, 4" in code.value for code in lab.code)


def test_one_that_was_made_here_can_be_deleted_and_a_damaged_one_too(lab, folders):
    save_own("mine", document_of(get_architecture("base"), *DIGITS))
    (folders / "architectures" / "broken.json").write_text("{")
    lab.run()
    assert not lab.exception
    assert "broken" in texts(lab.caption)
    for name in ("mine", "broken"):
        lab.button(key=f"lab_delete_{name}").click().run()
    assert not lab.exception
    assert not list_own()


def test_without_a_measurement_the_time_is_open_and_measuring_is_offered(open_page, monkeypatch):
    asked = []
    monkeypatch.setattr(measuring.background, "start", asked.append)
    page = open_page("lab")
    assert metrics(page)["Time for an epoch"] == "–"
    page.button(key="lab_measure").click().run()
    assert asked == [((8, 8, 1), 10, "")]


def test_a_deleted_architecture_that_train_had_chosen_leaves_the_usual_one(open_page):
    save_own("mine", document_of(get_architecture("base"), *DIGITS))
    page = open_page("train", architecture="mine")
    assert page.selectbox(key="train_architecture").value == "mine"
    delete_own("mine")
    page.run()
    assert not page.exception
    assert page.selectbox(key="train_architecture").value == "base"


def test_a_run_whose_architecture_was_deleted_says_how_to_bring_it_back(open_page):
    folder = write_run("20260102-030405-mine", 1, "mine", state="finished")
    data = json.loads((folder.path / "config.json").read_text())
    (folder.path / "config.json").write_text(json.dumps({**data, "architecture": "mine"}))
    document = document_of(get_architecture("base"), *DIGITS)
    folder.write_architecture(document.to_dict("mine"))
    page = open_page("train", like=folder.run_id, run="new")
    assert "architectures add" in texts(page.error).replace("\\", "")
    assert not page.exception


def test_an_edit_of_a_deep_network_is_answered_quickly(lab):
    lab.selectbox(key="lab_start").select("googlenet").run()
    number = lab.session_state["lab"].draft.ids[0]
    opened(lab, number)

    def seconds(filters):
        widget = lab.number_input(key=f"lab_{number}_filters").set_value(filters)
        start = time.process_time()  # a busy machine must not make it look slow
        widget.run()
        return time.process_time() - start

    assert min(seconds(filters) for filters in (10, 11, 12)) < 0.2
