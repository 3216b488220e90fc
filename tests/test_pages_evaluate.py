"""The Evaluate page: what is stored with a model, shown without data set and without TensorFlow."""

import base64
import io
import json

import numpy as np
import pytest
from model_folders import make_evaluation, write_model
from page_steps import texts
from PIL import Image
from streamlit.proto.WidgetStates_pb2 import WidgetState

from cnn.data.catalogue import load
from cnn.data.images import thumbnail
from cnn.evaluation.results import Evaluation, evaluate_predictions, write_evaluation
from cnn.prediction.deleting import delete_model
from pages.shared import matrix_view, picture_wall
from pages.shared.confusion import OF_ANSWER, OF_TRUTH, Matrix
from pages.shared.evaluate_choice import choose_cell, table_key
from pages.shared.tables import csv_bytes

DIGITS = tuple(str(n) for n in range(10))
VIEWS = ["Confusion matrix", "Report", "Curves", "Confidence", "Images", "Slices", "History",
         "Details"]
NEWER = {"averaged_test_accuracy": 0.8125, "calibration_error": 0.012, "temperature": 1.3124,
         "calibration_error_before": 0.041}

# Nothing but a figure, a graph or turned pictures may need the engine.
pytestmark = pytest.mark.usefixtures("no_engine")


def charts(page):
    return [json.loads(chart.proto.spec) for chart in page.get("echarts_chart")]


def labels(page):
    """Return the downloads of the chosen part; report and card are those of the whole page."""
    return [button.label for button in page.download_button
            if button.key not in ("evaluate_report", "evaluate_card")]


def told(page, what):
    """What the only script on the page that draws such things was told of them."""
    found = [json.loads(component.proto.json) for component in page.get("bidi_component")]
    (data,) = (data for data in found if what in data)
    return data[what]


def wall(page):
    """Rows and lines of the pictures on the page."""
    return [(row, lines) for row, _, lines in told(page, "tiles")]


def options(page, key):
    return page.selectbox(key=key).options


@pytest.fixture
def digits_model(folders):
    """A model of the digits that takes every test image of a 3 for an 8, more and more surely."""
    data = load("digits")
    answers = np.where(data.test_labels == 3, 8, data.test_labels)
    sure = np.linspace(0.6, 0.99, len(answers)).astype(np.float32)
    probabilities = np.repeat(((1 - sure) / 9)[:, None], 10, axis=1)
    probabilities[np.arange(len(answers)), answers] = sure
    folder = write_model("digits-3", dataset="digits", input_shape=[8, 8, 1],
                         class_names=list(DIGITS), dataset_fingerprint=data.fingerprint,
                         test_n=len(answers), test_accuracy=float((answers == data.test_labels)
                                                                  .mean()))
    write_evaluation(folder, evaluate_predictions(probabilities, data.test_labels, DIGITS))
    return data


# Any model


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_without_the_data_set_and_without_an_engine(open_page, view):
    write_model("first")
    page = open_page("evaluate", view=view)
    assert not page.exception and not page.error
    assert [header.value for header in page.header] == [view, "Report and export"]


def test_the_figures_of_the_card_are_shown_with_n_and_interval(open_page):
    write_model("first", test_accuracy=0.75, test_n=12)
    page = open_page("evaluate", view="History")
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown == {
        "Test accuracy": "75.00 %", "Test loss": "0.6000",
        "Validation accuracy": "80.00 %", "Best epoch": "2 of 3", "Training images": "90",
        "Wall time": "12 s", "Parameters": "1.23 k"}
    accuracy, loss = page.metric[:2]
    assert accuracy.delta == "46.8 % to 91.1 %" and "95 % Wilson" in accuracy.help
    assert loss.delta == "of 12 test images"


def test_accuracy_and_loss_of_the_test_are_the_first_that_is_seen(open_page):
    write_model("first")
    assert [metric.label for metric in open_page("evaluate").metric] == [
        "Test accuracy", "Test loss"]


