"""Chart options: right numbers in, JSON out, and the same in words."""

import json

from pages.shared.charts import (
    answers_option,
    answers_words,
    bars_height,
    counts_option,
    history_alt,
    history_option,
    rate_option,
    shares_option,
)


def epochs(count, best=2):
    return [{"epoch": n, "loss": 1 / n, "val_loss": 2 / n, "accuracy": 0.5, "val_accuracy": 0.25,
             "best": n <= best} for n in range(1, count + 1)]


def series(option):
    return {line["name"]: line["data"] for line in option["series"]}


def test_loss_is_drawn_as_it_is_and_accuracy_in_per_cent():
    assert series(history_option(epochs(2), "loss")) == {
        "training": [[1, 1.0], [2, 0.5]], "validation": [[1, 2.0], [2, 1.0]]}
    assert series(history_option(epochs(1), "accuracy")) == {
        "training": [[1, 50.0]], "validation": [[1, 25.0]]}


def test_the_last_best_epoch_is_marked_on_the_validation_curve():
    validation = history_option(epochs(3), "loss")["series"][-1]
    assert validation["markPoint"]["data"] == [{"coord": [2, 1.0]}]
    assert validation["markPoint"]["label"]["formatter"] == "best"
    assert history_option(epochs(3), "accuracy")["series"][-1]["markPoint"]["data"] == [
        {"coord": [2, 25.0]}]
    assert history_option(epochs(3, best=0), "loss")["series"][-1]["markPoint"]["data"] == []


def test_events_are_labelled_lines_at_their_place():
    training = history_option(
        epochs(3), "loss", marks=[(1.25, "A"), (2.0, "B"), (2.0, "C")])
    training = training["series"][0]
    assert training["markLine"]["data"] == [
        {"xAxis": 1.25, "label": {"formatter": "A"}}, {"xAxis": 2.0, "label": {"formatter": "B C"}}]


def test_overfitting_is_shaded_from_its_first_to_its_last_epoch():
    assert history_option(epochs(3), "loss")["series"][-1]["markArea"]["data"] == []
    area, = history_option(epochs(3), "loss", rising=(2, 3))["series"][-1]["markArea"]["data"]
    assert [edge["xAxis"] for edge in area] == [2, 3]
    assert area[0]["name"] == "overfitting"


def test_a_learning_rate_is_drawn_by_its_corners():
    rates = [(0.1, 0.24), (0.2, 0.24), (0.3, 0.24), (0.4, 0.12), (0.5, 0.12), (0.6, 0.12)]
    option = rate_option(rates, 4)
    assert series(option)["learning rate"] == [[0.1, 0.24], [0.3, 0.24], [0.4, 0.12], [0.6, 0.12]]
    assert option["xAxis"]["max"] == 4
    falling = [(n / 10, 1 - n / 10) for n in range(10)]
    assert len(series(rate_option(falling, 0))["learning rate"]) == 10


def test_probabilities_are_drawn_in_per_cent_and_told_apart_without_colour():
    option = shares_option({"cat": [(1, 0.2), (2, 0.75)], "dog": [(1, 0.8), (2, 0.25)]}, 5)
    assert series(option) == {"cat": [[1, 20.0], [2, 75.0]], "dog": [[1, 80.0], [2, 25.0]]}
    assert option["xAxis"]["max"] == 5
    assert len({line["lineStyle"]["type"] for line in option["series"]}) == 2


def test_training_and_validation_differ_without_colour():
    lines = history_option(epochs(3), "loss")["series"]
    assert len({line["lineStyle"]["type"] for line in lines}) == 2
    assert len({line["symbol"] for line in lines}) == 2


def test_progress_inside_epochs_is_drawn_from_the_start_to_the_end_asked_for():
    option = history_option(epochs(1), "accuracy", [(0.5, 0.1), (1.0, 0.2)], end=10)
    assert series(option)["training, by batch"] == [[0.5, 10.0], [1.0, 20.0]]
    assert (option["xAxis"]["min"], option["xAxis"]["max"]) == (0, 10)


def test_a_run_without_epochs_can_be_drawn():
    option = history_option([], "loss")
    assert option["xAxis"]["min"] < option["xAxis"]["max"]
    assert "no epoch" in history_alt([], "loss")


def test_options_are_json_and_do_not_move():
    for option in (history_option(epochs(3), "loss", [(0.5, 0.1)], 5, [(1.5, "A")], (2, 3)),
                   rate_option([(0.5, 0.1)], 2), shares_option({"cat": [(1, 0.5)]}, 0),
                   counts_option(["a", "b"], [1, 2], [3, 4])):
        json.dumps(option, allow_nan=False)
        assert option["animation"] is False


def test_the_words_say_what_is_drawn():
    words = history_alt(epochs(3), "accuracy")
    assert "after epoch 3" in words
    assert "50.0 %" in words
    assert "best epoch 2" in words
    words = history_alt(epochs(3), "loss", [(1.5, "A")], (2, 3))
    assert "overfitting from epoch 2" in words
    assert "A marked at 1.5" in words


def test_counts_are_drawn_for_both_splits():
    option = counts_option(["ant", "bee"], [5, 6], [1, 2])
    assert series(option) == {"training": [5, 6], "test": [1, 2]}
    assert option["yAxis"]["data"] == ["ant", "bee"]


def test_many_bars_do_not_make_an_endless_page():
    assert bars_height(3) < bars_height(10) < bars_height(1000) == bars_height(2000)


def test_answers_have_bars_of_sure_and_flagged_and_the_rarest_share_one():
    counts = [("cat", 5, 1), ("dog", 3, 0), ("ship", 1, 1), ("<b>", 0, 1)]
    option = answers_option(counts, 2)
    assert option["yAxis"]["data"] == ["cat", "dog", "2 others"]
    assert [(one["name"], one["data"]) for one in option["series"]] == [
        ("sure", [5, 3, 1]), ("unsure or none of these", [1, 0, 2])]
    assert {one["stack"] for one in option["series"]} == {"all"}
    assert answers_option(counts, 4)["yAxis"]["data"] == ["cat", "dog", "ship", "<b>"]
    assert json.dumps(option)
    assert answers_words(counts[:2]) == (
        "How often each answer was given: cat 6, 1 of them not sure; dog 3.")
