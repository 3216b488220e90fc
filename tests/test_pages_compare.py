"""The page Compare: chosen trainings side by side, and what the difference is worth."""

import json
from dataclasses import replace

import numpy as np
import pytest
from model_folders import CLASSES, write_model
from page_steps import texts
from run_folders import write_epoch, write_run

from cnn.data.catalogue import load
from cnn.evaluation.comparison import Duel
from cnn.evaluation.results import evaluate_predictions, write_evaluation
from cnn.prediction.deleting import delete_model
from pages.shared.compare_charts import MOST, cost_option, curves_option
from pages.shared.duel_view import verdict


def charts(page):
    return [json.loads(chart.proto.spec) for chart in page.get("echarts_chart")]


def curves(page):
    return {series["name"]: series["data"] for series in charts(page)[0]["series"]}


def write_answers(folder, labels, wrong, classes=CLASSES):
    answers = labels.copy()
    answers[wrong] = (answers[wrong] + 1) % len(classes)
    sure = np.eye(len(classes), dtype=np.float32)[answers]
    write_evaluation(folder, evaluate_predictions(sure, labels, classes))


@pytest.fixture
def three(folders):
    write_model("fast", seconds=10.0, parameters=900, test_accuracy=0.75,
                config={"epochs": 3, "seed": 4, "optimizer": "adam"})
    write_model("slow", seconds=100.0, parameters=5000, test_accuracy=0.80,
                config={"epochs": 3, "seed": 4, "optimizer": "sgd"})
    write_model("wasteful", seconds=200.0, parameters=9000, test_accuracy=0.70,
                config={"epochs": 3, "seed": 5, "optimizer": "adam"})


def compared(open_page, *names):
    page = open_page("compare")
    return page.multiselect(key="with").set_value(list(names)).run()


def test_with_nothing_to_compare_the_page_says_so(open_page):
    page = open_page("compare")
    assert "nothing to compare yet" in texts(page.markdown)
    assert not page.exception


def test_before_anything_is_chosen_it_shows_what_accuracy_costs(open_page, three):
    page = open_page("compare")
    assert not page.exception
    assert "Choose two" in texts(page.caption)
    front, others = charts(page)[0]["series"]
    assert [point["name"] for point in front["data"]] == ["fast", "slow"]
    assert [point["name"] for point in others["data"]] == ["wasteful"]
    page.segmented_control(key="cost").set_value("file_bytes").run()
    assert [point["name"] for point in charts(page)[0]["series"][0]["data"]] == ["slow"]


def test_how_long_an_answer_takes_is_measured_once_it_is_asked_for(open_page, three, asked):
    page = open_page("compare")
    assert asked() == []
    page.segmented_control(key="cost").set_value("latency").run()
    assert not page.exception
    points = [point for series in charts(page)[0]["series"] for point in series["data"]]
    assert {point["name"] for point in points} == {"fast", "slow", "wasteful"}
    assert all(point["value"][0] > 0 for point in points)
    assert "median of 15 answers" in texts(page.caption)
    questions = len(asked())
    page.run()
    assert len(asked()) == questions


def test_the_best_three_are_chosen_at_a_click(open_page, three):
    page = open_page("compare")
    page.button(key="compare_best").click().run()
    assert page.multiselect(key="with").value == ["slow", "fast", "wasteful"]
    assert list(page.dataframe[0].value["Name"]) == ["slow", "fast", "wasteful"]


def test_only_settings_that_differ_are_listed(open_page, three):
    page = compared(open_page, "fast", "slow")
    table = page.dataframe[1].value
    assert list(table["Setting"]) == ["optimizer"]
    assert (list(table["fast"]), list(table["slow"])) == (["adam"], ["sgd"])


def test_curves_go_by_epoch_time_or_images(open_page, three):
    write_model("small", train_n=2_000_000)
    page = compared(open_page, "fast", "small")
    assert [x for x, _ in curves(page)["fast"]] == [1, 2, 3]
    page.segmented_control(key="by").set_value("seconds").run()
    assert [x for x, _ in curves(page)["fast"]] == [0.0333, 0.0667, 0.1]
    page.segmented_control(key="by").set_value("images").run()
    assert [x for x, _ in curves(page)["small"]] == [2, 4, 6]
    page.selectbox(key="curve").set_value("loss").run()
    assert [y for _, y in curves(page)["small"]] == [1, 0.5, 0.3333]


def test_a_run_without_a_model_is_compared_by_what_it_has(open_page, three):
    write_run("20260101-000000-lost", state="interrupted", best_epoch=2, best_val_accuracy=0.7)
    write_run("20260102-000000-more", state="paused", best_epoch=1, best_val_accuracy=0.6)
    page = open_page("compare", data="digits")
    page.multiselect(key="with").set_value(
        ["20260101-000000-lost", "20260102-000000-more"]).run()
    assert not page.exception
    assert list(page.dataframe[0].value["Test"]) == ["not tested"] * 2
    assert list(page.dataframe[0].value["Validation"]) == ["60.00 %", "70.00 %"][::-1]
    assert "On the same test images" not in texts(page.header)


def test_repeats_with_other_seeds_are_mean_and_spread(open_page, three):
    page = open_page("compare")
    table = page.dataframe[0].value
    assert list(table["Names"]) == ["fast, wasteful"]
    assert list(table["Mean test accuracy"]) == ["72.50 %"]
    assert list(table["Standard deviation"]) == ["3.54 points"]