@pytest.mark.parametrize("flip, views", [(True, "6 times, moved by one pixel and mirrored,"),
                                         (False, "3 times, moved by one pixel,")])
def test_newer_cards_show_averaged_accuracy_and_calibration(open_page, flip, views):
    write_model("first", **NEWER, config={"augmentation": {"flip": flip}})
    shown = {metric.label: metric for metric in open_page("evaluate").metric}
    assert len(shown) == 4
    averaged, calibration = shown["Averaged accuracy"], shown["Calibration error"]
    assert (averaged.value, averaged.delta) == ("81.25 %", "+6.25 points")
    assert views in averaged.help
    assert (calibration.value, calibration.delta) == ("1.2 %", "4.1 % before")
    assert "1.31" in calibration.help and "right 88 % of the time" in calibration.help


def test_a_model_trained_without_shifts_shows_its_calibration_alone(open_page):
    write_model("first", **NEWER | {"averaged_test_accuracy": None})
    labels = [metric.label for metric in open_page("evaluate").metric]
    assert "Calibration error" in labels and "Averaged accuracy" not in labels


@pytest.mark.parametrize("sittings", [1, 3])
def test_sittings_are_said_where_there_was_more_than_one(open_page, sittings):
    write_model("first", sittings=sittings)
    page = open_page("evaluate", view="History")
    time = next(metric for metric in page.metric if metric.label == "Wall time")
    assert ("3 sittings" in time.help) is (sittings == 3)
    page.segmented_control(key="view").set_value("Details").run()
    assert ("Sittings" in page.table[0].value.index) is (sittings == 3)


def test_details_have_what_newer_cards_say(open_page):
    write_model("first", **NEWER)
    write_model("older")
    page = open_page("evaluate", model="first", view="Details")
    facts = page.table[0].value.iloc[:, 0]
    assert facts["Temperature"] == "1\\.312"
    assert facts["Calibration error, before and after the temperature"] == "4\\.10 % / 1\\.20 %"
    assert facts["Test accuracy, plain and averaged over views"] == "75\\.00 % / 81\\.25 %"
    page.selectbox(key="model").select("older").run()
    assert set(facts.index) - set(page.table[0].value.index) == {
        "Temperature", "Calibration error, before and after the temperature",
        "Test accuracy, plain and averaged over views"}


def test_without_a_model_the_page_says_what_to_do(open_page):
    page = open_page("evaluate")
    assert "no saved model yet" in texts(page.info)
    assert not page.metric


def test_a_damaged_model_says_so_and_the_others_can_be_chosen(open_page):
    write_model("good")
    (write_model("torn") / "card.json").write_text("{")
    page = open_page("evaluate", model="torn")
    assert "card\\.json" in texts(page.error) and not page.metric
    page.selectbox(key="model").select("good").run()
    assert not page.error and page.metric


@pytest.mark.parametrize("view", VIEWS[:6])
def test_a_model_without_test_results_says_how_to_get_them(open_page, view):
    (write_model("first") / "evaluation.npz").unlink()
    page = open_page("evaluate", view=view)
    assert "no stored test results" in texts(page.error)
    assert "cnn evaluate first" in texts(page.error)
    page.segmented_control(key="view").set_value("History").run()
    assert not page.error and page.metric


def test_damaged_test_results_say_so(open_page):
    path = write_model("first") / "evaluation.npz"
    path.write_bytes(path.read_bytes()[:80])
    page = open_page("evaluate", view="Report")
    assert "cannot be read" in texts(page.error)


def test_a_model_that_was_evaluated_again_shows_the_new_results(open_page):
    folder = write_model("first")
    page = open_page("evaluate", view="Confusion matrix")
    assert "9 of 12 on the diagonal" in texts(page.caption)
    better = evaluate_predictions(np.eye(3, dtype=np.float32), np.arange(3), ("ant", "bee", "cat"))
    write_evaluation(folder, better)
    page.run()
    assert "3 of 3 on the diagonal" in texts(page.caption)


