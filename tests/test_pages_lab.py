"""The architecture lab: edits count at once, what breaks is named, what is kept can be trained."""

import json

import pytest
from page_steps import texts
from run_folders import write_run
from speeds import made_up

from benchmarks.lab_page import send, told
from cnn.models.documents import document_of
from cnn.models.editing import packed, unpacked
from cnn.models.kinds import KINDS
from cnn.models.own import delete_own, list_own, read_own, save_own
from cnn.models.registry import get_architecture
from cnn.models.summary import summarise
from cnn.runs import measuring
from pages.shared import lab_view

DIGITS = (8, 8, 1), 10


def act(page, what, *rest):
    """Do one thing in the list of layers."""
    send(page, [[told(page)["taken"] + 1, what, *rest]])


def rows(page):
    """What the rows of the layers say, from the first that can be changed on."""
    return told(page)["rows"][1:]


def labels(page):
    return [f"{row['words']} → {row['size']}" if "size" in row else row["words"]
            for row in rows(page)]


def in_address(page):
    text = page.query_params["draft"]
    return text if isinstance(text, str) else text[0]


def metrics(page):
    return {label: value for label, value, *_ in told(page)["figures"]}


def change(page, number, setting, value):
    act(page, "set", number, setting, value)


@pytest.fixture
def lab(open_page, monkeypatch):
    """Open the lab with the base network for digits, on a computer that was measured."""
    monkeypatch.setattr(lab_view, "known_speeds", made_up)
    return open_page("lab")


def test_the_lab_begins_with_a_network_its_shapes_and_what_it_costs(lab):
    assert not lab.exception
    assert labels(lab)[0].startswith("Conv 4×4, 32, ReLU → 8×8×32")
    assert metrics(lab)["Parameters"] == "52.6 k"
    assert metrics(lab)["Time for an epoch"] == "under 5 s"
    assert lab.selectbox(key="lab_start").value == "base"


def test_an_edit_changes_every_shape_and_figure_behind_it_at_once(lab):
    change(lab, 1, "filters", 64)
    assert labels(lab)[0].startswith("Conv 4×4, 64, ReLU → 8×8×64")
    assert labels(lab)[1].startswith("Max pool 2×2 → 4×4×64")
    total = 64 * 17 + 32 * (16 * 64 + 1) + 256 * (128 + 1) + 10 * 257
    assert f"{total / 1000:.1f} k" == metrics(lab)["Parameters"]
    change(lab, 1, "stride", 2)
    assert "→ 4×4×64" in labels(lab)[0]


def test_an_impossible_layer_is_red_the_rest_grey_and_nothing_can_be_saved(lab):
    change(lab, 3, "padding", "valid")
    change(lab, 3, "kernel", 5)
    known = ["size" in row for row in rows(lab)]
    assert known == [True, True] + [False] * (len(known) - 2)
    assert ["problem" in row for row in rows(lab)] == [place == 2 for place in range(len(known))]
    assert rows(lab)[2]["problem"].startswith("needs")
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
    act(lab, "down", 1)
    act(lab, "copy", 1)
    act(lab, "remove", 1)
    assert labels(lab) != first
    for _ in range(4):
        assert not lab.button(key="lab_undo").disabled
        lab.button(key="lab_undo").click().run()
    assert labels(lab) == first
    assert lab.button(key="lab_undo").disabled
    assert rows(lab)[0]["values"]["filters"] == 32


@pytest.mark.parametrize("kind", [key for key in KINDS if key not in ("skip", "whitening")])
def test_every_kind_of_layer_can_be_added_and_opens_with_its_settings(lab, kind):
    act(lab, "add", kind, 1)
    assert not lab.exception
    added = rows(lab)[1]
    assert added["number"] == told(lab)["newest"]
    assert added["kind"] == kind
    assert added["values"] == {field.name: field.first for field in KINDS[kind].fields}


def test_a_classic_is_taken_as_a_start_with_blocks_as_rows_and_its_source(lab):
    lab.selectbox(key="lab_start").select("resnet").run()
    assert not lab.exception
    assert sum("Residual block" in label for label in labels(lab)) == 9
    assert metrics(lab)["Parameters"] == f"{summarise('resnet', *DIGITS).parameters / 1000:.0f} k"
    assert "1512" in texts(lab.caption)
    numbers = lab.session_state["lab"].draft.ids
    change(lab, numbers[3], "filters", 24)
    assert labels(lab)[3].startswith("Residual block, 24")
    assert "× the start" in told(lab)["figures"][0][2]


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
    assert labels(lab)[0].startswith("Conv 4×4, 8")
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
    lab.session_state["lab_own"] = True  # drawn when somebody opens it
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


def test_edits_are_taken_in_order_and_none_twice(lab):
    send(lab, [[1, "set", 1, "filters", 8], [2, "set", 1, "kernel", 3]])
    assert labels(lab)[0].startswith("Conv 3×3, 8")
    send(lab, [[2, "copy", 1], [3, "copy", 1]])  # sent again before the answer came
    assert [label.split(" →")[0] for label in labels(lab)[:3]] == [
        "Conv 3×3, 8, ReLU", "Conv 3×3, 8, ReLU", "Max pool 2×2"]
    assert told(lab)["taken"] == 3


def test_what_was_meant_for_another_visit_changes_nothing(lab):
    first = labels(lab)
    send(lab, [[1, "remove", 1]], session="another")
    assert labels(lab) == first
    assert told(lab)["taken"] == 0


@pytest.mark.parametrize("edits", [
    None, 7, "x", [None], [[]], [["1", "remove", 1]], [[1]], [[1, "remove"]], [[1, "remove", 99]],
    [[1, "remove", None]], [[1, "remove", [1]]], [[1, "drop", 1]], [[1, "add", "nothing", None]],
    [[1, "add", "conv", 99]], [[1, "add", ["conv"], None]], [[1, "set", 1, "spec", 3]],
    [[1, "set", 1, "__class__", 3]], [[1, "set", 99, "filters", 3]], [[1, "set", 1]],
])
def test_edits_that_no_script_of_ours_sends_change_nothing(lab, edits):
    first = labels(lab)
    send(lab, edits)
    assert not lab.exception
    assert labels(lab) == first


@pytest.mark.parametrize("value", [0, 2049, -1, 1.5, None, "32", True, [3], {}, 1e300])
def test_a_value_that_is_not_allowed_is_refused_in_words(lab, value):
    first = labels(lab)
    act(lab, "set", 1, "filters", value)
    assert "Filters of “Convolution” must be a whole number from 1 to 2048" in texts(lab.error)
    assert labels(lab) == first
    act(lab, "set", 1, "filters", 9)
    assert not lab.error


def test_a_number_with_fractions_may_be_sent_as_a_whole_one(lab):
    act(lab, "add", "dropout", None)
    number = told(lab)["newest"]
    act(lab, "set", number, "rate", 0)
    assert not lab.error
    kept = lab.session_state["lab"].draft.layer(number).rate
    assert isinstance(kept, float) and kept == 0


def test_a_network_has_one_layer_at_least(lab):
    for number in lab.session_state["lab"].draft.ids:
        act(lab, "remove", number)
    assert "at least one layer" in texts(lab.error)
    assert len(rows(lab)) == 3
