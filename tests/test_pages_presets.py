"""The Train page's question "How long": measuring, the plan, and the way to own settings."""

import pytest
from page_steps import texts
from speeds import made_up

from cnn.errors import Unavailable
from cnn.runs import measuring
from pages.shared import preset_form
from pages.shared.formats import rough_span


class Measurement:
    """Stands for the measuring process: done at once, failing, or never done."""

    def __init__(self):
        self.speeds, self.error, self.hangs, self.started = None, None, False, 0

    def start(self, subject):
        self.started += 1
        if not self.hangs and not self.error:
            self.speeds = made_up(subject[0], subject[1])

    def running(self, subject):
        return self.hangs and self.started > 0

    def failure(self, subject):
        return self.error


@pytest.fixture
def measurement(monkeypatch):
    stub = Measurement()
    monkeypatch.setattr(measuring, "known_speeds", lambda *subject: stub.speeds)
    monkeypatch.setattr(preset_form, "known_speeds", lambda *subject: stub.speeds)
    monkeypatch.setattr(preset_form, "background", stub)
    return stub


def choose(page, length):
    return page.button_group(key="train_length").set_value(length).run()


def test_nothing_is_measured_before_a_preset_is_chosen(open_page, measurement):
    page = open_page("train")
    assert page.button_group(key="train_length").value == "own"
    assert measurement.started == 0
    assert page.selectbox(key="train_architecture").value == "base"


def test_a_preset_says_what_it_does_and_how_long_before_the_start(open_page, measurement):
    measurement.speeds = made_up((8, 8, 1), 10)
    page = choose(open_page("train"), "1m")
    assert "to saved model" in texts(page.markdown)
    assert "batchnorm · 100 epochs · 1,294 images · batches of 64" in texts(page.caption)
    assert "--architecture batchnorm" in page.code[0].value
    assert not page.button(key="train_start").disabled
    assert "conv_1" in list(page.dataframe[0].value["Layer"])  # the network's own table
    assert measurement.started == 0


def test_the_first_use_measures_and_then_shows_the_plan(open_page, measurement):
    page = choose(open_page("train"), "5m")
    assert measurement.started == 1
    assert "to saved model" in texts(page.markdown)
    assert not page.exception


def test_while_it_is_measured_nothing_can_be_started_and_all_else_goes_on(open_page, measurement):
    measurement.hangs = True
    page = choose(open_page("train"), "5m")
    assert "Measuring this computer" in texts(page.info)
    assert page.button(key="train_start").disabled
    page = choose(page, "own")
    assert not page.button(key="train_start").disabled


def test_a_measurement_that_fails_says_why_and_is_tried_again_by_hand_only(open_page, measurement):
    measurement.error = Unavailable("The measurement failed: no memory.", "Free some.")
    page = choose(open_page("train"), "5m")
    assert "no memory" in texts(page.error)
    assert page.button(key="train_start").disabled
    assert measurement.started == 0
    measurement.error = None
    page.button(key="train_measure").click().run()
    assert measurement.started == 1
    assert not page.error


def test_it_is_measured_again_on_demand_and_a_disturbed_one_says_so(open_page, measurement):
    measurement.speeds = made_up((8, 8, 1), 10, busy=0.6)
    page = choose(open_page("train"), "best")
    assert "2.5 times" in texts(page.warning)
    page.button(key="train_measure").click().run()
    assert measurement.started == 1
    assert not page.warning


def test_own_settings_start_from_the_preset_that_was_shown(open_page, measurement):
    measurement.speeds = made_up((8, 8, 1), 10, slowness=10)
    page = choose(open_page("train"), "1m")
    command = page.code[0].value
    page = choose(page, "own")
    assert page.code[0].value == command
    assert not page.warning
    page = choose(choose(page, "5m"), "own")
    assert page.code[0].value != command
    assert "--architecture batchnorm" in page.code[0].value


def test_settings_made_by_hand_on_top_of_a_preset_are_kept(open_page, measurement):
    measurement.speeds = made_up((8, 8, 1), 10)
    page = choose(choose(open_page("train"), "1m"), "own")
    page.number_input(key="train_epochs_digits_1").set_value(7).run()
    page.switch_page("pages/data.py").run()
    page.switch_page("pages/train.py").run()
    assert page.number_input(key="train_epochs_digits_1").value == 7
    page.selectbox(key="train_architecture_1").select("deeper").run()
    assert "--architecture deeper --name digits-deeper --epochs 7" in page.code[0].value


@pytest.mark.parametrize(("low", "high", "words"), [
    (48, 82, "50 s to 1.5 min"), (30, 46, "30 to 45 s"), (1, 2, "about 5 s"),
    (995, 1528, "17 to 25 min"), (225, 349, "4 to 6 min"), (9877, 15112, "2.5 to 4 h"),
    (98_698, 150_957, "27 to 42 h"), (864_261, 1_321_818, "10 to 15 days"),
    (58, 61, "about 1 min"),
])
def test_a_span_is_said_as_a_person_would(low, high, words):
    assert rough_span(low, high) == words
