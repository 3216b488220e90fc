"""Measured speeds on disk: read back, measured again when they are of no use, once for real."""

import json
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
from speeds import made_up

from cnn.errors import BadInput, Unavailable
from cnn.models.defaults import default_config
from cnn.models.summary import summarise
from cnn.runs import measuring
from cnn.runs.measuring import known_speeds, measure_speeds
from cnn.training import speed

SUBJECT = ((28, 28, 1), 10)


@pytest.fixture
def measured(empty_folders, monkeypatch):
    """Measure without a process; returns what was asked for."""
    requests = []

    def measure(request):
        requests.append(request["architectures"])
        return made_up(request["input_shape"], request["classes"], names=request["architectures"])

    monkeypatch.setattr(measuring, "_measure", measure)
    return requests


def the_file(folders):
    file, = (folders / "data").rglob("speed-*.json")
    return file


def test_nothing_is_known_at_first_and_everything_after_a_measurement(measured):
    assert known_speeds(*SUBJECT) is None
    speeds = measure_speeds(*SUBJECT)
    assert measured == [["speedrun-small", "speedrun"]]
    assert known_speeds(*SUBJECT) == speeds
    assert known_speeds((28, 28, 3), 10) is None
    assert known_speeds((28, 28, 1), 9) is None


def test_a_network_of_another_kind_is_measured_beside_the_others(measured):
    measure_speeds(*SUBJECT)
    assert known_speeds(*SUBJECT, "vgg-bn") is None
    measure_speeds(*SUBJECT, "vgg-bn")
    assert measured[1] == ["vgg-bn"]
    speeds = known_speeds(*SUBJECT, "vgg-bn")
    assert [n.architecture for n in speeds.networks] == ["speedrun-small", "speedrun", "vgg-bn"]
    assert known_speeds(*SUBJECT) == speeds


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 99}', "\x00"])
def test_a_damaged_file_is_as_none_and_is_replaced(measured, empty_folders, text):
    speeds = measure_speeds(*SUBJECT)
    the_file(empty_folders).write_text(text)
    assert known_speeds(*SUBJECT) is None
    assert measure_speeds(*SUBJECT) == speeds == known_speeds(*SUBJECT)


def test_another_machine_measures_for_itself(measured, empty_folders, monkeypatch):
    measure_speeds(*SUBJECT)
    before = the_file(empty_folders)
    monkeypatch.setattr(measuring, "machine", lambda: {"processor": "another"})
    assert known_speeds(*SUBJECT) is None
    measure_speeds(*SUBJECT)
    assert len(list(before.parent.glob("speed-*.json"))) == 2


def test_a_file_of_another_machine_under_our_name_is_not_believed(measured, empty_folders):
    measure_speeds(*SUBJECT)
    file = the_file(empty_folders)
    stored = json.loads(file.read_text())
    stored["machine"]["cores"] += 1
    file.write_text(json.dumps(stored))
    assert known_speeds(*SUBJECT) is None


def test_no_data_set_appears_through_it(measured, empty_folders):
    from cnn.data.catalogue import dataset_names

    before = dataset_names()
    measure_speeds(*SUBJECT)
    assert dataset_names() == before


@pytest.mark.parametrize(("script", "words"), [
    ("import sys; sys.stderr.write('no memory left'); sys.exit(3)", "no memory left"),
    ("print('hello')", "failed"),
    ("print('{\"networks\": []}')", "damaged"),
    ("import os; os.kill(os.getpid(), 9)", "said nothing"),
])
def test_a_measurement_that_dies_says_why(empty_folders, monkeypatch, script, words):
    monkeypatch.setattr(measuring, "_command", lambda request: [sys.executable, "-c", script])
    with pytest.raises(Exception, match=words) as caught:
        measure_speeds(*SUBJECT)
    assert caught.value.hint
    assert known_speeds(*SUBJECT) is None


