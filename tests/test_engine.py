"""The engine over its pipes: answers, errors in words, and restarts whatever happens to it."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_folders import make_card, make_evaluation, write_model
from PIL import Image

from cnn.data.images import RESIZE_WAYS, encode_png
from cnn.data.preview import Shown
from cnn.errors import BadInput, CnnError, Damaged, NotFound, Unavailable
from cnn.paths import PROJECT
from cnn.prediction import pulse, saved, wire
from cnn.prediction.client import EngineClient

WIRE = f"import sys, os, time; sys.path.insert(0, {str(PROJECT)!r})\n" \
       "from cnn.prediction.wire import receive, send\n" \
       "def serve(answer):\n" \
       "    while True:\n" \
       "        head, parts = receive(sys.stdin.buffer)\n" \
       "        reply = {} if head['op'] == 'ready' else answer(head, parts)\n" \
       "        send(sys.stdout.buffer, reply)\n"


def engine_that(code: str, *arguments: object, **limits: float) -> EngineClient:
    return EngineClient((sys.executable, "-c", WIRE + code, *map(str, arguments)), **limits)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "starts"


# The wire


@pytest.mark.parametrize("parts", [[], [b""], [b"a", b"", b"\x00" * 100_000]], ids=len)
def test_a_message_comes_back_as_it_was_sent(parts: list[bytes]) -> None:
    stream = io.BytesIO()
    wire.send(stream, {"op": "predict", "text": "grüße"}, parts)
    wire.send(stream, {"op": "next"})
    stream.seek(0)
    assert wire.receive(stream) == ({"op": "predict", "text": "grüße"}, parts)
    assert wire.receive(stream) == ({"op": "next"}, [])
    with pytest.raises(EOFError):
        wire.receive(stream)


def test_a_message_that_is_cut_off_anywhere_is_an_end() -> None:
    stream = io.BytesIO()
    wire.send(stream, {"op": "predict"}, [b"abc"])
    whole = stream.getvalue()
    for length in range(len(whole)):
        with pytest.raises(EOFError):
            wire.receive(io.BytesIO(whole[:length]))


@pytest.mark.parametrize("noise", [
    b"Traceback (most recent call last):\n  File x\n" * 9, b"\x00\x00\x00\x02\x00\x00\x00\x00{}",
    b"\x00\x00\x00\x02\x00\x00\x00\x00[]", b"\x00\x00\x00\x03\x00\x00\x00\x00abc",
    b"\x00\x00\x00\x0e\x00\x00\x00\x01" + b'{"parts":[-1]}',
    b"\x00\x00\x00\x0d\x00\x00\x00\x02" + b'{"parts":[0]}',
    b"\x00\x00\x00\x15\x00\x00\x00\x01" + b'{"parts":[999999999]}',
], ids=lambda noise: noise[:24].hex())
def test_nonsense_on_the_wire_is_an_end_not_a_crash(noise: bytes) -> None:
    with pytest.raises(EOFError):
        wire.receive(io.BytesIO(noise))


# The client, with engines that misbehave


def test_an_engine_that_dies_during_a_request_is_tried_once_more(log: Path) -> None:
    engine = engine_that("""
first = not os.path.exists(sys.argv[1]); open(sys.argv[1], "a").write("x")
serve(lambda head, parts: os._exit(1) if first else {"pid": os.getpid()})
""", log)
    assert engine.call({"op": "work"})[0]["pid"]
    assert log.read_text() == "xx"
    engine.close()


def test_an_engine_that_dies_on_every_try_is_said_in_words(log: Path) -> None:
    engine = engine_that('open(sys.argv[1], "a").write("x"); serve(lambda *_: os._exit(1))', log)
    with pytest.raises(Unavailable, match="twice"):
        engine.call({"op": "work"})
    assert log.read_text() == "xx"
    assert not engine.ready


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_an_engine_killed_between_requests_is_started_again() -> None:
    engine = engine_that("serve(lambda *_: {'pid': os.getpid()})")
    first = engine.call({"op": "work"})[0]["pid"]
    process = engine._child.process
    os.kill(first, signal.SIGKILL)
    process.wait()
    assert engine.call({"op": "work"})[0]["pid"] != first
    engine.close()


POISON = """
open(sys.argv[1], "a").write("x")
def answer(head, parts):
    if b"poison" in parts:
        os._exit(1)
    return {"results": [{"top": [], "inverted": False, "height": 1, "width": 2,
                         "novelty": None, "unlike": False}] * len(parts)}
