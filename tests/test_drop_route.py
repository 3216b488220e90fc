"""Dropped files on their way to the disk: who may send them, and all that can go wrong."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from cnn.api_guard import LARGEST_BODY, TOKEN, PageGuard
from cnn.api_problems import KINDS
from cnn.data import staging, store
from cnn.data.drops import Bounds, Tray
from pages.shared import drop_route
from pages.shared.drop_route import MOST_LISTED, VISIT

BOUNDS = Bounds(("png",), files=100, each=2**20, total=8 * 2**20)
HERE = "http://localhost:8501"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv(TOKEN, raising=False)
    return tmp_path / "data" / store.STORE


@pytest.fixture
def tray() -> Tray:
    return Tray(BOUNDS)


class Browser:
    """What the script in the page does."""

    def __init__(self, tray: Tray, address: str = "127.0.0.1", host: str = HERE,
                 client: str = "127.0.0.1") -> None:
        guarded = PageGuard(drop_route.app, address)
        app = Starlette(routes=[Mount("/drops", app=guarded)])
        self.http = TestClient(app, base_url=host, client=(client, 5000),
                               headers={VISIT: tray.secret, "origin": host},
                               raise_server_exceptions=False)

    def announce(self, *files: tuple[str, int], **headers: str) -> Any:
        return self.http.post("/drops/", content=json.dumps(files), headers=headers)

    def send(self, drop: str, numbers: str, data: bytes, **headers: str) -> Any:
        return self.http.post(f"/drops/{drop}", params={"files": numbers}, content=data,
                              headers=headers)


@pytest.fixture
def browser(tray: Tray) -> Browser:
    return Browser(tray)


def refused(answer: Any, kind: str) -> str:
    """The answer is a failure of this kind, in words; return them."""
    assert answer.status_code == KINDS[kind].status, answer.text
    problem = answer.json()
    assert problem["type"] == f"/api/docs#{kind}"
    assert problem["hint"]
    assert answer.headers["connection"] == "close"
    return str(problem["detail"])


def on_disk(place: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in place.rglob("*") if path.is_file())


def test_files_are_announced_sent_in_parts_and_taken(browser: Browser, tray: Tray) -> None:
    found = browser.announce(("b/2.png", 4), ("notes.txt", 9), ("b/1.png", 2)).json()
    assert found["take"] == [2, 0]
    assert found["left_out"][0].startswith("1 because of the name, which must end in")
    assert browser.send(found["id"], "0", b"four").status_code == 204
    assert browser.send(found["id"], "2", b"tw").status_code == 204
    tray.take(found["id"])
    assert tray.drop is not None
    assert [(file.name, file.path.read_bytes()) for file in tray.drop.files()] == [
        ("b/1.png", b"tw"), ("b/2.png", b"four")]


def test_what_is_cancelled_is_deleted_and_takes_no_more(
    browser: Browser, tray: Tray, place: Path
) -> None:
    drop = browser.announce(("1.png", 2), ("2.png", 2)).json()["id"]
    browser.send(drop, "0", b"11")
    assert on_disk(place) == [b"11"]
    assert browser.http.delete(f"/drops/{drop}").status_code == 204
    assert on_disk(place) == []
    assert "cancelled" in refused(browser.send(drop, "1", b"22"), "not-found")
    refused(browser.http.delete(f"/drops/{drop}"), "not-found")


def test_requests_at_the_same_time_do_not_mix(browser: Browser, tray: Tray) -> None:
    files = [(f"{number:03}.png", 5000) for number in range(60)]
    drop = browser.announce(*files).json()["id"]

    def send(first: int) -> int:
        numbers = range(first, first + 10)
        data = b"".join(bytes([number]) * 5000 for number in numbers)
        return int(browser.send(drop, ",".join(map(str, numbers)), data).status_code)

    with ThreadPoolExecutor(8) as threads:  # each part twice
        assert set(threads.map(send, [*range(0, 60, 10), *range(0, 60, 10)])) == {204}
    tray.take(drop)
    assert tray.drop is not None
    found = tray.drop.files()
    assert [file.path.read_bytes() for file in found] == [bytes([n]) * 5000 for n in range(60)]
    assert len(list(found[0].path.parent.iterdir())) == 60


# Who may


@pytest.mark.parametrize("secret", ["", "wrong", "x" * 43])
def test_without_the_secret_of_a_visit_nothing_is_taken(
    browser: Browser, place: Path, secret: str
) -> None:
    drop = browser.announce(("1.png", 2)).json()["id"]
    assert "visit" in refused(browser.announce(("1.png", 2), **{VISIT: secret}), "refused")
    refused(browser.send(drop, "0", b"11", **{VISIT: secret}), "refused")
    assert on_disk(place) == []


def test_a_visit_reaches_no_other_visits_files(browser: Browser, tray: Tray, place: Path) -> None:
    drop = browser.announce(("1.png", 2)).json()["id"]
    other = Tray(BOUNDS)
    refused(browser.send(drop, "0", b"11", **{VISIT: other.secret}), "not-found")
    refused(browser.http.delete(f"/drops/{drop}", headers={VISIT: other.secret}), "not-found")
    assert on_disk(place) == []


@pytest.mark.parametrize("headers", [
    {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": "http://localhost:1"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
    {"host": "evil.example", "origin": "http://evil.example"}], ids=str)
def test_a_page_of_another_site_is_refused_even_with_the_secret(
    browser: Browser, place: Path, headers: dict[str, str]
) -> None:
    drop = browser.announce(("1.png", 2)).json()["id"]
    refused(browser.announce(("1.png", 2), **headers), "refused")
    refused(browser.send(drop, "0", b"11", **headers), "refused")
    assert on_disk(place) == []


def test_visitors_of_a_server_on_a_network_need_no_token(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "secret")
    browser = Browser(tray, "0.0.0.0", "http://lab.example:8501", "10.0.0.7")
    assert browser.announce(("1.png", 2)).status_code == 200


# What is wrong with it


@pytest.mark.parametrize("body", [
    b"", b"no json", b"{}x", b"[1]", b'[["a.png"]]', b'[["a.png", "1"]]', b'[["a.png", -1]]',
    b'[["a.png", 1.5]]', b'[["a.png", true]]', b'[[1, 1]]', b"[" * 100_000, b"\xff\xfe",
    json.dumps([["a.png", 1]] * (MOST_LISTED + 1)).encode()],
    ids=lambda body: repr(body[:20]))
def test_what_is_no_list_of_files_is_refused(browser: Browser, body: bytes) -> None:
    assert "no list" in refused(browser.http.post("/drops/", content=body), "bad-input")


def test_a_list_is_not_read_beyond_its_limit(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop_route, "LONGEST_LIST", 100)
    names = [[f"{number}.png", 1] for number in range(50)]
    refused(browser.http.post("/drops/", content=json.dumps(names)), "bad-input")


@pytest.mark.parametrize(("numbers", "data", "words"), [
    ("", b"11", "must be numbers"), ("x", b"11", "must be numbers"), ("0;1", b"11", "numbers"),
    ("9" * 5000, b"11", "numbers"), ("7", b"11", "not wanted"), ("-1", b"11", "not wanted"),
    ("0", b"1", "ended before"), ("0,1", b"11", "ended before")])
def test_a_wrong_part_is_refused_and_leaves_no_half_a_file(
    browser: Browser, place: Path, numbers: str, data: bytes, words: str
) -> None:
    drop = browser.announce(("1.png", 2), ("2.png", 2)).json()["id"]
    assert words in refused(browser.send(drop, numbers, data), "bad-input")
    assert set(on_disk(place)) <= {b"11"}


def test_a_body_too_large_is_not_begun(browser: Browser) -> None:
    drop = browser.announce(("1.png", 2)).json()["id"]
    answer = browser.send(drop, "0", b"11", **{"content-length": str(LARGEST_BODY + 1)})
    refused(answer, "too-large")


@pytest.mark.parametrize("path", ["", "x", "../x", "%2e%2e/x", "x/y"])
def test_other_addresses_hold_nothing(browser: Browser, place: Path, path: str) -> None:
    assert browser.http.get(f"/drops/{path}").status_code in (404, 405)
    assert browser.http.post(f"/drops/{path}x?files=0", content=b"1").status_code in (404, 405)
    assert on_disk(place) == []


# Lines that are slow or break


def ask(tray: Tray, drop: str, messages: Any) -> list[Any]:
    """Send a request by hand; return what the server answers."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/{drop}", "root_path": "",
             "query_string": b"files=0,1,2", "headers": [(b"x-visit", tray.secret.encode())]}
    asyncio.run(drop_route.app(scope, messages, send))
    return sent