def test_the_duel_counts_and_shows_the_images_that_only_one_gets_right(open_page, folders):
    data = load("digits")
    classes = tuple(str(number) for number in range(10))
    for name, wrong in (("one", [0, 1]), ("two", [1, 2, 3])):
        folder = write_model(name, dataset="digits", class_names=list(classes),
                             dataset_fingerprint=data.fingerprint)
        write_answers(folder, data.test_labels, wrong, classes)
    page = compared(open_page, "one", "two")
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["355", "2", "1", "1"]
    assert "Not distinguishable" in texts(page.markdown)
    assert len(page.get("image")) == 2
    page.segmented_control(key="duel_right_one_two").set_value("two").run()
    assert len(page.get("image")) == 1
    page.selectbox(key="duel_first").set_value("two").run()
    assert page.selectbox(key="duel_second").value == "one"
    assert not page.exception


@pytest.mark.parametrize("changes", [
    {"dataset_fingerprint": "0" * 64}, {"class_names": list("xyz")}])
def test_models_of_other_test_images_are_not_held_against_each_other(open_page, three, changes):
    write_model("foreign", **changes)
    page = compared(open_page, "fast", "foreign")
    assert "different versions" in texts(page.info) or "not tested on the same" in texts(page.info)
    assert not page.metric
    assert not page.exception


def test_a_model_without_test_results_says_so(open_page, three, folders):
    (folders / "models" / "slow" / "evaluation.npz").unlink()
    page = compared(open_page, "fast", "slow")
    assert "no stored test results" in texts(page.error)
    assert not page.exception


@pytest.mark.parametrize(("result", "says"), [
    (Duel(5, 0, 0, 1, 1.0), "same images"),
    (Duel(80, 3, 5, 2, 0.727), "**Not distinguishable** on these images"),
    (Duel(80, 3, 15, 2, 0.0075), "**b is better than a.**"),
    (Duel(80, 60, 5, 2, 1e-9), "by chance in under 0.1 % of such tests")])
def test_the_verdict_is_in_plain_words(result, says):
    assert says in verdict("a", "b", result)


def test_as_many_trainings_as_can_be_chosen_have_styles_of_their_own():
    names = [f"m{number}" for number in range(MOST)]
    option = curves_option({name: [{"epoch": 1, "val_accuracy": 0.5}] for name in names},
                           "val_accuracy", dict.fromkeys(names, lambda record: record["epoch"]),
                           "epoch")
    styles = {(series["itemStyle"]["color"], series["lineStyle"]["type"], series["symbol"])
              for series in option["series"]}
    assert len(styles) == MOST
    assert option["series"][0]["data"] == [[1, 50.0]]


def test_twenty_are_compared_and_a_report_is_offered_of_fewer(open_page, folders):
    names = [f"m{number:02d}" for number in range(20)]
    for name in names:
        write_model(name)
    page = compared(open_page, *names)
    assert not page.exception and len(curves(page)) == 20
    assert "A report holds 6 trainings at most" in texts(page.caption)
    page.multiselect(key="with").set_value(names[:2]).run()
    assert "A report holds" not in texts(page.caption)


def test_what_changes_on_the_disk_is_seen_at_the_next_look(open_page, folders):
    run = write_run("20260101-000000-lost", state="interrupted", best_epoch=2)
    write_run("20260102-000000-more", state="paused", best_epoch=1)
    page = compared(open_page, run.run_id, "20260102-000000-more")
    assert len(curves(page)[run.run_id]) == 2
    run.write_status(replace(run.read_status(), epoch=3))
    write_epoch(run, 3)
    write_run("20260103-000000-new", state="paused", best_epoch=1)
    page.run()
    assert len(curves(page)[run.run_id]) == 3
    assert "20260103-000000-new" in page.multiselect(key="with").options


def test_the_front_is_drawn_from_the_cheapest_to_the_dearest():
    option = cost_option(["dear", "cheap", "bad"], [9.0, 1.0, 8.0], [0.9, 0.5, 0.4],
                         [True, True, False], "seconds")
    assert [point["value"][0] for point in option["series"][0]["data"]] == [1.0, 9.0]


def test_the_name_of_the_cheapest_does_not_lie_on_the_axis():
    option = cost_option(["dear", "cheap"], [90.0, 10.0], [0.9, 0.5], [True, True], "seconds")
    cheap, dear = option["series"][0]["data"]
    assert cheap["label"] == {"position": "right"} and "label" not in dear


def test_a_model_that_is_deleted_meanwhile_leaves_the_comparison(open_page):
    write_model("first")
    write_model("second")
    page = open_page("compare", **{"with": ["first", "second"]})
    assert page.multiselect(key="with").value == ["first", "second"]
    delete_model("second")
    page.run()
    assert not page.exception
    assert page.multiselect(key="with").value == ["first"]


def test_a_link_opens_the_data_set_of_its_models_whichever_comes_first_now(open_page):
    for name in ("a", "b"):
        write_model(name, dataset="rare")
    for name in ("c", "d", "e"):
        write_model(name, dataset="common")
    page = open_page("compare", **{"with": ["a", "b"]})
    assert not page.exception
    assert page.selectbox(key="data").value == "rare"
    assert page.multiselect(key="with").value == ["a", "b"]
    assert not page.warning


def test_what_a_link_asks_for_and_cannot_be_compared_is_named_with_the_reason(open_page):
    write_model("a", dataset="one")
    write_model("b", dataset="other")
    page = open_page("compare", **{"with": ["a", "b", "*gone*"]})
    assert not page.exception
    assert page.multiselect(key="with").value == ["a"]
    said = texts(page.warning)
    assert "b is left out: it was trained on other" in said
    assert r"There is no model or run '\*gone\*'" in said