serve(answer)
"""


def test_a_picture_that_kills_the_engine_takes_no_neighbour_with_it(log: Path) -> None:
    engine = engine_that(POISON, log)
    first, poison, last = engine.predict("any", [b"a", b"poison", b"b"])
    assert first.size == last.size == (1, 2)
    assert isinstance(poison.error, Unavailable)
    assert log.read_text() == "xxx"  # for the batch, for the two alone, and for the last
    with pytest.raises(Unavailable, match="twice"):
        engine.predict("any", [b"poison"])
    engine.close()


def test_a_silent_engine_is_ended_and_its_request_tried_once_more(log: Path) -> None:
    engine = engine_that("""
first = not os.path.exists(sys.argv[1]); open(sys.argv[1], "a").write("x")
serve(lambda *_: time.sleep(60) if first else {"pid": os.getpid()})
""", log, silent_seconds=0.3)
    assert engine.call({"op": "work"})[0]["pid"]
    assert log.read_text() == "xx"
    engine.close()


def test_an_engine_that_is_silent_twice_is_said_in_words() -> None:
    engine = engine_that("serve(lambda *_: time.sleep(60))", silent_seconds=0.2)
    begin = time.monotonic()
    with pytest.raises(Unavailable, match="hung twice"):
        engine.call({"op": "work"})
    assert time.monotonic() - begin < 10


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals")
def test_an_engine_that_was_stopped_is_replaced() -> None:
    engine = engine_that("serve(lambda *_: {'pid': os.getpid()})", silent_seconds=0.3)
    first = engine.call({"op": "work"})[0]["pid"]
    os.kill(first, signal.SIGSTOP)
    assert engine.call({"op": "work"})[0]["pid"] != first
    engine.close()


BEATING = """
import cnn.prediction.pulse as pulses
pulses.BEAT_SECONDS = 0.05
pulse = pulses.Pulse(sys.stdout.buffer, lambda: sys.argv[2])
open(sys.argv[1], "a").write("x")
def answer(head, parts):
    with pulse.beating():
        time.sleep(head["seconds"])
    return {"slept": head["seconds"]}
serve(answer)
"""


def test_a_slow_engine_that_beats_is_waited_for(log: Path) -> None:
    engine = engine_that(BEATING, log, pulse.WORKING, silent_seconds=0.8)
    assert engine.call({"op": "work", "seconds": 1.2})[0] == {"slept": 1.2}
    assert log.read_text() == "x"
    engine.close()


def test_an_engine_that_beats_and_never_finishes_is_ended_and_the_next_request_works(
    log: Path
) -> None:
    engine = engine_that(BEATING, log, pulse.WORKING, request_seconds=0.5)
    with pytest.raises(Unavailable, match="hung: no answer within"):
        engine.call({"op": "work", "seconds": 60})
    assert log.read_text() == "x"  # it would take as long a second time
    assert engine.call({"op": "work", "seconds": 0})[0] == {"slept": 0}
    engine.close()


def test_the_time_that_loading_takes_does_not_count(log: Path) -> None:
    engine = engine_that(BEATING, log, pulse.LOADING, request_seconds=0.5)
    assert engine.call({"op": "work", "seconds": 1.2})[0] == {"slept": 1.2}
    engine.close()


def test_once_an_engine_is_started_again_its_loading_counts(log: Path) -> None:
    engine = engine_that("if not os.path.exists(sys.argv[1]):\n"
                         "    open(sys.argv[1], 'w').close()\n"
                         "    serve(lambda *_: os._exit(1))\n" + BEATING,
                         log, pulse.LOADING, request_seconds=1.5)
    with pytest.raises(Unavailable, match="hung: no answer"):
        engine.call({"op": "work", "seconds": 60})
    engine.close()


def test_an_engine_that_is_slow_to_start_again_is_said_in_words_and_then_used(log: Path) -> None:
    engine = engine_that("""