def test_an_unknown_view_in_the_address_shows_the_first(open_page):
    write_model("first")
    assert open_page("evaluate", view="Nonsense").header[0].value == "Confusion matrix"


def test_the_way_to_predict_keeps_the_model(open_page):
    write_model("first")
    link = open_page("evaluate").page_link[0]
    assert (link.value, link.proto.query_string) == ("Use it on a picture", "model=first")


def test_the_chosen_model_is_deleted_and_another_one_is_shown(open_page):
    write_model("first")
    write_model("second", test_accuracy=0.1)
    page = open_page("evaluate", model="second")
    page.button(key="models_delete_second").click().run()
    assert page.selectbox(key="model").value == "first"
    assert "model" not in page.query_params
    assert "**second** is deleted" in texts(page.markdown)
    assert not page.warning and not page.exception
    page.button(key="models_undo").click().run()
    assert page.selectbox(key="model").value == "second"


@pytest.mark.parametrize("name", ["evaluate", "predict", "inside"])
def test_pages_do_without_a_model_that_was_deleted_meanwhile(open_page, no_engine, name):
    write_model("first")
    write_model("second", test_accuracy=0.1)
    page = open_page(name, model="second")
    delete_model("second")
    page.run()
    assert not page.exception
    assert page.selectbox(key="model").value == "first"


# History


def test_history_shows_both_curves_and_the_same_as_a_table(open_page):
    write_model("first")
    page = open_page("evaluate", view="History")
    accuracy, loss = charts(page)
    assert accuracy["series"][1]["data"] == [[1, 40], [2, 70], [3, 80]]
    (best,) = accuracy["series"][1]["markPoint"]["data"]
    assert best["coord"] == [2, 70]
    assert [series["name"] for series in loss["series"]] == ["training", "validation"]
    assert [series["lineStyle"]["type"] for series in loss["series"]] == ["solid", "dashed"]
    table = page.dataframe[0].value
    assert table["loss"].tolist() == pytest.approx([1, 1 / 2, 1 / 3])
    assert table["validation accuracy"].tolist() == pytest.approx([40, 70, 80])
    assert table["best"].tolist() == ["", "best", ""]


def test_a_model_without_history_says_so(open_page):
    (write_model("first") / "history.jsonl").unlink()
    page = open_page("evaluate", view="History")
    assert "history of this model was not kept" in texts(page.info)
    assert not page.error


# Confusion matrix: the chart itself is tested in test_confusion.py


def cells(page):
    data = charts(page)[0]["series"][0]["data"]
    return {cell["name"]: cell["label"]["formatter"] for cell in data}


def test_the_matrix_shows_counts_or_shares(open_page):
    write_model("first")
    page = open_page("evaluate")
    assert cells(page)["cat → ant"] == "3"
    page.segmented_control(key="measure").set_value(OF_TRUTH).run()
    assert cells(page)["cat → ant"] == "75.0"
    page.segmented_control(key="measure").set_value(OF_ANSWER).run()
    assert cells(page)["cat → ant"] == "42.9"
    page.toggle(key="mistakes_only").set_value(True).run()
    assert cells(page)["ant → ant"] == "" and cells(page)["cat → ant"] == "42.9"


def test_the_largest_mix_up_is_shown_first_and_its_images_as_a_table_without_the_data(open_page):
    write_model("first")
    page = open_page("evaluate")
    assert page.subheader[0].value == "cat taken for ant"
    assert told(page, "lines") == [["cat", "ant", "3", 1]]
    assert told(page, "chosen") == 0
    images = page.dataframe[0].value
    assert images["test image"].tolist() == [5, 2, 8]
    assert images["confidence"].tolist() == pytest.approx([95, 70, 60])
    assert "75.0 % of the images of cat, 42.9 % of the answers ant" in texts(page.caption)
    assert charts(page)[0]["series"][1]["data"] == [[0, 2, 0]]  # the ring


