"""Work in the background: answers of a process, its ways to fail, and once at a time."""

import sys
import threading

import pytest

from cnn.data.progress import Cancelled
from cnn.errors import BadInput, Unavailable
from cnn.short_work import Background, answer_of


def asked(script, seconds=20.0):
    return answer_of([sys.executable, "-c", script], seconds, "The sum", "Add by hand.")


def test_the_last_line_is_the_answer():
    assert asked("print('noise'); print('{\"sum\": 3}')") == {"sum": 3}


@pytest.mark.parametrize(("script", "words"), [
    ("import sys; sys.stderr.write('no memory left'); sys.exit(3)", "failed: no memory left"),
    ("print('hello')", "The sum failed"),
    ("pass", "said nothing"),
])
def test_a_process_without_an_answer_says_why(script, words):
    with pytest.raises(Unavailable, match=words) as caught:
        asked(script)
    assert caught.value.hint == "Add by hand."


def test_a_process_that_hangs_is_ended():
    with pytest.raises(Unavailable, match=r"longer than 0\.5 seconds"):
        asked("import time; time.sleep(60)", 0.5)


def test_a_program_that_is_not_there_is_unavailable():
    with pytest.raises(Unavailable, match="cannot be started"):
        answer_of(["/no/such/program"], 5, "The sum", "")


def test_an_error_in_the_answer_is_raised_as_it_was():
    with pytest.raises(BadInput, match=r"Too large\.") as caught:
        asked("print('{\"error\": {\"kind\": \"bad-input\", \"message\": \"Too large.\", "
              "\"hint\": \"Smaller.\"}}')")
    assert caught.value.hint == "Smaller."


def wait_for(background, subject):
    while background.running(subject):
        threading.Event().wait(0.01)


def test_nobody_waits_and_a_subject_is_worked_on_once_at_a_time():
    go, calls = threading.Event(), []

    def work(*subject):
        calls.append(subject)
        go.wait(5)
        raise Unavailable("No.", "Later.")

    background, subject = Background(work, "sum"), (1, 2)
    for _ in range(3):
        background.start(subject)
    assert background.running(subject)
    assert not background.running((1, 3))
    assert background.failure(subject) is None
    go.set()
    wait_for(background, subject)
    assert calls == [subject]
    assert background.failure(subject).message == "No."


def test_a_new_attempt_forgets_the_old_failure_and_a_fault_is_told_too():
    results = iter([ValueError("odd"), None])

    def work(subject):
        result = next(results)
        if result:
            raise result

    background = Background(work, "sum")
    background.start(("a",))
    wait_for(background, ("a",))
    assert "The sum failed" in background.failure(("a",)).message
    background.start(("a",))
    wait_for(background, ("a",))
    assert background.failure(("a",)) is None


def test_steps_are_told_as_they_come_and_whoever_is_told_can_end_the_work():
    told = []

    def progress(*step):
        told.append(step)
        if step[0] == "Checking":
            raise Cancelled

    script = ("import json, time; print(json.dumps({'step': 'Writing', 'done': 1, 'total': 2}), "
              "flush=True); print('[1]\\n{\"step\": 3}', flush=True); time.sleep(0.2); "
              "print(json.dumps({'step': 'Checking', 'done': 2, 'total': 2}), flush=True); "
              "time.sleep(60)")
    with pytest.raises(Cancelled):
        answer_of([sys.executable, "-c", script], 30, "The sum", "", progress)
    assert list(dict.fromkeys(told)) == [("Starting", 0, 0), ("Writing", 1, 2), ("Checking", 2, 2)]