first = not os.path.exists(sys.argv[1]); open(sys.argv[1], "a").write("x")
first or time.sleep(2)
serve(lambda *_: time.sleep(60) if first else {"pid": os.getpid()})
""", log, silent_seconds=0.2, request_seconds=0.6)
    with pytest.raises(Unavailable, match="starting again"):
        engine.call({"op": "work"})
    assert engine.call({"op": "work"})[0]["pid"]
    assert log.read_text() == "xx"
    engine.close()


def test_an_engine_that_stops_reading_cannot_block_a_large_request() -> None:
    engine = engine_that("receive(sys.stdin.buffer); send(sys.stdout.buffer, {}); time.sleep(60)",
                         silent_seconds=0.2)
    begin = time.monotonic()
    with pytest.raises(Unavailable, match="hung"):
        engine.call({"op": "work"}, [bytes(5_000_000)])
    assert time.monotonic() - begin < 10


def test_an_engine_that_never_starts_is_ended_after_its_time() -> None:
    engine = engine_that("time.sleep(60)", start_seconds=0.2)
    with pytest.raises(Unavailable, match="hung"):
        engine.call({"op": "work"})


def test_a_command_that_does_not_exist_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be started"):
        EngineClient((str(tmp_path / "nothing"),)).call({"op": "ready"})


def test_an_engine_that_talks_nonsense_counts_as_dead() -> None:
    engine = engine_that("print('Warning: ' * 50, flush=True); serve(lambda *_: {})")
    with pytest.raises(Unavailable):
        engine.call({"op": "work"})


def test_answers_go_to_the_thread_that_asked() -> None:
    engine = engine_that("serve(lambda head, parts: {'twice': 2 * head['number']})")
    found: dict[int, int] = {}

    def ask(number: int) -> None:
        for i in range(20):
            key = 100 * number + i
            found[key] = engine.call({"op": "work", "number": key})[0]["twice"]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.close()
    assert len(found) == 100 and all(twice == 2 * key for key, twice in found.items())


def test_an_error_of_the_engine_keeps_its_kind_and_words() -> None:
    engine = engine_that("""
serve(lambda *_: {"error": {"kind": "damaged", "message": "Broken.", "hint": "Mend it."}})
""")
    with pytest.raises(Damaged) as caught:
        engine.call({"op": "work"})
    assert (caught.value.message, caught.value.hint) == ("Broken.", "Mend it.")
    engine.close()


def test_a_failed_start_in_the_background_leaves_a_usable_client(log: Path) -> None:
    engine = engine_that("""
first = not os.path.exists(sys.argv[1]); open(sys.argv[1], "a").write("x")
serve(lambda *_: {}) if not first else sys.exit(1)
""", log)
    engine.start_in_background("no-such-model")
    assert engine.call({"op": "work"})[0] == {}
    assert engine.ready
    engine.close()


# The engine itself, without TensorFlow


def light_engine(code: str = "") -> EngineClient:
    return engine_that(f"import cnn.prediction.engine as e\n"
                       f"from cnn.prediction.handlers import HANDLERS\n"
                       f"HANDLERS['ready'] = lambda *_: ({{}}, [])\n"
                       f"e.start_tensorflow = lambda: None\n{code}\ne.main()")



def test_what_libraries_print_does_not_disturb_the_answers() -> None:
    engine = light_engine("""