@pytest.mark.parametrize("cell, heading", [
    ("1-1", "bee, rightly answered"), ("0-1", "ant taken for bee"), ("3-0", "cat taken for ant"),
    ("nonsense", "cat taken for ant"), ("1-²", "cat taken for ant"), ("-1-0", "cat taken for ant")])
def test_the_cell_in_the_address_is_shown_and_nonsense_is_not(open_page, cell, heading):
    write_model("first")
    page = open_page("evaluate", cell=cell)
    assert page.subheader[0].value == heading
    assert ("No test image" in texts(page.caption)) is (cell == "0-1")
    assert not page.exception and not page.error


def test_the_opposite_cell_is_one_click_away(open_page):
    folder = write_model("first")
    answers = np.array([0, 1, 0, 1, 2, 2])
    found = evaluate_predictions(np.eye(3, dtype=np.float32)[answers], np.array([0, 0, 1, 1, 2, 2]),
                                 ("ant", "bee", "cat"))
    write_evaluation(folder, found)
    page = open_page("evaluate", cell="0-1")
    page.button(key="evaluate_reverse").click().run()
    assert page.subheader[0].value == "bee taken for ant"
    assert page.query_params["cell"] == "1-0"


def test_a_cell_of_another_data_set_is_forgotten(open_page):
    write_model("first")
    write_model("second", class_names=["x", "y", "z"])
    page = open_page("evaluate", model="first", cell="1-1", image="3")
    page.selectbox(key="model").select("second").run()
    assert "cell" not in page.query_params and "image" not in page.query_params
    assert page.subheader[0].value == "z taken for x"


def test_a_cell_shows_its_pictures_the_surest_first(open_page, digits_model):
    page = open_page("evaluate", cell="3-8")
    wrong = np.flatnonzero(digits_model.test_labels == 3)
    assert [row for row, _ in wall(page)] == wrong[::-1][:21].tolist()
    assert [len(lines) for _, lines in wall(page)] == [1] * 21


def test_a_click_on_a_picture_opens_it(monkeypatch):
    state, address = {"wall": {"opened": 7}}, {}
    monkeypatch.setattr(picture_wall.st, "session_state", state)
    monkeypatch.setattr(picture_wall.st, "query_params", address)
    picture_wall.take_opening("wall")
    assert address == {"image": "7"}
    for nonsense in (None, "x", -1):
        state["wall"] = {"opened": nonsense}
        picture_wall.take_opening("wall")
    assert address == {"image": "7"}


def test_pictures_are_sent_as_they_are_and_large_ones_smaller(open_page, digits_model):
    page = open_page("evaluate", cell="3-8")
    row, png, _ = told(page, "tiles")[0]
    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
        assert np.array_equal(np.asarray(picture), digits_model.test_images[row][..., 0])
    assert max(thumbnail(np.zeros((600, 300, 3), np.uint8), picture_wall.LONGEST).shape) == 192


def test_the_matrix_as_a_table_is_drawn_when_it_is_opened(open_page):
    write_model("first")
    page = open_page("evaluate")
    assert len(page.dataframe) == 1
    page.session_state["evaluate_as_table"] = True
    page.run()
    table = page.dataframe[0].value
    assert table[["ant", "bee", "cat"]].to_numpy().tolist() == \
        make_evaluation().confusion.tolist()
    assert labels(page) == ["Figure as PNG", "Table as CSV", "Table as CSV"]
    page.segmented_control(key="measure").set_value(OF_ANSWER).run()
    assert labels(page) == ["Table as CSV", "Table as CSV"]  # no such figure


