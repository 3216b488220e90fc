"""Pinned pictures: kept whole or refused by name, and answered by the network as it is now."""

import json

import numpy as np
import pytest

from cnn.data.dataset import Dataset
from cnn.data.images import decode_image, encode_png
from cnn.errors import BadInput, Damaged
from cnn.runs import manager
from cnn.runs.event_writer import EventWriter
from cnn.runs.folder import RunFolder
from cnn.runs.pins import LONGEST_SIDE, MOST_PINS, Pins, read_pins, ready_pins, save_pins
from cnn.training.events import PinsEvent
from pages.shared.run_log import RunLog


def picture(value=200, size=(20, 30)):
    return encode_png(np.full((*size, 3), value, np.uint8))


def test_pictures_come_back_with_their_names_in_order(tmp_path):
    save_pins(tmp_path, [("Käse (1).jpg", picture(10)), ("../../b", picture(20))])
    pins = read_pins(tmp_path)
    assert [pin.name for pin in pins] == ["Käse (1).jpg", "../../b"]
    assert [decode_image(pin.data)[0, 0, 0] for pin in pins] == [10, 20]
    assert sorted(path.name for path in (tmp_path / "pins").iterdir()) == [
        "1.png", "2.png", "names.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pins"]


def test_no_pictures_leave_no_trace(tmp_path):
    save_pins(tmp_path, [])
    assert list(tmp_path.iterdir()) == []
    assert read_pins(tmp_path) == []


def test_large_pictures_are_stored_smaller():
    pin, = ready_pins([("photo.jpg", picture(size=(1000, 3000)))])
    assert decode_image(pin.data).shape == (341, LONGEST_SIDE, 3)


@pytest.mark.parametrize(("pictures", "words"), [
    ([("notes.txt", b"hello there")], "notes.txt: This is a text file"),
    ([("good.png", picture()), ("empty.png", b"")], "empty.png"),
    ([(f"{n}.png", picture()) for n in range(MOST_PINS + 1)], "At most 5 .* Received: 6"),
])
def test_what_cannot_be_used_is_refused_by_name_and_nothing_is_kept(tmp_path, pictures, words):
    with pytest.raises(BadInput, match=words):
        save_pins(tmp_path, pictures)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_text_does_no_harm(tmp_path):
    save_pins(tmp_path, [("bad\udcff.png", picture()), ("x" * 500, picture())])
    names = [pin.name for pin in read_pins(tmp_path)]
    assert names[0] == "bad?.png"
    assert len(names[1]) < 200


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "1.png").unlink(),
    lambda folder: (folder / "names.json").write_text("{"),
    lambda folder: (folder / "names.json").write_text('{"names": "all"}'),
    lambda folder: (folder / "names.json").write_text(json.dumps({"names": ["a"] * 99})),
])
def test_damage_is_said(tmp_path, damage):
    save_pins(tmp_path, [("a.png", picture())])
    damage(tmp_path / "pins")
    with pytest.raises(Damaged):
        read_pins(tmp_path)


# With runs


def test_a_run_starts_with_its_pictures_or_not_at_all(folders, monkeypatch):
    from cnn.config import RunConfig

    monkeypatch.setattr(manager, "_spawn", lambda command, log: None)
    config = RunConfig("digits", "base", "first")
    with pytest.raises(BadInput, match=r"x\.png"):
        manager.start_run(config, [("x.png", b"nothing")])
    assert manager.list_runs() == []
    run = manager.get_run(manager.start_run(config, [("a.png", picture())]))
    assert [pin.name for pin in read_pins(run.folder.path)] == ["a.png"]


def test_a_real_run_tells_what_it_makes_of_its_pictures_after_every_epoch(folders):
    from cnn.config import RunConfig

    config = RunConfig("digits", "base", "watched", epochs=2, train_images=100)
    run_id = manager.start_run(config, [("a.png", picture()), ("b.png", picture(90))])
    run = manager.wait_until_ended(run_id, 120)
    assert run.status.state == "finished", run.folder.log_tail()
    told = RunLog(run.folder).view().pins
    assert [record["epoch"] for record in told] == [1, 2]
    assert [len(record["tops"]) for record in told] == [2, 2]
    assert set(told[0]["tops"][0]) == {str(digit) for digit in range(10)}


# In the trainer


@pytest.fixture(scope="module")
def model():
    from cnn.models.build import build_model

    return build_model("base", (8, 8, 1), 12, precision="bfloat16", training=True)


@pytest.fixture
def dataset():
    images, labels = np.zeros((1, 8, 8, 1), np.uint8), np.zeros(1, np.int64)
    return Dataset("shapes", tuple(f"class {n}" for n in range(12)), images, labels, images,
                   labels, "x", dark_background=True)


def test_answers_follow_the_weights_with_one_graph(tmp_path, model, dataset):
    save_pins(tmp_path, [("a.png", picture(10)), ("b.png", picture(90, (50, 50)))])
    pins, told = Pins(tmp_path, dataset, model), []
    pins.tell(1, told.append)
    assert [len(top) for top in told[0].tops] == [10, 10]  # of twelve classes
    for top in told[0].tops:
        shares = [share for _, share in top]
        assert shares == sorted(shares, reverse=True)
        assert 0.5 < sum(shares) <= 1.0001
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel * 0, np.eye(12)[7] * 20])
    pins.tell(2, told.append)
    assert [top[0] for top in told[1].tops] == [("class 7", 1.0), ("class 7", 1.0)]
    assert pins._logits.experimental_get_tracing_count() == 1
    model.get_layer("logits").set_weights([kernel, bias])


def test_what_is_told_can_be_read_by_the_page(tmp_path, model, dataset):
    save_pins(tmp_path, [("a.png", picture())])
    folder = RunFolder(tmp_path)
    Pins(tmp_path, dataset, model).tell(3, EventWriter(folder.metrics_file).write)
    pins, = RunLog(folder).view().pins
    assert pins["epoch"] == 3
    assert max(pins["tops"][0].values()) > 0.05


def test_the_network_sees_what_prediction_would_show_it(tmp_path, dataset):
    from cnn.runs.pins import _inputs

    save_pins(tmp_path, [("paper.png", picture(250, (16, 16)))])
    seen = _inputs(tmp_path, dataset)
    assert seen.shape == (1, 8, 8, 1)
    assert seen.max() == 5  # light ground: light and dark are exchanged for digits


@pytest.mark.parametrize("damaged", [False, True])
def test_without_readable_pictures_training_goes_on_and_nothing_is_told(
        tmp_path, model, dataset, damaged):
    if damaged:
        save_pins(tmp_path, [("a.png", picture())])
        (tmp_path / "pins" / "1.png").write_bytes(b"dust")
    told: list[PinsEvent] = []
    Pins(tmp_path, dataset, model).tell(1, told.append)
    assert told == []
