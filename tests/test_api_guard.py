"""Who gets past the guard of the API, by where they come from and what their headers say."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from cnn.api_guard import LARGEST_BODY, RATE, TOKEN, USUAL_RATE, Guard, is_loopback
from cnn.api_guard import rate_from_environment as rate
from cnn.api_problems import KINDS

HERE = ("127.0.0.1", 8501)
SECRET = "correct-horse"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def never_read() -> Any:
    raise AssertionError("the guard reads no bodies")


def ask(
    guard: Guard, headers: dict[str, str] | None = None, method: str = "GET", path: str = "/models",
    server: Any = HERE, client: Any = ("127.0.0.1", 5555),
) -> tuple[int, dict[str, str], Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": "localhost:8501", **(headers or {})}
    scope = {"type": "http", "method": method, "path": f"/api{path}", "root_path": "/api",
             "server": server, "client": client,
             "headers": [(key.encode(), value.encode()) for key, value in given.items()]}
    asyncio.run(guard(scope, never_read, send))
    start, body = sent
    names = {key.decode(): value.decode() for key, value in start["headers"]}
    return start["status"], names, json.loads(body["body"])


def refused(answer: tuple[int, dict[str, str], Any], kind: str) -> dict[str, Any]:
    """The answer is a problem of this kind; return it."""
    status, headers, body = answer
    assert (status, headers["content-type"]) == (KINDS[kind].status, "application/problem+json")
    assert body["type"] == f"/api/docs#{kind}"
    assert body["detail"] and body["hint"]
    assert headers["connection"] == "close"
    return body


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.delenv(RATE, raising=False)


@pytest.fixture
def with_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, SECRET)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


# From where


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1",
                                  "[::1]", "::ffff:127.0.0.1"])
def test_names_of_this_computer(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.168.1.2", "localhost.example.org",
                                  "127.0.0.1.nip.io", "testclient", "8.8.8.8"])
def test_names_of_others_or_of_every_network(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501"])
def test_this_computer_needs_no_token(host: str) -> None:
    assert ask(Guard(app, "127.0.0.1"), {"host": host})[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8501", "", "[::1",
                                  "127.0.0.1@evil.example", "192.168.1.5:8501"])
def test_a_name_that_was_pointed_here_is_refused(host: str) -> None:
    refused(ask(Guard(app, "127.0.0.1"), {"host": host}), "refused")


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::", "192.168.1.5"])
def test_on_a_network_a_server_without_token_refuses_all(address: str) -> None:
    assert TOKEN in refused(ask(Guard(app, address)), "refused")["hint"]


@pytest.mark.parametrize("where", [
    {"server": ("192.168.1.5", 8501)}, {"client": ("192.168.1.9", 5)}, {"client": None},
    {"server": ("/run/socket", None)}, {"headers": {"x-forwarded-for": "1.2.3.4"}},
    {"headers": {"forwarded": "for=1.2.3.4"}},
], ids=str)
def test_a_connection_from_elsewhere_needs_the_token_whatever_the_settings_say(where: Any) -> None:
    refused(ask(Guard(app, "127.0.0.1"), **where), "refused")


@pytest.mark.usefixtures("with_token")
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {SECRET}", SECRET,
                                   f"Bearer {SECRET}x", f"Bearer {SECRET[:-1]}", "Bearer é"])
def test_a_missing_or_wrong_token_is_refused(given: str) -> None:
    headers = {"authorization": given} if given else {}
    for address in ("127.0.0.1", "0.0.0.0"):
        answer = ask(Guard(app, address), headers)
        refused(answer, "token-needed")
        assert answer[1]["www-authenticate"] == "Bearer"
        assert SECRET not in str(answer)


@pytest.mark.usefixtures("with_token")
def test_the_token_opens_under_any_name_and_from_anywhere() -> None:
    headers = {**bearer(SECRET), "host": "cnn.example.org", "origin": "https://other.example"}
    guard = Guard(app, "0.0.0.0")
    assert ask(guard, headers, "POST", client=("10.0.0.7", 1))[0] == 200
    assert ask(guard, {"authorization": f"bearer  {SECRET} "})[0] == 200


@pytest.mark.usefixtures("with_token")
def test_the_documentation_needs_no_token() -> None:
    guard = Guard(app, "0.0.0.0")
    assert ask(guard, path="/docs")[0] == ask(guard, path="/openapi.json")[0] == 200
    refused(ask(guard, path="/docs/x"), "token-needed")


def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "  ")
    refused(ask(Guard(app, "0.0.0.0"), bearer("")), "refused")


# Other sites


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://localhost:9999"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
    {"origin": "http://localhost:8501", "sec-fetch-site": "cross-site"},
], ids=str)
def test_what_another_site_makes_a_browser_send_is_refused(headers: dict[str, str]) -> None:
    guard = Guard(app, "127.0.0.1")
    refused(ask(guard, headers, "POST", "/predict"), "refused")
    assert ask(guard, headers, "GET")[0] == 200  # a link; what comes back it cannot read


@pytest.mark.parametrize("headers", [
    {}, {"origin": "http://localhost:8501"}, {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"}, {"origin": "http://LOCALHOST:8501"},
], ids=str)
def test_programs_and_own_pages_may_send(headers: dict[str, str]) -> None:
    assert ask(Guard(app, "127.0.0.1"), headers, "POST", "/predict")[0] == 200


# How much


def test_a_gigabyte_is_refused_by_what_it_declares() -> None:
    guard = Guard(app, "127.0.0.1")
    answer = ask(guard, {"content-length": str(2**30)}, "POST", "/predict")
    assert "1,024 MB" in refused(answer, "too-large")["detail"]
    assert ask(guard, {"content-length": str(LARGEST_BODY)}, "POST", "/predict")[0] == 200


def test_too_many_requests_of_one_client_have_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RATE, "0.5")
    guard = Guard(app, "127.0.0.1")
    assert ask(guard)[0] == 200
    answer = ask(guard)
    refused(answer, "too-many-requests")
    assert answer[1]["retry-after"] == "2"
    assert ask(guard, client=("127.0.0.2", 1))[0] == 200


@pytest.mark.parametrize(("text", "expected"), [
    ("", USUAL_RATE), ("20", 20), ("0.5", 0.5), ("0", USUAL_RATE), ("-3", USUAL_RATE),
    ("nan", USUAL_RATE), ("inf", USUAL_RATE), ("many", USUAL_RATE)])
def test_the_rate_comes_from_the_environment_if_it_is_one(
    text: str, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RATE, text)
    assert rate() == expected