def test_clicks_choose_cells_in_the_chart_and_in_the_table(monkeypatch):
    state, address = {}, {}
    monkeypatch.setattr(matrix_view.st, "session_state", state)
    monkeypatch.setattr(matrix_view.st, "query_params", address)
    matrix = Matrix(("a", "a"), np.array([[5, 1], [2, 9]]))
    state["chart"] = {"selection": {"selected": [{"series_index": 0, "data_indices": [2]}]}}
    matrix_view.take_click("chart", matrix)
    assert address["cell"] == "1-0"
    first = table_key()
    state["cells"] = {"selection": {"cells": [(1, "a (1)")]}}
    matrix_view.take_table_cell("cells", ["a (0)", "a (1)"])
    assert address["cell"] == "1-1"
    assert table_key() == first  # a table in use keeps its place
    choose_cell((0, 0))
    assert table_key() != first  # and shows what was chosen elsewhere


def evaluation_of(confusion, class_names=("ant", "bee", "cat")):
    """Test answers that have this confusion matrix."""
    pairs = [pair for pair, count in np.ndenumerate(confusion) for _ in range(count)]
    labels, answers = np.array(pairs).T
    return evaluate_predictions(
        np.eye(len(confusion), dtype=np.float32)[answers], labels, tuple(class_names))


def choose_in_list(page, place):
    """Send what the script of the list sends."""
    (component,) = (one for one in page.get("bidi_component") if "lines" in one.proto.json)
    states = page._tree.get_widget_states()
    states.widgets.append(WidgetState(
        id=f"$$STREAMLIT_INTERNAL_KEY_{component.proto.id}__events", json_trigger_value=(
        json.dumps([{"event": "chosen", "value": place}]))))
    page._run(states)


def test_a_line_of_the_list_opens_its_images_and_nonsense_does_nothing(open_page):
    confusion = np.array([[5, 1, 0], [2, 9, 0], [0, 4, 3]])
    write_evaluation(write_model("first"), evaluation_of(confusion))
    page = open_page("evaluate")
    assert [line[:3] for line in told(page, "lines")] == [
        ["cat", "bee", "4"], ["bee", "ant", "2"], ["ant", "bee", "1"]]
    page.segmented_control(key="measure").set_value(OF_TRUTH).run()
    assert [line[2] for line in told(page, "lines")] == ["57.1 %", "18.2 %", "16.7 %"]
    assert [line[3] for line in told(page, "lines")] == pytest.approx([1, 7 / 22, 7 / 24])
    choose_in_list(page, 2)
    assert page.subheader[0].value == "ant taken for bee"
    assert told(page, "chosen") == 2
    for nonsense in (3, -1, None, "0", 1.5, [0]):
        choose_in_list(page, nonsense)
        assert not page.exception
    assert page.subheader[0].value == "ant taken for bee"


def test_of_very_many_mix_ups_the_largest_are_listed(open_page):
    confusion = np.full((20, 20), 1) + 9 * np.eye(20, dtype=np.int64)
    names = [f"class {i}" for i in range(20)]
    write_evaluation(write_model("first", class_names=names), evaluation_of(confusion, names))
    page = open_page("evaluate")
    assert len(told(page, "lines")) == matrix_view.MOST_LISTED
    assert f"And {380 - matrix_view.MOST_LISTED} smaller ones" in texts(page.caption)


@pytest.mark.parametrize("count", [2, 200])
def test_few_and_many_classes_stay_usable(open_page, count):
    names = tuple(f"class {number}" for number in range(count))
    folder = write_model("first", class_names=list(names))
    answers = (np.arange(4 * count) + (np.arange(4 * count) % 5 == 0)) % count
    write_evaluation(folder, evaluate_predictions(
        np.eye(count, dtype=np.float32)[answers], np.arange(4 * count) % count, names))
    page = open_page("evaluate")
    assert not page.exception
    assert len(charts(page)[0]["xAxis"]["data"]) == min(count, 20)
    if count == 200:
        page.segmented_control(key="scope").set_value("All classes").run()
        assert len(charts(page)[0]["xAxis"]["data"]) == 200
        assert not page.exception
    for view in VIEWS[1:5]:
        page.segmented_control(key="view").set_value(view).run()
        assert not page.exception and not page.error


