"""Processes that are given little: they are ended, and what they may not do is refused in words."""

import sys
import time

import pytest

from cnn.confined import Limits, run_confined
from cnn.errors import BadInput, CnnError, Refused

LIMITS = Limits(seconds=5, wall=60, memory=2**30)

SCRIPT = """
from cnn.confined import serve

def prepare():
    import socket, subprocess, tempfile

def work(request, folder):
{body}

serve(work, prepare)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the body of a function in a process of its own."""
    def it(body, limits=LIMITS, request=None):
        code = tmp_path / "code"
        code.mkdir(exist_ok=True)
        indented = "\n".join("    " + line for line in body.splitlines())
        (code / "guest.py").write_text(SCRIPT.format(body=indented))
        monkeypatch.setenv("PYTHONPATH", str(code))
        folder = tmp_path / "folder"
        folder.mkdir(exist_ok=True)
        return run_confined("guest", request or {}, folder, limits, "The sum", "Try another.")

    return it


def test_the_answer_comes_back_and_the_folder_can_be_written(run, tmp_path):
    body = ("(folder / 'a').write_text('x')\n"
            "import tempfile, os\n"
            "with tempfile.TemporaryDirectory() as inner: open(inner + '/b', 'w').close()\n"
            "return {'sum': request['a'] + 1, 'home': os.environ['HOME']}")
    assert run(body, request={"a": 2}) == {"sum": 3, "home": str(tmp_path / "folder")}


def test_an_error_in_words_keeps_its_kind(run):
    with pytest.raises(Refused, match=r"Never\.") as caught:
        run("from cnn.errors import Refused\nraise Refused('Never.', 'Do not.')")
    assert caught.value.hint == "Do not."


@pytest.mark.parametrize(("body", "limits", "words"), [
    ("while True: pass", Limits(0.6, 60, 2**30), r"no end in 0\.6 seconds of the processor"),
    ("import time; time.sleep(60)", Limits(5, 1, 2**30), "or in 1 in all"),
])
def test_what_comes_to_no_end_is_ended(run, body, limits, words):
    begin = time.monotonic()
    with pytest.raises(BadInput, match=words) as caught:
        run(body, limits)
    assert time.monotonic() - begin < 30
    assert caught.value.hint == "Try another."


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the parent looks at the memory")
def test_memory_is_limited_by_the_system(run):
    with pytest.raises(BadInput, match=r"more than 1\.0 GB of memory"):
        run("return {'all': len(bytearray(2 * 2**30))}")


def test_memory_is_watched_where_the_system_does_not_limit_it(run, monkeypatch):
    monkeypatch.setattr("cnn.confined._used", lambda number: (0.0, 2**31))
    with pytest.raises(BadInput, match=r"took more than 1\.0 GB of memory and was ended"):
        run("import time; time.sleep(60)")


@pytest.mark.parametrize("body", [
    "import socket; socket.create_connection(('127.0.0.1', 9))",
    "import socket; socket.getaddrinfo('localhost', 80)",
    "import subprocess; subprocess.run(['true'])",
    "import os; os.system('true')",
    "open(folder.parent / 'out', 'w')",
    "import os; os.open(folder.parent / 'out', os.O_CREAT | os.O_WRONLY)",
    "(folder.parent / 'code').rename(folder / 'code')",
    "(folder.parent / 'code' / 'guest.py').unlink()",
])
def test_doors_are_closed(run, body, tmp_path):
    with pytest.raises(CnnError, match="tried to"):
        run(body)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "code" / "guest.py").exists()


def test_a_process_that_dies_or_fails_says_so(run):
    assert run("return {'of': 'another'}") == {"of": "another"}  # left in the same folder
    for status in (0, 3):
        with pytest.raises(BadInput, match=rf"exit status {status}"):
            run(f"import os; os._exit({status})")
    with pytest.raises(BadInput, match="ZeroDivisionError"):
        run("1 / 0")


def test_secrets_of_the_environment_stay_outside(run, monkeypatch):
    monkeypatch.setenv("CNN_API_TOKEN", "secret")
    assert run("import os; return {'token': os.environ.get('CNN_API_TOKEN')}") == {"token": None}
