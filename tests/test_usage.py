"""Memory and processor of a run, read from outside: of that very process or not at all."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from cnn.runs import usage
from cnn.runs.folder import Status
from cnn.runs.usage import read_usage

SPIN = "import time\nprint('up', flush=True)\nwhile True: pass"


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(usage, "_watch", usage._Watch())


@pytest.fixture
def child():
    processes = []

    def start(code):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "up\n"
        return Status(pid=process.pid, process_created=psutil.Process(process.pid).create_time())

    start.processes = processes
    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_process_that_works_is_told_from_one_that_sleeps(child, monkeypatch):
    monkeypatch.setattr(usage, "SECONDS_BETWEEN_SAMPLES", 0.0)
    busy, asleep = child(SPIN), child("import time\nprint('up', flush=True)\ntime.sleep(60)")
    for status in (busy, asleep):
        assert 2 * 2**20 < read_usage(status).memory < 200 * 2**20
    time.sleep(0.5)
    assert read_usage(busy).cores > 0.1
    assert read_usage(asleep).cores < 0.05


def test_the_first_look_already_has_a_figure():
    me = psutil.Process()
    found = read_usage(Status(pid=me.pid, process_created=me.create_time()))
    assert 0 < found.cores < (os.cpu_count() or 1) + 1


def test_viewers_who_look_at_the_same_time_see_the_same(monkeypatch):
    me = psutil.Process()
    status = Status(pid=me.pid, process_created=me.create_time())
    assert read_usage(status) is read_usage(status)


def test_a_number_that_was_given_to_another_process_is_never_read():
    me = psutil.Process()
    assert read_usage(Status(pid=me.pid, process_created=me.create_time() - 10)) is None


@pytest.mark.parametrize("pid", [0, -1, 2**31 - 1, 2**70])
def test_a_number_without_a_process_has_no_figures(pid):
    assert read_usage(Status(pid=pid, process_created=time.time())) is None


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="zombies")
def test_a_process_that_ended_has_no_figures_even_as_a_zombie(child, monkeypatch):
    monkeypatch.setattr(usage, "SECONDS_BETWEEN_SAMPLES", 0.0)
    status = child(SPIN)
    assert read_usage(status)
    process, = child.processes
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet taken away
    assert read_usage(status) is None
    process.wait()
    assert read_usage(status) is None


def test_no_more_is_kept_than_is_looked_at(monkeypatch):
    me, watch = psutil.Process(), usage._Watch()
    for number in range(100):
        watch.look(me.pid, me.create_time() + number / 1000)
    assert len(watch._samples) <= usage._MOST_KEPT