def test_names_with_markup_are_shown_letter_by_letter(open_page):
    write_model("first", class_names=["<b>ant</b>", "*bee*", "[cat](http://x)"])
    page = open_page("evaluate")
    assert page.subheader[0].value == "\\[cat\\]\\(http\\://x\\) taken for \\<b\\>ant\\</b\\>"
    assert not page.exception


def test_large_counts_are_written_with_separators(open_page):
    folder = write_model("first")
    probabilities = np.full((1, 3), 1 / 3, np.float32)
    big = Evaluation(("ant", "bee", "cat"), 1.0, 0.0, make_evaluation().report,
                     np.diag([10**6, 1, 1]), np.array([0]), probabilities)
    write_evaluation(folder, big)
    assert "1,000,002 of 1,000,002" in texts(open_page("evaluate").caption)


# Confidence


def test_confidence_is_set_against_right_answers(open_page):
    folder = write_model("first", **NEWER)
    words = "When it is 91.0 % sure, it is right 90.0 % of the time (seen on 10 test images)."
    probabilities = np.array([[0.05, 0.91, 0.04]] * 10 + [[0.5, 0.3, 0.2]] * 2, np.float32)
    labels = np.array([0] + [1] * 9 + [0, 1])
    write_evaluation(folder, evaluate_predictions(probabilities, labels, ("ant", "bee", "cat")))
    page = open_page("evaluate", view="Confidence")
    assert page.markdown[0].value.startswith(words)
    shown = {metric.label: metric for metric in page.metric}
    assert shown["Temperature"].value == "1.31" and "changes no answer" in shown["Temperature"].help
    chart = page.get("echarts_chart")[0].proto
    assert chart.alt.startswith(f"Reliability diagram. {words}")
    right, sure, images = (one["data"] for one in json.loads(chart.spec)["series"])
    assert (right[13]["value"], sure[13], images[13]) == (90, 91, 10)
    table = page.dataframe[0].value
    assert table["images"].tolist() == [2, 10]
    assert table["right answers"].tolist() == pytest.approx([50, 90])


def test_older_models_show_it_from_their_stored_answers(open_page):
    write_model("first")
    page = open_page("evaluate", view="Confidence")
    metrics = [metric for metric in page.metric if metric.label == "Calibration error"]
    error = (9 * 0.1 + 0.7 + 0.95 + 0.6) / 12
    assert [float(metric.value.rstrip(" %")) for metric in metrics] == pytest.approx(
        [100 * error], abs=0.051)
    assert "Temperature" not in [metric.label for metric in page.metric]
    assert "before" not in metrics[0].help and not metrics[0].delta


# Report


def test_the_report_has_every_class_with_intervals_and_the_averages(open_page):
    write_model("first")
    page = open_page("evaluate", view="Report")
    table = page.dataframe[0].value
    assert table["class"].tolist() == ["ant", "bee", "cat", "macro avg", "weighted avg"]
    assert json.loads(page.dataframe[0].proto.columns)["class"]["width"] == 120  # all letters show
    assert table["recall"].tolist() == pytest.approx([100, 100, 25, 75, 75])
    assert table["recall, 95 %"][2] == "4.6 % to 69.9 %" and table["recall, 95 %"][3:].isna().all()
    assert table["test images"].tolist() == [4, 4, 4, 12, 12]
    points = charts(page)[0]["series"][1]["data"]
    assert [point["name"] for point in points] == [
        "cat: 25.0 %, 4.6 % to 69.9 %", "ant: 100.0 %, 51.0 % to 100.0 %",
        "bee: 100.0 %, 51.0 % to 100.0 %"]
    assert "Wilson" in texts(page.caption)
    page.segmented_control(key="score").set_value("Precision").run()
    assert charts(page)[0]["series"][1]["data"][0]["name"].startswith("ant: 57.1 %")