def loud(*_):
    print("hello from a library", flush=True)
    os.write(1, b"and from C " * 99)
    return {"heard": True}, []
HANDLERS["work"] = loud
""")
    assert engine.call({"op": "work"})[0]["heard"]
    engine.close()


def test_an_unexpected_failure_is_said_in_words_and_does_not_end_the_engine() -> None:
    engine = light_engine("HANDLERS['work'] = lambda *_: 1 / 0")
    for _ in range(2):
        with pytest.raises(CnnError, match="engine failed: ZeroDivisionError"):
            engine.call({"op": "work"})
    engine.close()


def test_the_engine_beats_while_it_works_and_is_quiet_between() -> None:
    engine = light_engine("""
import cnn.prediction.pulse as pulses
pulses.BEAT_SECONDS = 0.05
HANDLERS["work"] = lambda *_: (time.sleep(1.2), ({"done": True}, []))[1]
""")
    engine._silent_seconds = 0.8
    assert engine.call({"op": "work"})[0]["done"]
    time.sleep(0.2)
    assert engine._child._replies.empty()
    engine.close()


def test_the_engine_ends_when_its_input_closes() -> None:
    engine = light_engine()
    engine.call({"op": "ready"})
    process = engine._child.process
    process.stdin.close()
    assert process.wait(timeout=20) == 0


# TensorFlow, started once for the rest of this file


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_MODELS_DIR", str(folder))
        save_darkness_model("dark")
        save_sides_model("sides")
        yield folder


def save_darkness_model(name: str) -> None:
    """Save a network that answers ant for dark, bee for grey and cat for light pictures."""
    import keras

    inputs = keras.Input((8, 6, 1))
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    dense = keras.layers.Dense(3, activation="softmax")
    model = keras.Model(inputs, dense(mean))
    dense.set_weights([np.array([[-40.0, 0, 40]]), np.array([13.2, 0, -26.8])])
    saved.save_model(model, make_card(name), [], make_evaluation())


def save_sides_model(name: str) -> None:
    """Save a network that answers ant for light on the left and cat for light on the right."""
    import keras

    inputs = keras.Input((8, 6, 1))
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    dense = keras.layers.Dense(3, activation="softmax", use_bias=False)
    model = keras.Model(inputs, dense(flat))
    left = np.tile([1.0, 1, 1, 0, 0, 0], 8) / 12
    dense.set_weights([np.stack([left, np.zeros(48), left[::-1]], axis=1)])
    card = make_card(name, config={"augmentation": {"flip": True}})
    saved.save_model(model, card, [], make_evaluation())


@pytest.fixture(scope="module")
def engine(models: Path) -> Iterator[EngineClient]:
    engine = EngineClient()
    yield engine
    engine.close()


def grey(value: int, height: int = 20, width: int = 30) -> bytes:
    return encode_png(np.full((height, width, 3), value, np.uint8))


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_each_picture_is_answered_and_bad_ones_keep_their_own_error(engine: EngineClient) -> None:
    huge = b"BM" + b"\x00" * (21 * 2**20)
    pictures = [grey(0), b"not a picture at all", grey(255), b"", grey(128)[:60], huge, grey(128)]
    found = engine.predict("dark", pictures)
    assert engine.ready
    assert [one.top[0][0] if one.top else None for one in found] == [
        "ant", None, "cat", None, None, None, "bee"]
    assert "text file" in found[1].error.message
    assert "empty" in found[3].error.message
    assert "damaged" in found[4].error.message
    assert "limit is 20 MB" in found[5].error.message
    assert all(isinstance(one.error, BadInput) for one in found if not one.top)


def test_turned_pictures_of_a_preview_are_moved_by_the_engine(engine: EngineClient) -> None:
    images = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3, 1)
    stay = [1, 0, 0, 0, 1, 0, 0, 0]
    upside_down = [-1, 0, 2, 0, -1, 3, 0, 0]
    transforms = np.array([stay, upside_down], np.float32)
    moved = engine.moved(Shown(images, transforms))
    np.testing.assert_array_equal(moved, [images[0], images[1, ::-1, ::-1]])
    assert engine.moved(Shown(images, None)) is images


def test_an_answer_has_all_classes_best_first_and_sums_to_one(engine: EngineClient) -> None:
    (found,) = engine.predict("dark", [grey(90)])
    probabilities = [p for _, p in found.top]
    assert sorted(name for name, _ in found.top) == ["ant", "bee", "cat"]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert found.size == (20, 30)


def test_pictures_show_the_upload_and_what_the_network_saw(engine: EngineClient) -> None:
    error, found = engine.predict("dark", [b"", grey(200, 600, 1200)], pictures=True)
    assert error.preview == error.seen == b""
    assert pixels_of(found.preview).shape == (256, 512, 3)
    assert pixels_of(found.seen).shape == (8, 6)


def test_thumbnails_are_small_and_come_without_the_larger_pictures(engine: EngineClient) -> None:
    error, found = engine.predict("dark", [b"", grey(200, 600, 1200)], thumbnails=True)
    assert error.thumbnail == found.preview == found.seen == b""
    assert found.thumbnail.startswith(b"\xff\xd8")
    assert pixels_of(found.thumbnail).shape[:2] == (32, 64)
    both, = engine.predict("dark", [grey(200, 600, 1200)], pictures=True, thumbnails=True)
    assert (both.top, both.thumbnail) == (found.top, found.thumbnail)
    assert pixels_of(both.preview).shape == (256, 512, 3)


@pytest.mark.parametrize("how, corner", [("crop", 255), ("stretch", 255), ("fit", 128), ("", 128)])
def test_a_picture_is_brought_to_size_as_asked_or_as_the_card_says(
    engine: EngineClient, how: str, corner: int
) -> None:
    (found,) = engine.predict("dark", [grey(255, 10, 40)], how, pictures=True)
    assert pixels_of(found.seen)[0, 0] == corner


def test_a_large_photo_tells_its_full_size_and_gets_the_same_answer(engine: EngineClient) -> None:
    pixels = np.full((1900, 2300, 3), 90, np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    photo, whole = engine.predict("dark", [file.getvalue(), encode_png(pixels)], pictures=True)
    assert photo.size == whole.size == (1900, 2300)
    assert pixels_of(photo.preview).shape == pixels_of(whole.preview).shape == (423, 512, 3)
    assert dict(photo.top) == pytest.approx(dict(whole.top), abs=0.02)


def test_views_are_averaged_only_when_asked(engine: EngineClient) -> None:
    picture = np.zeros((8, 6, 3), np.uint8)
    picture[:, :3] = 255
    once, *_ = engine.predict("sides", [encode_png(picture)])[0].top
    assert once[0] == "ant" and once[1] > 0.75
    found = engine.predict("sides", [encode_png(picture), b""], average=True, pictures=True)
    shares = dict(found[0].top)
    assert shares["ant"] == pytest.approx(shares["cat"], abs=1e-5)
    assert shares["ant"] > shares["bee"]
    assert np.array_equal(pixels_of(found[0].seen), picture[:, :, 0])
    assert isinstance(found[1].error, BadInput)


@pytest.mark.parametrize("average", [False, True])
def test_all_ways_at_once_answer_as_each_alone(engine: EngineClient, average: bool) -> None:
    picture = np.zeros((40, 120, 3), np.uint8)
    picture[:, :60] = 255
    found = engine.ways("sides", encode_png(picture), average)
    assert list(found) == list(RESIZE_WAYS)
    for how, one in found.items():
        (alone,) = engine.predict("sides", [encode_png(picture)], how, True, average)
        assert dict(one.top) == pytest.approx(dict(alone.top), abs=1e-5)
        assert (one.size, one.preview, one.seen) == (alone.size, alone.preview, alone.seen)
    bad = engine.ways("sides", b"").values()
    assert [type(one.error) for one in bad] == [BadInput] * 3


def test_a_part_is_cut_out_with_enough_detail(engine: EngineClient) -> None:
    picture = np.zeros((3000, 4000, 3), np.uint8)
    picture[:1500, 2000:] = 255, 0, 0
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG")
    part = pixels_of(engine.cut(file.getvalue(), (0.5, 0, 1, 0.5)))
    assert part.shape == (768, 1024, 3)
    assert np.abs(part.astype(int) - [254, 0, 0]).mean() < 2
    assert pixels_of(engine.cut(grey(9), (0.999, 0.999, 1, 1))).shape == (1, 1, 3)


@pytest.mark.parametrize("part", [(0.5, 0, 0.5, 1), (-0.1, 0, 1, 1), (0, 0, 1, float("nan"))])
def test_a_part_outside_the_picture_is_refused(
    engine: EngineClient, part: tuple[float, float, float, float]
) -> None:
    with pytest.raises(BadInput, match="from 0 to 1"):
        engine.cut(grey(9), part)


def test_an_unknown_way_and_an_unknown_model_are_said_in_words(engine: EngineClient) -> None:
    with pytest.raises(BadInput, match="Received: 'squeeze'"):
        engine.predict("dark", [grey(0)], "squeeze")
    with pytest.raises(NotFound, match="no saved model 'nobody'"):
        engine.predict("nobody", [grey(0)])
    with pytest.raises(BadInput):
        engine.predict("../dark", [grey(0)])


def test_a_damaged_network_is_said_in_words_and_the_engine_lives_on(
    engine: EngineClient, models: Path
) -> None:
    file = write_model("torn") / saved.MODEL_FILE
    for content in (b"", b"nonsense", (models / "dark" / saved.MODEL_FILE).read_bytes()[:900]):
        file.write_bytes(content)
        with pytest.raises(Damaged, match="torn"):
            engine.predict("torn", [grey(0)])
    assert engine.predict("dark", [grey(0)])[0].top[0][0] == "ant"


def test_a_card_of_another_network_is_damaged(engine: EngineClient, models: Path) -> None:
    folder = write_model("mixed", input_shape=[8, 8, 3])
    (folder / saved.MODEL_FILE).write_bytes((models / "dark" / saved.MODEL_FILE).read_bytes())
    with pytest.raises(Damaged, match="do not belong together"):
        engine.predict("mixed", [grey(0)])


def test_a_model_that_was_replaced_is_loaded_again(engine: EngineClient, models: Path) -> None:
    save_darkness_model("swap")
    assert engine.predict("swap", [grey(0)])[0].top[0][0] == "ant"
    card = replace(make_card("swap"), class_names=["x", "y", "z"])
    path = models / "swap" / saved.CARD_FILE
    path.write_text(json.dumps(vars(card)))
    os.utime(models / "swap" / saved.MODEL_FILE, ns=(1, 1))
    assert engine.predict("swap", [grey(0)])[0].top[0][0] == "x"


def test_figures_come_as_png_and_unknown_ones_are_refused(engine: EngineClient) -> None:
    assert pixels_of(engine.figure("dark", "confusion")).shape[2] >= 3
    with pytest.raises(BadInput, match="figure must be one of"):
        engine.figure("dark", "pie")


def test_an_unknown_operation_does_not_end_the_engine(engine: EngineClient) -> None:
    with pytest.raises(CnnError, match="engine failed"):
        engine.call({"op": "dance"})
    assert engine.predict("dark", [grey(255)])[0].top[0][0] == "cat"


def test_the_graph_of_an_architecture_comes_as_graphviz_text(engine: EngineClient) -> None:
    assert engine.graph("tf-nn", (16, 16, 3), 3).startswith("digraph")
    with pytest.raises(CnnError):
        engine.graph("no-such-network", (16, 16, 3), 3)