def announced(browser: Browser, size: int) -> str:
    files = [(f"{number}.png", size) for number in range(3)]
    return str(browser.announce(*files).json()["id"])


def test_bytes_go_to_the_disk_as_they_come(browser: Browser, tray: Tray, place: Path) -> None:
    size = 2**19
    drop = announced(browser, size)
    waiting: list[int] = []
    received = 0

    async def receive() -> Any:
        nonlocal received
        waiting.append(received - sum(map(len, on_disk(place))))
        received += 2**17
        return {"type": "http.request", "body": bytes(2**17), "more_body": received < 3 * size}

    assert ask(tray, drop, receive)[0]["status"] == 204
    assert len(waiting) == 12
    assert max(waiting) <= 2**17
    assert list(map(len, on_disk(place))) == [size] * 3


def test_a_disk_that_fills_is_said_in_words_after_all_was_read(
    browser: Browser, tray: Tray, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = announced(browser, 1000)
    messages = [{"type": "http.request", "body": bytes(500), "more_body": left > 0}
                for left in range(5, -1, -1)]

    async def receive() -> Any:
        return messages.pop(0)

    def full(source: Any, target: Any) -> None:
        target.write(source.read(100))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging.shutil, "copyfileobj", full)
    start, body = ask(tray, drop, receive)
    assert start["status"] == 503
    assert "disk is full" in json.loads(body["body"])["detail"]
    assert messages == []  # a browser that still sends would not see the answer
    assert on_disk(place) == []


def test_a_browser_that_leaves_keeps_no_half_a_file(
    browser: Browser, tray: Tray, place: Path
) -> None:
    drop = announced(browser, 4)
    messages = [{"type": "http.request", "body": b"111122", "more_body": True},
                {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    ask(tray, drop, receive)
    assert on_disk(place) == [b"1111"]


def test_a_browser_that_stops_sending_holds_nothing_for_long(
    browser: Browser, tray: Tray, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop_route, "STALLED", 0.05)
    drop = announced(browser, 4)
    messages = [{"type": "http.request", "body": b"111122", "more_body": True}]

    async def receive() -> Any:
        if not messages:
            await asyncio.sleep(60)
        return messages.pop(0)

    start, body = ask(tray, drop, receive)
    assert start["status"] == 400
    assert "stopped sending" in json.loads(body["body"])["detail"]
    assert on_disk(place) == [b"1111"]