def test_a_class_without_images_has_no_recall_instead_of_a_zero(open_page):
    folder = write_model("first")
    write_evaluation(folder, evaluate_predictions(
        np.eye(3, dtype=np.float32)[[0, 1]], np.array([0, 1]), ("ant", "bee", "cat")))
    table = open_page("evaluate", view="Report").dataframe[0].value
    assert table["recall"].isna().tolist() == [False, False, True, False, False]


# Curves


def test_curves_are_drawn_of_the_weakest_classes_first_and_of_those_that_are_chosen(open_page):
    write_model("first")
    page = open_page("evaluate", view="Curves")
    precision, roc = charts(page)
    assert [one["name"] for one in precision["series"]] == ["ant", "cat", "bee"]
    assert roc["series"][-1]["name"] == "a guess"
    assert page.dataframe[0].value["class"].tolist() == ["ant", "bee", "cat"]
    page.multiselect(key="classes").set_value(["bee"]).run()
    assert [one["name"] for one in charts(page)[0]["series"]] == ["bee"]
    page.multiselect(key="classes").set_value([]).run()
    assert "Choose at least one class" in texts(page.caption) and not page.exception


def test_a_test_of_one_class_only_has_no_curves(open_page):
    folder = write_model("first")
    write_evaluation(folder, evaluate_predictions(
        np.eye(3, dtype=np.float32)[[0, 1]], np.array([0, 0]), ("ant", "bee", "cat")))
    page = open_page("evaluate", view="Curves")
    assert "one class only" in texts(page.info) and not page.exception


# Images


def test_mistakes_are_shown_with_their_images_most_confident_first(open_page, digits_model):
    page = open_page("evaluate", view="Images")
    wrong = np.flatnonzero(digits_model.test_labels == 3)
    assert len(wall(page)) == min(21, len(wrong))
    row, lines = wall(page)[0]
    assert row == wrong[-1] and lines[0] == "3 → 8" and lines[1].endswith("%")
    assert f"{len(wrong)} images among {len(digits_model.test_labels)} test images" in texts(
        page.caption)
    assert not page.info


def test_the_rest_of_the_mistakes_is_on_the_next_page(open_page, digits_model):
    page = open_page("evaluate", view="Images")
    wrong = int((digits_model.test_labels == 3).sum())
    page.pagination[0].set_value(2).run()
    assert len(wall(page)) == wrong - 21


def test_mistakes_can_be_filtered_by_truth_and_answer(open_page):
    write_model("first")  # 2, 5 and 8 are cats taken for ants
    folder_page = open_page("evaluate", view="Images")
    assert options(folder_page, "mistakes_True class_first") == ["Any (3)", "cat (3)"]
    assert options(folder_page, "mistakes_Answer_first") == ["Any (3)", "ant (3)"]
    folder_page.selectbox(key="mistakes_True class_first").select(2).run()
    assert "3 images among 12 test images" in texts(folder_page.caption)


def test_a_filter_shows_only_what_passes(open_page):
    folder = write_model("first")
    labels = np.arange(12) % 3
    answers = (labels + 1 + (np.arange(12) >= 6)) % 3  # all wrong: half to each other class
    probabilities = np.full((12, 3), 0.1, np.float32)
    probabilities[np.arange(12), answers] = 0.8
    write_evaluation(folder, evaluate_predictions(probabilities, labels, ("ant", "bee", "cat")))
    page = open_page("evaluate", view="Images")
    page.selectbox(key="mistakes_True class_first").select(0).run()
    assert "4 images of 12 among" in texts(page.caption)
    assert options(page, "mistakes_Answer_first") == ["Any (4)", "bee (2)", "cat (2)"]
    page.selectbox(key="mistakes_Answer_first").select(1).run()
    table = page.dataframe[0].value
    assert table["truth"].tolist() == ["ant", "ant"] and set(table["answer"]) == {"bee"}


