"""A server on this machine that plays the mirrors of a file: good, slow, broken, lying or gone."""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from cnn.data.download import RemoteFile


class Mirrors(ThreadingHTTPServer):
    """Serves one body under several paths, each with manners of its own."""

    daemon_threads = True

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = body
        self.version = '"1"'
        self.asked: list[tuple[str, str | None]] = []  # path and Range of each request
        self.go_on = Event()  # what "waiting" waits for
        self.pause = 0.01  # seconds between the pieces of "slow"

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def file(self, *paths: str, name: str = "data.bin") -> RemoteFile:
        """Return the served file with mirrors at these paths."""
        return RemoteFile(name, tuple(map(self.url, paths)),
                          hashlib.sha256(self.body).hexdigest(), len(self.body))

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Mirrors

    def do_GET(self) -> None:
        path = self.path.strip("/").partition("/")[0]
        self.server.asked.append((path, self.headers.get("Range")))
        self.close_connection = True
        with suppress(OSError):
            getattr(self, f"_{path}")(self.server.body)

    def _start(self, body: bytes, ranges: bool = True, **headers: str) -> bytes:
        """Send the head of an answer; return the rest of the body that is to follow."""
        asked, same = self.headers.get("Range"), self.headers.get("If-Range")
        at = 0
        if ranges and asked and same in (None, self.server.version):
            at = int(asked.removeprefix("bytes=").partition("-")[0])
        self.send_response(206 if at else 200)
        given = {"Content-Length": str(len(body) - at), "ETag": self.server.version,
                 "Connection": "close"}
        if at:
            given["Content-Range"] = f"bytes {at}-{len(body) - 1}/{len(body)}"
        for name, value in {**given, **headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        return body[at:]

    def _good(self, body: bytes) -> None:
        self.wfile.write(self._start(body))

    def _stubborn(self, body: bytes) -> None:
        """Knows no ranges."""
        self.wfile.write(self._start(body, ranges=False))

    def _unsized(self, body: bytes) -> None:
        self.wfile.write(self._start(body, ranges=False, **{"Content-Length": ""}))

    def _cut(self, body: bytes) -> None:
        """Breaks off in the middle of what is left."""
        rest = self._start(body)
        self.wfile.write(rest[: len(rest) // 2])

    def _unsizedcut(self, body: bytes) -> None:
        self.wfile.write(self._start(body, ranges=False, **{"Content-Length": ""})[:5000])

    def _slow(self, body: bytes) -> None:
        rest = self._start(body)
        for start in range(0, len(rest), 4096):
            self.wfile.write(rest[start:start + 4096])
            time.sleep(self.server.pause)

    def _waiting(self, body: bytes) -> None:
        """Sends half of what is left, and the other half when it is allowed to."""
        rest = self._start(body)
        self.wfile.write(rest[: len(rest) // 2])
        self.server.go_on.wait(timeout=20)
        self.wfile.write(rest[len(rest) // 2:])

    def _wrong(self, body: bytes) -> None:
        """Has a file of the right length that is another."""
        self.wfile.write(self._start(bytes(len(body))))

    def _login(self, _: bytes) -> None:
        self.wfile.write(self._start(b"<html>Please log in to this network</html>", ranges=False))

    def _endless(self, body: bytes) -> None:
        self._start(body, ranges=False, **{"Content-Length": ""})
        while True:
            self.wfile.write(bytes(2**16))

    def _lyingrange(self, body: bytes) -> None:
        self.wfile.write(self._start(body, **{"Content-Range": f"bytes 7-9/{len(body)}"}))

    def _strange(self, body: bytes) -> None:
        self.wfile.write(self._start(body, **{"Content-Length": "many"}))

    def _encoded(self, body: bytes) -> None:
        self.wfile.write(self._start(gzip.compress(body), ranges=False,
                                     **{"Content-Encoding": "gzip", "Content-Length": ""}))

    def _gone(self, _: bytes) -> None:
        self.send_error(404)

    def _moved(self, _: bytes) -> None:
        self._to("/good")

    def _circle(self, _: bytes) -> None:
        self._to("/circle")

    def _elsewhere(self, _: bytes) -> None:
        self._to("ftp://127.0.0.1/file")

    def _to(self, place: str) -> None:
        self.send_response(302)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(body: bytes) -> Iterator[Mirrors]:
    """Yield a server that answers until the block ends."""
    server = Mirrors(body)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
