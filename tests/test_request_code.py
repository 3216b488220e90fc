"""The request beside an answer, tried on the real API with a stub in the place of the engine."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from model_folders import write_model
from starlette.testclient import TestClient

from cnn.api import api
from cnn.data.images import encode_png
from cnn.prediction import client
from cnn.prediction.client import EngineClient
from pages.shared.picture_sources import Picture
from pages.shared.request_code import api_address, as_curl, as_python

PNG = encode_png(np.full((9, 9, 3), 200, np.uint8))
ADDRESS = "http://localhost/api/predict"
ASKED = {"model": "first", "how": "stretch", "average": "true"}
FILE = Picture("my cat's.png", PNG)
LINK = Picture('https://example.org/a"b.png?x=$y', PNG, kept=True)


@pytest.fixture
def server(empty_folders: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    write_model("first")
    engine = EngineClient((sys.executable, "-m", "tests.stub_engine", str(empty_folders / "log")))
    monkeypatch.setattr(client, "_shared", engine)
    monkeypatch.setattr("cnn.api.fetch_image_bytes", lambda link: {LINK.source: PNG}[link])
    return TestClient(api, "http://localhost", client=("127.0.0.1", 1))


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path.removeprefix('/api')}?{parts.query}"


@pytest.mark.parametrize("picture", [FILE, LINK], ids=["file", "link"])
def test_the_command_asks_what_the_page_asked(server: TestClient, picture: Picture) -> None:
    words = shlex.split(as_curl(picture, PNG, ADDRESS, ASKED).replace("\\\n", ""))
    assert words[0] == "curl"
    options = dict(zip(words[1:-1:2], words[2:-1:2], strict=True))
    body = options["-d"].encode() if picture.is_link else PNG
    assert picture.is_link or options["--data-binary"] == "@my cat's.png"
    reply = server.post(path_of(words[-1]), content=body,
                        headers=dict([options["-H"].split(": ")]))
    assert reply.status_code == 200, reply.text
    assert reply.json()["top"][0] == {"class": "ant", "probability": 0.5}  # averaged


@pytest.mark.parametrize("picture", [FILE, LINK], ids=["file", "link"])
def test_the_program_prints_the_answer(
    server: TestClient, picture: Picture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def post(address: str, *, params: dict[str, str], data: object = None, json: object = None,
             headers: dict[str, str] | None = None) -> object:
        content = data.read() if hasattr(data, "read") else None
        return server.post(path_of(address + "?"), params=params, json=json, content=content,
                           headers=headers)

    (tmp_path / FILE.source).write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "requests", SimpleNamespace(post=post))
    exec(as_python(picture, PNG, ADDRESS, ASKED), {})
    assert "{'class': 'ant', 'probability': 0.5}" in capsys.readouterr().out


def test_a_server_with_a_token_is_asked_with_it_and_the_token_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CNN_API_TOKEN", "secret")
    for text in (as_curl(FILE, PNG, ADDRESS, ASKED), as_python(LINK, PNG, ADDRESS, ASKED)):
        assert "CNN_API_TOKEN" in text and "secret" not in text
    compile(as_python(FILE, PNG, ADDRESS, ASKED), "example", "exec")


@pytest.mark.parametrize("page, address", [
    ("http://localhost:8501/predict", "http://localhost:8501/api"),
    ("https://school.example/studio/predict?model=x", "https://school.example/studio/api"),
    (None, "http://localhost:8501/api")])
def test_the_address_is_beside_the_page(page: str | None, address: str) -> None:
    assert api_address(page) == address