def test_without_the_data_set_the_mistakes_are_a_table_and_a_note(open_page):
    write_model("first")
    page = open_page("evaluate", view="Images")
    assert "pictures cannot be shown" in texts(page.info)
    table = page.dataframe[0].value
    assert table["test image"].tolist() == [5, 2, 8]
    assert table["confidence"].tolist() == pytest.approx([95, 70, 60])
    assert not page.get("bidi_component")


def test_images_of_a_data_set_that_has_changed_are_not_shown(open_page, digits_model, folders):
    card = folders / "models" / "digits-3" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"dataset_fingerprint": "0" * 64}))
    page = open_page("evaluate", view="Images")
    assert "has changed since" in texts(page.info)
    assert not page.get("bidi_component") and len(page.dataframe)


def test_a_model_without_mistakes_says_so(open_page):
    folder = write_model("first")
    write_evaluation(folder, evaluate_predictions(np.eye(3, dtype=np.float32), np.arange(3),
                                                  ("ant", "bee", "cat")))
    page = open_page("evaluate", view="Images")
    assert "all 3 test images are right" in texts(page.success)


def test_of_thousands_of_mistakes_one_page_is_drawn(open_page):
    folder = write_model("first")
    labels = np.arange(10_000) % 3
    probabilities = np.roll(np.eye(3, dtype=np.float32)[labels] * 0.7 + 0.1, 1, axis=1)
    write_evaluation(folder, evaluate_predictions(probabilities, labels, ("ant", "bee", "cat")))
    page = open_page("evaluate", view="Images")
    assert "10,000 images among 10,000 test images" in texts(page.caption)
    assert len(page.dataframe[0].value) == 21


# Details


def test_details_name_the_command_and_the_versions(open_page):
    write_model("first")
    page = open_page("evaluate", view="Details")
    assert page.code[0].value == "python -m cnn train --seed 4"
    table = page.table[0].value.astype(str).to_string()
    assert "keras 3" in table and "f" * 16 in table and "shapes" in table
    assert json.loads(page.json[0].value) == {"epochs": 3, "seed": 4}


def test_the_graph_of_tf_nn_is_offered_on_a_click_only(open_page):
    write_model("first", architecture="tf-nn", input_shape=[16, 16, 3])
    page = open_page("evaluate", view="Details")
    assert not page.error and not page.get("graphviz_chart")
    page.toggle(key="train_graph").set_value(True).run()
    assert "engine" in texts(page.error)  # there is none in this test, and that is all


def test_an_architecture_of_a_newer_version_does_not_disturb(open_page):
    write_model("first", architecture="invented-later")
    page = open_page("evaluate", view="Details")
    assert not page.error and page.table


# Files to take along


def test_figures_and_tables_can_be_taken_along(open_page):
    write_model("first")
    found = {}
    page = open_page("evaluate")
    for view in VIEWS:
        page.segmented_control(key="view").set_value(view).run()
        found[view] = labels(page)
    one = ["Table as CSV"]
    assert found == {"History": ["Figure as PNG", *one], "Confusion matrix": one, "Report": one,
                     "Curves": one, "Confidence": one, "Images": one, "Slices": [], "Details": []}


def test_a_table_as_csv_opens_in_spreadsheets_and_runs_nothing():
    rows = [{"class": "=HYPERLINK(1)", "n": -3}, {"class": "größe, \"x\"", "n": 0.5}]
    text = csv_bytes(rows)
    assert text.startswith(b"\xef\xbb\xbf")
    assert text.decode("utf-8-sig").splitlines() == [
        "class,n", "'=HYPERLINK(1),-3", '"größe, ""x""",0.5']
