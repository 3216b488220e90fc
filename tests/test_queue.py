"""Whose turn it is, with real locks."""

import json

import pytest

from cnn.errors import BadInput, NotFound
from cnn.paths import runs_dir
from cnn.runs import queue
from cnn.runs.folder import RunFolder

pytestmark = pytest.mark.usefixtures("empty_folders")


@pytest.fixture
def waiter():
    """Makes run folders whose trainers live and wait."""
    locks = []

    def make(run_id, alive=True):
        path = runs_dir() / run_id
        path.mkdir(parents=True)
        if alive:
            lock = RunFolder(path).lock()
            lock.acquire()
            locks.append(lock)
        queue.enter(run_id)
        return run_id

    yield make
    for lock in locks:
        lock.release()


def test_runs_get_the_slot_in_the_order_in_which_they_came(waiter):
    first, second, third = map(waiter, ("c", "b", "a"))
    assert queue.waiting() == [first, second, third]
    assert queue.take_slot(second) is None
    slot = queue.take_slot(first)
    assert slot
    assert queue.waiting() == [second, third]
    assert queue.take_slot(second) is None  # it is first, but the slot is taken
    slot.release()
    assert queue.take_slot(third) is None
    assert queue.take_slot(second)


def test_a_waiting_run_whose_trainer_died_holds_nobody_up_and_keeps_its_place(waiter):
    dead, living = waiter("a", alive=False), waiter("b")
    assert queue.take_slot(living)
    assert queue.waiting() == [dead]


def test_a_waiting_run_with_a_damaged_lock_holds_nobody_up(waiter):
    damaged, living = waiter("a", alive=False), waiter("b")
    (runs_dir() / damaged / "lock").mkdir()
    assert queue.take_slot(living)


def test_entering_twice_keeps_the_place(waiter):
    waiter("a"), waiter("b")
    queue.enter("a")
    assert queue.waiting() == ["a", "b"]


@pytest.mark.parametrize(("run_id", "steps", "order"), [
    ("c", -1, "acbd"), ("c", -9, "cabd"), ("a", 1, "bacd"), ("b", 9, "acdb"), ("b", 0, "abcd")])
def test_the_order_can_be_changed(waiter, run_id, steps, order):
    for name in "abcd":
        waiter(name)
    queue.move(run_id, steps)
    assert queue.waiting() == list(order)


def test_a_run_that_does_not_wait_cannot_be_moved(waiter):
    waiter("a")
    with pytest.raises(NotFound, match="These do: a"):
        queue.move("b", 1)


def test_two_slots_let_two_train(waiter):
    for name in "abc":
        waiter(name)
    queue.set_slots(2)
    slots = [queue.take_slot(name) for name in "abc"]
    assert [bool(slot) for slot in slots] == [True, True, False]


@pytest.mark.parametrize("number", [0, -1, 17])
def test_a_senseless_number_of_slots_is_refused(number):
    with pytest.raises(BadInput, match="1 to 16"):
        queue.set_slots(number)
    assert queue.slots() == 1


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"slots": 0}', '{"slots": "two"}'])
def test_settings_edited_into_nonsense_mean_one_slot(waiter, content):
    waiter("a")
    (runs_dir() / ".queue" / "settings.json").write_text(content)
    assert queue.slots() == 1
    assert queue.take_slot("a")


@pytest.mark.parametrize("content", ["{", "{}", '{"place": "first"}', '{"place": null}'])
def test_a_place_edited_into_nonsense_is_the_last(waiter, content):
    waiter("a"), waiter("b")
    (runs_dir() / ".queue" / "a.json").write_text(content)
    assert queue.waiting() == ["b", "a"]
    queue.move("a", -1)
    assert queue.waiting() == ["a", "b"]


def test_a_deleted_run_waits_no_more(waiter):
    waiter("a", alive=False)
    (runs_dir() / "a").rmdir()
    assert queue.waiting() == []


def test_the_queue_is_no_run(waiter):
    from cnn.runs.manager import list_runs

    waiter("a")
    queue.set_slots(2)
    assert [run.run_id for run in list_runs()] == ["a"]
    assert json.loads((runs_dir() / ".queue" / "settings.json").read_text()) == {"slots": 2}
