"""Look inside, with a small network in NumPy: layers, the graph, and the time machine."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from model_folders import write_model
from numpy_network import CLASSES, LAYERS, MARKUP, SHAPE, NumpyEngine
from page_steps import texts
from run_folders import write_run

from cnn.prediction import client
from cnn.prediction.opened import Layer
from cnn.training.snapshots import About, snapshot_bytes
from pages.shared import inside_layers
from pages.shared.inside_graph import AROUND, drawn, layers_dot
from pages.shared.inside_words import number, parameters_text, what_it_does

NUMBER = r"\*\*(−?[\d.]+(?:e[-−+]\d+)?)\*\*"
RUN = "20260102-030405-first"


@pytest.fixture
def opened(open_page, folders, monkeypatch):
    """Opens the page with a saved model of the digits, and an engine that needs no TensorFlow."""
    write_model("first", dataset="digits", class_names=list(CLASSES), input_shape=list(SHAPE))
    monkeypatch.setattr(client, "_shared", NumpyEngine())

    def open_it(**query):
        page = open_page("inside", **query)
        assert not page.exception
        return page

    return open_it


def steps_said(page) -> list[float]:
    """Return the numbers in bold of the sentence that works a value out."""
    (sentence,) = [text.value for text in page.markdown if "products add up" in text.value]
    return [float(found.replace("−", "-")) for found in re.findall(NUMBER, sentence)]


def test_it_opens_at_the_first_convolution_and_its_value_is_the_networks_own(opened) -> None:
    page = opened()
    assert page.header[0].value == "conv\\_1 · Conv 3×3, 4"
    assert not page.error
    assert "Test image 0, in truth" in texts(page.markdown)
    assert [metric.value for metric in page.metric] == ["8 × 8 × 1", "8 × 8 × 4", "40"]
    (sentence,) = [text.value for text in page.markdown if "products add up" in text.value]
    assert "Batch normalisation makes it" in sentence and "ReLU makes it" in sentence
    *_, mine, own = steps_said(page)
    assert mine == pytest.approx(own, abs=1e-4)


def test_rows_columns_and_filters_are_chosen_by_keyboard(opened) -> None:
    page = opened(layer="conv_2")
    page.number_input(key="inside_row").set_value(0)
    page.number_input(key="inside_column").set_value(3)
    page.number_input(key="inside_filter").set_value(4).run()
    assert "Row 0, column 3 of filter 4: 16 products" in texts(page.markdown)
    *_, mine, own = steps_said(page)
    assert mine == pytest.approx(own, abs=1e-4)


def test_stride_and_padding_change_the_size_by_the_formula(opened) -> None:
    page = opened()
    page.number_input(key="inside_stride_conv_1").set_value(2)
    page.selectbox(key="inside_padding_conv_1").select("by hand").run()
    page.number_input(key="inside_zeros_conv_1").set_value(2).run()
    assert r"\frac{8 + (2 + 2) - 3}{2} \right\rfloor + 1 = 5" in page.latex[0].value
    assert page.number_input(key="inside_row").max == 4
    assert "the network itself would have another output" in texts(page.markdown)
    assert not page.error


def test_every_product_is_in_a_table(opened) -> None:
    page = opened(layer="conv_2")
    page.session_state["inside_products"] = True
    page.run()
    table = page.dataframe[0].value
    assert len(table) == 16 and np.allclose(table["value"] * table["weight"], table["product"])
    assert table["product"].sum() == pytest.approx(sum_said(page), abs=1e-3)


def sum_said(page) -> float:
    (sentence,) = [text.value for text in page.markdown if "products add up" in text.value]
    return float(re.search(r"add up to (−?[\d.]+)", sentence)[1].replace("−", "-"))


def test_layers_of_every_kind_are_shown_without_a_failure(opened) -> None:
    page = opened()
    for name in LAYERS:
        page.session_state["layer"] = name
        page.run()
        assert not page.exception and not page.error, name
        assert page.query_params["layer"] == name


def test_the_buttons_step_through_the_layers_and_the_address_follows(opened) -> None:
    page = opened(layer="rescaling")
    page.button(key="inside_next").click().run()
    assert page.header[0].value.startswith("conv\\_1")
    assert page.query_params["layer"] == "conv_1"
    page.button(key="inside_before").click().run()
    page.button(key="inside_before").click().run()
    assert page.header[0].value.startswith("image")
    assert page.button(key="inside_before").disabled


def test_a_link_to_a_layer_that_is_not_there_opens_the_first_convolution(opened) -> None:
    assert opened(layer="<b>y</b>").header[0].value.startswith("conv\\_1")


def test_maximum_and_mean_of_a_window_are_worked_out(opened) -> None:
    page = opened(layer="pool_1")
    (sentence,) = [text.value for text in page.markdown if "window holds" in text.value]
    most, mean = (float(found.replace("−", "-")) for found in re.findall(NUMBER, sentence))
    held = [float(cell.replace("−", "-")) for cell in re.split(
        "[,;] ", sentence.split("holds ")[1].split(". Its")[0])]
    assert len(held) == 4 and most == pytest.approx(max(held), abs=1e-3)
    assert mean == pytest.approx(sum(held) / 4, abs=1e-3)
    assert f"takes the maximum: {number(most)}" in sentence


def test_flattening_says_where_each_value_goes(opened) -> None:
    page = opened(layer="flatten_1")
    page.number_input(key="inside_row").set_value(1)
    page.number_input(key="inside_column").set_value(0)
    page.number_input(key="inside_filter").set_value(3).run()
    assert r"(1 \cdot 2 + 0) \cdot 5 + 3 = 13" in page.latex[0].value
    (sentence,) = [text.value for text in page.markdown if "at place 13" in text.value]
    (stands,) = re.findall(NUMBER, sentence)
    assert sentence.count(stands) == 2


@pytest.mark.parametrize("layer", ["probabilities", "answer"])
def test_softmax_is_worked_out_to_the_networks_own_probabilities(opened, layer) -> None:
    table = opened(layer=layer).dataframe[0].value
    assert np.allclose(table["probability"], table["the network's own"], atol=1e-3)
    assert table["probability"].sum() == pytest.approx(100)
    assert np.allclose(table["power of e"] / table["power of e"].sum() * 100,
                       table["probability"])


def test_a_unit_is_the_sum_of_its_products(opened) -> None:
    *_, mine, own = steps_said(opened(layer="logits"))
    assert mine == pytest.approx(own, abs=1e-4)


def test_the_graph_marks_the_layer_and_the_table_has_all(opened) -> None:
    page = opened(view="The whole network", layer=MARKUP)
    (chart,) = page.get("graphviz_chart")
    assert r'label="<b>x</b>\"; a -> b\nAverage pool 2×2' in chart.proto.spec
    assert chart.proto.spec.count("penwidth=3") == 1
    assert list(page.dataframe[0].value["Layer"]) == list(LAYERS)


def test_without_a_model_or_an_engine_it_says_so(open_page, folders, no_engine) -> None:
    assert "no saved model yet" in texts(open_page("inside").info)
    write_model("first")
    page = open_page("inside")
    assert "engine" in texts(page.error) and not page.exception


def test_a_network_of_3000_layers_is_a_list_and_its_graph_a_part(opened, monkeypatch) -> None:
    many = tuple(
        Layer(f"<i>{place}", "other", "Thing", (f"<i>{place - 1}",) if place else (),
              ((4,),), (4,), 0, 0, {}, open=False) for place in range(3000))
    monkeypatch.setattr(inside_layers.opened, "ask_layers", lambda engine, model: many)
    page = opened(layer="<i>1500")
    assert page.selectbox(key="layer").label == "Layer, of 3,000"
    assert len(page.selectbox(key="layer").options) == 3000
    assert page.header[0].value == "\\<i\\>1500 · Thing"
    assert "cannot be shown" in texts(page.markdown)
    some = drawn(many, "<i>1500")
    assert len(some) == 2 * AROUND + 1 and some[AROUND].name == "<i>1500"
    dot = layers_dot(some, "<i>1500", dark=False)
    assert dot.count("->") == 2 * AROUND and "penwidth=3" in dot


def test_a_layer_that_is_used_again_says_so_and_its_weights_are_counted_once(
        opened, monkeypatch) -> None:
    dense = Layer("a*", "dense", "Dense", (), ((4,),), (4,), 20, 20, {}, open=False)
    again = replace(dense, name="a*, use 2", sources=("a*",), first="a*")
    monkeypatch.setattr(inside_layers.opened, "ask_layers", lambda engine, model: (dense, again))
    page = opened(layer="a*, use 2")
    assert "It is the layer **a\\***, used once more, with the same weights." in \
        texts(page.markdown)
    page.button_group(key="view").set_value("The whole network").run()
    assert list(page.dataframe[0].value["Parameters"]) == [20, 0]
    assert "**2** layers, **20** parameters" in texts(page.markdown)


def test_the_number_of_parameters_is_worked_out() -> None:
    conv = Layer("c", "conv", "Conv", ("x",), ((9, 9, 3),), (7, 7, 4), 112, 112,
                 {"window": [3, 3], "filters": 4, "activation": "linear"}, True)
    assert parameters_text(conv) == "4 filters × (3 × 3 × 3 weights + 1 bias) = 112"
    assert "+ 1 bias" not in parameters_text(replace(conv, parameters=108))
    dense = Layer("d", "dense", "Dense", ("x",), ((5,),), (2,), 12, 12, {}, True)
    assert parameters_text(dense) == "2 units × (5 weights + 1 bias) = 12"
    assert "Nothing in it is learned" in parameters_text(replace(dense, parameters=0))
    assert "not worked out" in what_it_does(replace(dense, kind="other"))


# The time machine


@pytest.fixture
def past(opened, folders):
    """A finished run of two epochs with snapshots of both; opens the page at it."""
    labels = np.arange(20) % 10
    folder = write_run(RUN, state="finished")
    about = About("base", SHAPE, CLASSES, "digits", "crop", True)
    for epoch, right in ((1, 5), (2, 15)):
        answers = np.where(np.arange(20) < right, labels, (labels + 1) % 10)
        folder.snapshots.write(
            epoch, snapshot_bytes([np.full((9, 9), epoch)], about, answers, labels))
    return folder, lambda **query: opened(view="Time machine", **query)


def charts(page) -> str:
    return "".join(str(chart.proto) for chart in page.get("echarts_chart"))


def test_one_slider_moves_everything(past) -> None:
    _, opened = past
    page = opened()
    assert [metric.value for metric in page.metric] == ["75.0 %", "0.5500", "10", "0"]
    later = (charts(page), texts(page.markdown), [bar.text for bar in page.progress])
    page.select_slider(key="epoch").set_value(1).run()
    assert not page.exception and not page.error
    assert [metric.value for metric in page.metric] == ["25.0 %", "1.1000"]
    assert charts(page) != later[0] and [bar.text for bar in page.progress] != later[2]
    assert "5 of 20 on the diagonal" in texts(page.caption)
    assert "2 snapshots" in texts(page.caption)


def test_a_link_opens_run_and_epoch_and_any_class_and_layer_can_be_chosen(past) -> None:
    _, opened = past
    page = opened(run=RUN, epoch="1")
    assert page.select_slider(key="epoch").value == 1
    page.selectbox(key="inside_time_layer").select("conv_2")
    page.selectbox(key=f"inside_heat_{RUN}").select("7").run()
    assert not page.exception
    captions = [image.proto.imgs[0].caption for image in page.get("image")]
    assert "What speaks for **7**" in captions
    assert "The first 32 of 50 channels of conv\\_2" in texts(page.caption)


def test_a_damaged_snapshot_is_said_and_the_others_still_work(past) -> None:
    folder, opened = past
    path = folder.snapshots.path(1)
    path.write_bytes(path.read_bytes()[:600])
    page = opened()
    assert not page.error and page.metric[0].value == "75.0 %"
    page.select_slider(key="epoch").set_value(1).run()
    assert "snapshot of epoch 1 is damaged" in texts(page.error) and not page.exception
    page.select_slider(key="epoch").set_value(2).run()
    assert not page.error


def test_a_run_that_is_gone_is_named_and_the_others_are_shown(past) -> None:
    page = past[1](run="*gone*")
    assert texts(page.warning) == r"There is no run '\*gone\*'."
    assert page.selectbox(key="inside_run").value and not page.exception


def test_runs_without_snapshots_are_a_plain_sentence(past) -> None:
    write_run("20260102-030405-old", state="finished", name="old")
    page = past[1](run="20260102-030405-old")
    assert "20260102\\-030405\\-old left no snapshots" in texts(page.info)
    assert page.select_slider(key="epoch")  # another run is there to be chosen


@pytest.mark.parametrize(("architecture", "said"), [
    ("dense", "has no feature maps"), ("changed", "of another network")])
def test_networks_that_cannot_be_shown_say_why(past, architecture, said) -> None:
    folder, opened = past
    about = About(architecture, SHAPE, CLASSES, "digits", "crop", True)
    labels = np.arange(20) % 10
    for epoch in (1, 2):
        folder.snapshots.write(
            epoch, snapshot_bytes([np.ones((9, 9))], about, labels, labels))
    page = opened()
    assert said in texts([*page.caption, *page.error])
    assert page.metric[0].value == "100.0 %"


def test_no_run_with_snapshots_is_a_plain_sentence(opened) -> None:
    assert "No run has left snapshots yet" in texts(opened(view="Time machine").info)
