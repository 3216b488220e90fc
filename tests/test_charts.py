"""Chart options: right numbers in, JSON out, and the same in words."""

import json

from pages.shared.charts import bars_height, counts_option, history_alt, history_option


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


def test_the_last_best_epoch_is_marked():
    option = history_option(epochs(3), "loss")
    assert option["series"][-1]["markLine"]["data"] == [{"xAxis": 2}]


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
    for option in (history_option(epochs(3), "loss", [(0.5, 0.1)]),
                   counts_option(["a", "b"], [1, 2], [3, 4])):
        json.dumps(option, allow_nan=False)
        assert option["animation"] is False


def test_the_words_say_what_is_drawn():
    words = history_alt(epochs(3), "accuracy")
    assert "after epoch 3" in words
    assert "50.0 %" in words
    assert "best epoch 2" in words


def test_counts_are_drawn_for_both_splits():
    option = counts_option(["ant", "bee"], [5, 6], [1, 2])
    assert series(option) == {"training": [5, 6], "test": [1, 2]}
    assert option["yAxis"]["data"] == ["ant", "bee"]


def test_many_bars_do_not_make_an_endless_page():
    assert bars_height(3) < bars_height(10) < bars_height(1000) == bars_height(2000)