def test_a_measurement_that_hangs_is_ended(empty_folders, monkeypatch):
    monkeypatch.setattr(measuring, "_command", lambda request: [
        sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(measuring, "SECONDS_AT_MOST", 0.5)
    with pytest.raises(Unavailable, match=r"0\.5 seconds"):
        measure_speeds(*SUBJECT)


def test_the_process_measures_for_real(empty_folders):
    speeds = measure_speeds((8, 8, 1), 10, "base")
    network, = speeds.networks
    assert (network.architecture, speeds.input_shape, speeds.classes) == ("base", (8, 8, 1), 10)
    assert 1e-7 < network.look < 0.1  # the clock decides which of the two is less: this network
    assert 1e-7 < network.image < 0.1  # is so small that looking costs as much as learning
    assert 0.1 < speeds.start < 100
    assert 0 <= speeds.busy <= 1
    assert known_speeds((8, 8, 1), 10, "base") == speeds
    assert known_speeds((8, 8, 1), 10) is None  # the choice of networks was not measured


def test_the_process_answers_an_impossible_request_in_words():
    request = {"input_shape": [8, 8, 1], "classes": 10, "architectures": ["speedrun"]}
    with pytest.raises(BadInput, match="8×8"):
        measuring._measure(request)


def test_seconds_of_steps_and_of_looks_become_those_of_an_image(monkeypatch):
    class Nobody:
        @contextmanager
        def watched(self):
            yield lambda: 0.25  # of the time was others'

    timed = iter([0.8, 2.0, 4.0])  # 64 images, 256 images, a look at 500
    monkeypatch.setattr(speed, "_median_seconds", lambda action: next(timed))
    network = speed.measure_network("base", (8, 8, 1), 10, "float32", Nobody())
    assert (network.step, network.image, network.look) == pytest.approx(
        (0.75 * 0.4, 0.75 * 1.6 / 256, 0.75 * 4.0 / 500))


@pytest.mark.parametrize("name", ["speedrun", "speedrun-deep", "speedrun-wide"])
def test_images_have_more_to_do_in_a_measured_step_than_muon(name):
    summary = summarise(name, (32, 32, 3), 10)
    images = speed._larger_batch(summary, default_config(name, "random", "speed"))
    kernels = [(row.output_shape[-1], row.parameters // row.output_shape[-1])
               for row in summary.rows if row.label.startswith("Conv")]
    sides = [sorted(kernel) for kernel in kernels]  # as Newton-Schulz takes them: short, long
    update = sum(3 * (2 * short * short * long + short**3) for short, long in sides)
    assert 3 * images * summary.multiply_adds > 2 * update > 0  # 3: forth, and back twice
    assert speed.BATCHES[0] < images < speed.BATCHES[1]


def test_a_network_without_muon_needs_no_more_images():
    summary = summarise("vgg-bn", (32, 32, 3), 10)
    images = speed._larger_batch(summary, default_config("vgg-bn", "random", "speed"))
    assert images == int(speed.WORK_OF_A_STEP / summary.multiply_adds)


def test_overhead_and_images_are_told_apart():
    assert speed._line(16, 0.18, 64, 0.66) == pytest.approx((0.02, 0.01))
    disturbed = speed._line(16, 0.9, 64, 0.6)
    assert disturbed == pytest.approx((0.3, 0.5 * 0.6 / 64))
    assert speed._line(16, 0.01, 64, 0.64) == pytest.approx((0.0, 0.01))


@pytest.mark.parametrize(("has", "factor", "chosen"), [
    (True, 0.5, "bfloat16"), (None, 0.5, "bfloat16"), (True, 0.95, "float32"),
    (False, 0.5, "float32"),
])
def test_bfloat16_is_chosen_where_it_is_much_faster_only(monkeypatch, has, factor, chosen):
    def measure_network(name, shape, classes, precision, others):
        network = made_up(shape, classes, names=(name,)).networks[0]
        faster = replace(network, image=network.image * factor)
        return faster if precision == "bfloat16" else network

    monkeypatch.setattr(speed, "measure_network", measure_network)
    monkeypatch.setattr(speed, "has_bfloat16", lambda: has)
    assert speed.measure((32, 32, 3), 10, ["speedrun"]).precision == chosen
