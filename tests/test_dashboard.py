"""dashboard.py as the server sees it: one application, safe headers, no heavy imports."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from run_folders import write_run

from cnn.paths import runs_dir
from cnn.runs.trash import delete_run, deleted_runs
from pages.shared import server
from pages.shared.server import SecurityHeaders, lifespan

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"tensorflow", "keras", "sklearn", "scipy", "matplotlib", "seaborn"}

# Imports the application as the server does, then runs every page as visits do.
VISIT_EVERYTHING = """
import sys
import dashboard
assert dashboard.app is not None
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from pages.shared.layout import page_list
original = PagesManager.__init__
def without_legacy_pages(self, *args, **kwargs):
    original(self, *args, **kwargs)
    PagesManager.uses_pages_directory = False
PagesManager.__init__ = without_legacy_pages
at = AppTest.from_file("dashboard.py", default_timeout=60).run()
for name in ("home", "data", "train", "lab", "runs", "evaluate", "compare", "inside", "predict"):
    at.switch_page(f"pages/{name}.py")
    at.run()
    assert not at.exception, (name, at.exception)
    assert len(at.title) == 1, name
from pages.shared import server
server.shared_engine = lambda: type("Engine", (), {"start_in_background": print})()
server._warm()
print(" ".join(sorted({module.partition(".")[0] for module in sys.modules})))
"""


def test_no_page_brings_a_heavy_library_into_the_server(folders):
    done = subprocess.run([sys.executable, "-c", VISIT_EVERYTHING], cwd=ROOT, text=True,
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    modules = set(done.stdout.splitlines()[-1].split())
    assert "streamlit" in modules
    assert not modules & HEAVY


def answer(headers, kind="http"):
    """Return what a client receives from an application that answers with these headers."""
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"text"})

    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(SecurityHeaders(application)({"type": kind}, None, send))
    return sent


def test_every_answer_has_the_headers_that_keep_other_sites_out():
    start, body = answer([(b"content-type", b"text/html")])
    assert dict(start["headers"]) == {
        b"content-type": b"text/html", b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"SAMEORIGIN", b"referrer-policy": b"same-origin"}
    assert body["body"] == b"text"


def test_headers_that_an_answer_has_are_left_alone():
    start, _ = answer([(b"X-Frame-Options", b"DENY")])
    names = [name.lower() for name, _ in start["headers"]]
    assert names.count(b"x-frame-options") == 1


def test_websockets_pass_untouched():
    start, _ = answer([], kind="websocket")
    assert start["headers"] == []


class FakeEngine:
    def __init__(self):
        self.calls = []
        self.started = threading.Event()

    def start_in_background(self, model):
        self.calls.append(("start", model))
        self.started.set()

    def close(self):
        self.calls.append(("close",))


@pytest.fixture
def engine(monkeypatch, folders):
    engine = FakeEngine()
    monkeypatch.setattr(server, "shared_engine", lambda: engine)
    return engine


def test_the_engine_lives_as_long_as_the_server(engine):
    async def live():
        async with lifespan(None):
            assert engine.started.wait(20)
            assert engine.calls == [("start", "")]

    asyncio.run(live())
    assert engine.calls[-1] == ("close",)


def test_the_start_clears_runs_that_were_deleted_long_ago(engine):
    write_run("20260102-030405-old", state="finished")
    delete_run("20260102-030405-old")
    os.utime(runs_dir() / ".trash" / "20260102-030405-old", (0, 0))

    async def live():
        async with lifespan(None):
            assert engine.started.wait(20)

    asyncio.run(live())
    assert deleted_runs().entries() == []


def test_the_api_stands_behind_its_guard(folders):
    import dashboard

    sent = []

    async def send(message):
        sent.append(message)

    async def ask(host):
        here = ("127.0.0.1", 8501)
        await dashboard.api({
            "type": "http", "method": "GET", "path": "/api/nothing", "root_path": "/api",
            "query_string": b"", "headers": [(b"host", host)], "server": here, "client": here,
        }, None, send)

    asyncio.run(ask(b"evil.example"))
    asyncio.run(ask(b"localhost:8501"))
    assert [message["status"] for message in sent if "status" in message] == [403, 404]


def test_a_page_opened_by_its_address_is_told_where_its_server_is(folders):
    import dashboard

    (route,) = [one for one in dashboard.opening if one.path == "/evaluate"]
    answer = route.endpoint(None)
    text = answer.body.decode()
    assert 'BACKEND_BASE_URL: new URL(".", location.href)' in text
    # Before Streamlit's own script, without which the page would stay empty.
    assert 0 < text.index("BACKEND_BASE_URL") < text.index('<script type="module"')
    assert answer.headers["cache-control"] == "no-cache"
    assert {"/data", "/train", "/predict"} <= {one.path for one in dashboard.opening}
