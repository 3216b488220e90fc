"""Downloads from a server of our own on this machine: whole and right, or nothing and a reason."""

from __future__ import annotations

import gzip
import hashlib
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cnn.data import download as module
from cnn.data.download import download
from cnn.data.progress import silent
from cnn.errors import Unavailable

BODY = bytes(range(256)) * 4096  # 1 MB
HASH = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing.npz":
            self.send_error(404)
        elif self.path == "/moved.npz":
            self.send_response(302)
            self.send_header("Location", "/good.npz")
            self.end_headers()
        elif self.path == "/good.npz":
            self._send(BODY, len(BODY))
        elif self.path == "/wrong.npz":
            self._send(b"<html>Please log in to this network</html>", 42)
        elif self.path == "/cut.npz":
            self._send(BODY[:5000], len(BODY))
        elif self.path == "/unsized.npz":
            self._send(BODY, None)
        elif self.path == "/encoded.npz":
            self._send(gzip.compress(BODY), None, ("Content-Encoding", "gzip"))
        elif self.path == "/strange.npz":
            self._send(BODY, "many")

    def _send(self, body: bytes, length: object, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are part of these tests."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["good.npz", "moved.npz", "unsized.npz"])
def test_a_good_file_arrives_whole(site: str, tmp_path: Path, path: str) -> None:
    target = tmp_path / "new" / "good.npz"
    download([f"{site}/{path}"], target, HASH, silent)
    assert target.read_bytes() == BODY
    assert [p.name for p in target.parent.iterdir()] == ["good.npz"]


def test_progress_ends_with_everything(site: str, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    download([f"{site}/good.npz"], tmp_path / "f", HASH, lambda *call: calls.append(call))
    assert calls[-1] == ("Downloading good.npz", len(BODY), len(BODY))
    assert [done for _, done, _ in calls] == sorted({done for _, done, _ in calls})


def test_progress_without_a_length_says_zero(site: str, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    download([f"{site}/unsized.npz"], tmp_path / "f", HASH, lambda *call: calls.append(call))
    assert calls[-1][1:] == (len(BODY), 0)


@pytest.mark.parametrize(("path", "reason"), [
    ("wrong.npz", "not the official file"),
    ("encoded.npz", "not the official file"),
    ("cut.npz", "closed"),
    ("missing.npz", "404"),
    ("strange.npz", "Content-Length"),
])
def test_a_bad_answer_leaves_nothing_and_says_what_to_do(
    site: str, tmp_path: Path, path: str, reason: str
) -> None:
    with pytest.raises(Unavailable, match=reason) as caught:
        download([f"{site}/{path}"], tmp_path / "data.npz", HASH, silent)
    assert "data.npz" in caught.value.message
    assert "\n" not in caught.value.message
    assert str(tmp_path) in caught.value.hint
    assert "CNN_DATA_DIR" in caught.value.hint
    assert "'digits'" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_no_server_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/data.npz"
        with pytest.raises(Unavailable, match="could not be downloaded"):
            download([url], tmp_path / "data.npz", HASH, silent)
    assert list(tmp_path.iterdir()) == []


def test_the_next_address_is_tried(site: str, tmp_path: Path) -> None:
    download([f"{site}/cut.npz", f"{site}/wrong.npz", f"{site}/good.npz"], tmp_path / "f", HASH,
             silent)
    assert (tmp_path / "f").read_bytes() == BODY


def test_an_earlier_file_survives_a_failed_download(site: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"earlier")
    with pytest.raises(Unavailable):
        download([f"{site}/cut.npz"], tmp_path / "f", HASH, silent)
    assert (tmp_path / "f").read_bytes() == b"earlier"


def test_a_server_that_never_ends_is_cut_off(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_BYTES", 100_000)
    with pytest.raises(Unavailable, match="far too long"):
        download([f"{site}/unsized.npz"], tmp_path / "f", HASH, silent)


def test_a_silent_server_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "_SILENCE_SECONDS", 0.1)
    with socket.socket() as silent_server:
        silent_server.bind(("127.0.0.1", 0))
        silent_server.listen()
        url = f"http://127.0.0.1:{silent_server.getsockname()[1]}/data.npz"
        with pytest.raises(Unavailable, match="timed out"):
            download([url], tmp_path / "f", HASH, silent)


def test_a_folder_that_cannot_be_written_is_said(site: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot be written"):
        download([f"{site}/good.npz"], tmp_path / "file" / "f", HASH, silent)
