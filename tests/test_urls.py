"""No test here leaves the machine: names come from a table, and sockets are watched.

An audit hook sees every connection that Python tries, whichever library tries it, and stops those
that do not go to the stand-in server of the test.
"""

from __future__ import annotations

import logging
import random
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psutil
import pytest

from cnn.data import urls
from cnn.data.urls import FetchPolicy, fetch_image_bytes, is_public_address
from cnn.errors import BadInput, CnnError, Refused, Unavailable

PUBLIC = "93.184.216.34"
PUBLIC_V6 = "2606:2800:220:1:248:1893:25c8:1946"
NAMES: dict[str, list[str]] = {
    "pub.test": [PUBLIC],
    "both.test": [PUBLIC_V6, PUBLIC],
    "priv.test": ["10.1.2.3"],
    "loop.test": ["127.0.0.1"],
    "mixed.test": [PUBLIC, "192.168.1.1"],
    "mixed2.test": ["192.168.1.1", PUBLIC],
    "mixed6.test": [PUBLIC, "fd00:ec2::254"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "v6mapped.test": ["::ffff:10.0.0.1"],
    "nat64.test": ["64:ff9b::a9fe:a9fe"],
    "metadata.google.internal": ["169.254.169.254"],
    "localtest.me": ["127.0.0.1"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "localhost": ["127.0.0.1"],
    "empty.test": [],
}

# The watch over sockets: an audit hook cannot be taken away again, so it is told when to look.
_allowed: set[str] | None = None
_tried: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _allowed is not None:
        address = str(arguments[1][0])
        _tried.append(address)
        if address not in _allowed:
            raise ConnectionRefusedError("stopped by the test")


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def tried() -> Iterator[list[str]]:
    """Yield the addresses that a socket was told to connect to; only loopback gets through."""
    global _allowed  # noqa: PLW0603
    _tried.clear()
    _allowed = {"127.0.0.1"}
    yield _tried
    _allowed = None


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer names from `NAMES`, and spellings of numbers as the system does."""
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *rest: Any, **options: Any) -> list[Any]:
        if host in NAMES:
            return [(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6,
                     "", (address, port)) for address in NAMES[host]]
        options["flags"] = socket.AI_NUMERICHOST  # a name that is not listed does not exist
        return real(host, port, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


# Addresses


NOT_PUBLIC_V4 = [
    "0.0.0.0", "0.1.1.1", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "127.0.0.1", "127.127.127.127", "168.63.129.16", "169.254.1.1", "169.254.169.254",
    "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
]
NOT_PUBLIC_V6 = [
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:7f00:1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "100::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3f57:fdf2", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
    "2002:c0a8:101::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1",
    "fec0::1", "ff02::1", "ff0e::1",
]


@pytest.mark.parametrize("address", [*NOT_PUBLIC_V4, *NOT_PUBLIC_V6, "fe80::1%lo", "", "1.2.3",
                                     "127.1", "localhost"])
def test_address_that_is_not_of_the_public_internet(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1",
                                     PUBLIC_V6, "2001:4860:4860::8888", "2a00:1450:4001::1"])
def test_address_of_the_public_internet(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize("own", [PUBLIC, PUBLIC_V6])
def test_own_public_address_is_not_public(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = type(next(iter(psutil.net_if_addrs().values()))[0])
    cards = {"eth0": [entry(17, "00:11:22:33:44:55", None, None, None),
                      entry(2, own, None, None, None),
                      entry(10, "fe80::1%eth0", None, None, None)]}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: cards)
    assert not is_public_address(own)
    assert is_public_address("1.1.1.1")


# Hostile links


PRIVATE_LINKS = [
    *(f"http://{address}/" for address in NOT_PUBLIC_V4),
    *(f"https://[{address}]/x.png" for address in NOT_PUBLIC_V6),
    "http://10.0.0.1?q=a", "http://127.0.0.1:80/", "https://127.0.0.1:443/", "http://127.0.0.1./",
    "http://localhost/", "http://LOCALHOST./", "http://localhost../", "https://localtest.me/a.png",
    "http://127.0.0.1.nip.io/", "http://metadata.google.internal/computeMetadata/v1/",
    "http://priv.test/", "http://PRIV.test/", "http://mixed.test/", "http://mixed2.test/",
    "http://mixed6.test/", "http://mapped.test/", "http://nat64.test/",
    "http://loop.test#@pub.test/",
    "http://127.0.0.1#@pub.test/", "http://127.0.0.1?@pub.test/", " http://127.0.0.1/ ",
    "HTTP://127.0.0.1/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/", "http://[::ffff:a9fe:a9fe]/", "http://v6mapped.test/",
    "http://[::ffff:169.254.169.254]/", "http://127.0.1.3/", "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data/", "http://192.0.0.192/latest/",
]
REFUSED_LINKS = [
    "http://pub.test@127.0.0.1/", "http://user:secret@pub.test/", "http://:secret@pub.test/",
    "http://127.0.0.1%2f@pub.test/", "http://127.0.0.1\\@pub.test/", "http://pub.test\\@127.0.0.1/",
    "http://1.1.1.1 &@127.0.0.1# @3.3.3.3/", "http://pub.test:22/", "http://pub.test:6379/",
    "http://pub.test:0/", "http://pub.test:8080/", "https://pub.test:99999/", "http://pub.test:-1/",
    "http://127.0.0.1:22/", "http://[::1]:25/", "file:///etc/passwd", "file://localhost/etc/passwd",
    "ftp://127.0.0.1/", "gopher://127.0.0.1:25/_x", "dict://127.0.0.1:11211/stat",
    "data:image/png;base64,iVBORw0KGgo=", "javascript:alert(1)", "jar:http://127.0.0.1!/",
    "ws://127.0.0.1/", "unix:///var/run/docker.sock", "hf://model", "ldap://127.0.0.1/",
]
BAD_LINKS = [
    "", " ", "picture.png", "/etc/passwd", "//127.0.0.1/", "pub.test/ok.png", "http:", "http://",
    "http:///127.0.0.1/", "http:/127.0.0.1/", "http:127.0.0.1/", "http://./", "http://..../",
    "http://[::1/", "http://[fe80::1%25lo", "http://[zz]/", "http://0177.0.0.1/",
    "http://0251.0376.0251.0376/", "http://300.1.1.1/", "http://pub.test:port/",
    "http://127.0.0.1:80@pub.test:x/", "http://pub.test/\r\nHost: 127.0.0.1", "http://pub.test/\0",
    "http://pub\n.test/", "http://a..b/", "http://.pub.test/", f"http://{'a' * 64}.test/",
    "http://pub.test/" + "a" * 2048, "http://\ud800.test/", "http://pub.test/\ud800",
    "http://-\u00e4-.test/",
]
ODD_LINKS = [  # what they mean depends on the system: a private address, or a name nobody has
    "http://127.1/", "http://127.0.1/", "http://0/", "http://2130706433/", "http://3232235521/",
    "http://2852039166/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://017700000001/",
    "http://0x7f.1/", "http://127.0.0x0.1/", "http://[fe80::1%25lo]/", "http://[::1%25lo]/",
    "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://１２７.0.0.1/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://127.0.0.1%00.pub.test/", "http://127.0.0.1%2f.pub.test/", "http://%31%32%37.0.0.1/",
    "http://xn--/", "http://xn--0.test/", "http://nx.test/", "http://pub.test%09/",
    "http://127.0.0.1,pub.test/", "http://{127.0.0.1}/", "http://empty.test/", "http://*/",
]
assert len(PRIVATE_LINKS + REFUSED_LINKS + BAD_LINKS + ODD_LINKS) >= 60


@pytest.mark.parametrize("url", PRIVATE_LINKS)
def test_link_to_a_private_address_is_refused_before_a_connection(
    url: str, tried: list[str]
) -> None:
    with pytest.raises(Refused, match="not on the public internet"):
        fetch_image_bytes(url)
    assert tried == []


@pytest.mark.parametrize("url", REFUSED_LINKS)
def test_link_with_another_scheme_port_or_a_password_is_refused(
    url: str, tried: list[str]
) -> None:
    with pytest.raises(Refused) as caught:
        fetch_image_bytes(url)
    assert caught.value.hint
    assert "secret" not in str(caught.value)
    assert tried == []


@pytest.mark.parametrize("url", BAD_LINKS)
def test_what_is_no_link_is_bad_input(url: str, tried: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        fetch_image_bytes(url)
    assert caught.value.hint
    assert len(caught.value.message) < 300
    assert tried == []


@pytest.mark.parametrize("url", ODD_LINKS)
def test_odd_spelling_never_leads_to_a_connection(url: str, tried: list[str]) -> None:
    with pytest.raises((Refused, BadInput, Unavailable)):
        fetch_image_bytes(url)
    assert tried == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not read these spellings")
@pytest.mark.parametrize("url", ["http://127.1/", "http://2130706433/", "http://0x7f000001/",
                                 "http://017700000001/", "http://0x7f.0.0.1/", "http://0/"])
def test_number_spellings_are_understood_and_refused(url: str) -> None:
    with pytest.raises(Refused, match="not on the public internet"):
        fetch_image_bytes(url)


@pytest.mark.parametrize("host", ["pub.test", "pub.test.", PUBLIC])
def test_public_host_is_tried_at_the_address_that_was_checked(host: str, tried: list[str]) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        fetch_image_bytes(f"http://{host}/ok.png")
    assert tried == [PUBLIC]


def test_every_public_address_of_a_host_gets_a_try(tried: list[str]) -> None:
    with pytest.raises(Unavailable):
        fetch_image_bytes("http://both.test/ok.png")
    assert tried in ([PUBLIC_V6, PUBLIC], [PUBLIC])  # the second where IPv6 is not there at all


def test_the_watch_sees_a_connection_that_the_guard_lets_through(tried: list[str]) -> None:
    with pytest.raises(Unavailable):
        fetch_image_bytes("http://priv.test/", FetchPolicy(allow_address=lambda _: True))
    assert tried == ["10.1.2.3"]


def test_name_that_changes_its_address_after_the_check_gains_nothing(
    tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    known = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *rest: Any, **options: Any) -> list[Any]:
        if host == "rebind.test":
            return [(socket.AF_INET, 1, 6, "", (next(answers)[0], port))]
        return known(host, port, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(Unavailable):
        fetch_image_bytes("http://rebind.test/")
    assert tried == [PUBLIC]


def test_message_never_tells_the_resolved_address() -> None:
    with pytest.raises(Refused) as caught:
        fetch_image_bytes("http://priv.test/")
    assert "10.1.2.3" not in str(caught.value)


def test_look_alike_letters_show_in_the_message() -> None:
    with pytest.raises(Unavailable, match=r"xn--\S+\.test cannot be found"):
        fetch_image_bytes("http://p\u0443b.test/")  # a Cyrillic u


def test_slow_name_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def slow(*_: Any, **__: Any) -> list[Any]:
        release.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    start = time.monotonic()
    with pytest.raises(Unavailable, match="cannot be found"):
        fetch_image_bytes("http://pub.test/", FetchPolicy(total=0.2))
    assert time.monotonic() - start < 5
    release.set()


# A stand-in server


PICTURE = b"\x89PNG and so on" * 10
Reply = bytes | Callable[[socket.socket], None]


def drip(start: bytes, drop: bytes = b"x") -> Callable[[socket.socket], None]:
    def send(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(100):  # ends when the client hangs up, at the latest after 5 s
            time.sleep(0.05)
            connection.sendall(drop)
    return send


def flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def silence(connection: socket.socket) -> None:
    connection.recv(1)  # returns when the client hangs up


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


class StandIn(socketserver.ThreadingTCPServer):
    """Answers each path as `replies` says and keeps the requests."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StandInHandler)
        self.port = self.server_address[1]
        self.replies: dict[str, Reply] = {}
        self.requests: list[str] = []

    def fetch(self, path: str = "/", **options: Any) -> bytes:
        return fetch_image_bytes(f"http://127.0.0.1:{self.port}{path}", self.policy(**options))

    def policy(self, total: float = 2.0, limit: int = 100_000) -> FetchPolicy:
        ports = frozenset({80, 443, self.port})
        return FetchPolicy(lambda address: address == "127.0.0.1", ports, limit, total)


class StandInHandler(socketserver.BaseRequestHandler):
    server: StandIn

    def handle(self) -> None:
        with suppress(OSError):
            request = self.request.recv(65536).decode("latin-1")
            self.server.requests.append(request)
            path = request.split()[1] if request.startswith("GET ") else "/"  # else: TLS
            reply = self.server.replies.get(path) or self.server.replies["/"]
            if isinstance(reply, bytes):
                self.request.sendall(reply)
            else:
                reply(self.request)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        thread = threading.Thread(target=stand_in.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield stand_in
        stand_in.shutdown()
        thread.join()


def test_picture_comes_back_whole(server: StandIn) -> None:
    server.replies["/a%20b.png?x=1"] = head(f"Content-Length: {len(PICTURE)}") + PICTURE
    assert server.fetch("/a b.png?x=1#part") == PICTURE


@pytest.mark.parametrize("reply", [
    head() + PICTURE,
    head("Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(PICTURE), PICTURE),
    head("Content-Encoding: identity") + PICTURE,
    head("Content-Type: text/html") + PICTURE,
    head(f"Content-Length: {len(PICTURE)}") + PICTURE + b"more than was declared",
    head(status="100 Continue") + head() + PICTURE,
])
def test_sound_answers_of_every_kind_are_read(reply: bytes, server: StandIn) -> None:
    server.replies["/"] = reply
    assert server.fetch() == PICTURE


def test_request_says_who_asks_and_nothing_about_the_user(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://10.0.0.1:3128")
    server.replies["/"] = head() + PICTURE
    assert server.fetch() == PICTURE
    assert server.requests == [
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUser-Agent: CNN-Studio\r\n"
        "Accept: image/*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"]


def test_second_address_is_used_when_the_first_does_not_answer(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, tried: list[str]
) -> None:
    monkeypatch.setitem(NAMES, "two.test", ["127.0.0.2", "127.0.0.1"])
    server.replies["/"] = head() + PICTURE
    policy = FetchPolicy(lambda address: address.startswith("127."), frozenset({server.port}))
    assert fetch_image_bytes(f"http://two.test:{server.port}/", policy) == PICTURE
    assert tried == ["127.0.0.2", "127.0.0.1"]


def test_redirects_are_followed_to_a_picture(server: StandIn) -> None:
    server.replies["/"] = head("Location: /two", status="302 Found")
    server.replies["/two"] = head(f"Location: http://127.0.0.1:{server.port}/three",
                                  status="301 Moved")
    server.replies["/three"] = head("Location: four", status="308 Moved")
    server.replies["/four"] = head() + PICTURE
    assert server.fetch() == PICTURE


@pytest.mark.parametrize(("location", "kind", "words"), [
    ("http://169.254.169.254/latest/meta-data/", Refused, "not on the public internet"),
    ("//169.254.169.254/latest", Refused, "not on the public internet"),
    ("http://priv.test/", Refused, "not on the public internet"),
    ("http://[::1]/", Refused, "not on the public internet"),
    ("http://user:secret@pub.test/", Refused, "password"),
    ("http://127.0.0.1:22/", Refused, "Port 22"),
    ("file:///etc/passwd", Refused, "http://"),
    ("gopher://127.0.0.1/", Refused, "http://"),
    ("/", Refused, "redirects more than 3 times"),
    ("http://[zz]/", BadInput, "not a web address"),
    ("http://\xff\xfe/", BadInput, "not a web address"),
    ("/" + "a" * 3000, BadInput, "characters"),
])
def test_redirect_passes_the_same_check(
    location: str, kind: type[CnnError], words: str, server: StandIn, tried: list[str]
) -> None:
    server.replies["/"] = (b"HTTP/1.1 302 Found\r\nLocation: " + location.encode("latin-1")
                           + b"\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(kind, match=words):
        server.fetch()
    assert set(tried) == {"127.0.0.1"}
    assert len(server.requests) == (4 if location == "/" else 1)


@pytest.mark.parametrize("reply", [
    silence,
    drip(b""),
    drip(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
    drip(head()),
    drip(head("Content-Length: 50000")),
    drip(head("Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
    drip(b"", head(status="100 Continue")),
], ids=["silence", "status", "headers", "body", "length", "chunks", "continue"])
def test_slow_server_is_given_up_at_the_total_time(reply: Reply, server: StandIn) -> None:
    server.replies["/"] = reply
    start = time.monotonic()
    with pytest.raises(Unavailable, match="too slow"):
        server.fetch(total=0.2)
    assert 0.15 < time.monotonic() - start < 5  # when the server hangs up


def test_slow_redirects_share_the_total_time(server: StandIn) -> None:
    def later(connection: socket.socket) -> None:
        time.sleep(0.25)
        connection.sendall(head("Location: /", "Content-Length: 0", status="302 Found"))

    server.replies["/"] = later
    with pytest.raises(Unavailable, match="too slow"):  # not: too many redirects
        server.fetch(total=0.4)


@pytest.mark.parametrize("reply", [
    flood,
    head() + b"x" * 100_001,
    head("Content-Length: 100001"),
    head("Content-Length: 99999999999999999999"),
])
def test_too_large_is_bad_input(reply: Reply, server: StandIn) -> None:
    server.replies["/"] = reply
    with pytest.raises(BadInput, match="larger than"):
        server.fetch()


def test_picture_of_exactly_the_limit_is_taken(server: StandIn) -> None:
    server.replies["/"] = head() + b"x" * 100_000
    assert len(server.fetch()) == 100_000


@pytest.mark.parametrize("reply", [head(), head("Content-Length: 0"), head(status="204 None")])
def test_empty_answer_is_bad_input(reply: bytes, server: StandIn) -> None:
    server.replies["/"] = reply
    with pytest.raises(BadInput, match="nothing"):
        server.fetch()


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate, gzip", "zstd", "unknown"])
def test_compressed_answer_is_refused(encoding: str, server: StandIn) -> None:
    server.replies["/"] = head(f"Content-Encoding: {encoding}") + b"\x1f\x8b\x08"
    with pytest.raises(Refused, match="compressed"):
        server.fetch()


@pytest.mark.parametrize("status", ["404 Not Found", "403 No", "500 Error", "304 Same", "302 Found",
                                    "300 Choose", "416 Range"])
def test_other_status_is_unavailable_and_its_body_is_not_shown(
    status: str, server: StandIn
) -> None:
    server.replies["/"] = head(status=status) + b"<b>internal detail</b>"
    with pytest.raises(Unavailable, match=f"status {status[:3]}") as caught:
        server.fetch()
    assert "internal" not in str(caught.value)


@pytest.mark.parametrize("reply", [
    b"\0",  # hangs up at once, more or less
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"220 mail.example ESMTP\r\n",
    b"<html>no header at all</html>",
    head("Content-Length: 500") + PICTURE,
    head("Content-Length: abc") + PICTURE,
    head("Content-Length: -5") + PICTURE,
    head("Content-Length: 5", "Content-Length: 6") + PICTURE,
    head("Content-Length: " + "9" * 5000) + PICTURE,
    head("Transfer-Encoding: gzip") + PICTURE,
    head("Transfer-Encoding: chunked") + b"zz\r\n",
    head("Transfer-Encoding: chunked") + b"5\r\nab",
    head("X-Long: " + "a" * 200_000) + PICTURE,
    head("no colon") + PICTURE,
    b"HTTP/1.1 999999 OK\r\n\r\n",
    head(status="101 Switching Protocols"),
])
def test_answer_that_is_not_sound_http_is_unavailable(reply: bytes, server: StandIn) -> None:
    server.replies["/"] = reply
    with pytest.raises(Unavailable, match="cannot be reached, or broke off"):
        server.fetch()


def test_random_changes_of_an_answer_give_bytes_or_a_message(server: StandIn) -> None:
    dice = random.Random(0)
    good = head("Content-Length: 20", "Content-Type: image/png", "Location: /x") + PICTURE[:20]
    for _ in range(150):
        data = bytearray(good)
        for _ in range(dice.choice((1, 2, 6))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        server.replies["/"] = bytes(data)
        try:
            assert server.fetch()
        except CnnError as error:
            assert error.message


def test_server_without_tls_offers_no_secure_connection(server: StandIn) -> None:
    server.replies["/"] = b"HTTP/1.1 400 Bad\r\n\r\n"
    with pytest.raises(Unavailable, match="no secure connection"):
        fetch_image_bytes(f"https://127.0.0.1:{server.port}/", server.policy())


def test_silent_tls_server_is_given_up(server: StandIn) -> None:
    server.replies["/"] = silence
    start = time.monotonic()
    with pytest.raises(Unavailable, match="too slow"):
        fetch_image_bytes(f"https://127.0.0.1:{server.port}/", server.policy(total=0.2))
    assert time.monotonic() - start < 5


def test_closed_port_is_unavailable() -> None:
    with socket.socket() as reserved:  # bound but not listening: nobody else can take it
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(Unavailable, match="cannot be reached"):
            fetch_image_bytes(f"http://127.0.0.1:{port}/",
                              FetchPolicy(lambda _: True, frozenset({port}), 100, 1.0))


def test_log_tells_host_and_verdict_but_neither_path_nor_password(
    server: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    server.replies["/?token=abc"] = head() + PICTURE
    with caplog.at_level(logging.INFO, logger=urls.__name__):
        server.fetch("/?token=abc")
        for url in ("http://priv.test/secret", "http://u:secret@pub.test/", "secret"):
            with pytest.raises(CnnError):
                fetch_image_bytes(url)
    text = caplog.text
    assert f"host 127.0.0.1: {len(PICTURE)} bytes" in text
    assert "host priv.test: refused" in text
    assert "bad-input" in text
    assert "secret" not in text
    assert "token" not in text


def test_default_policy_is_the_public_internet() -> None:
    policy = urls.PUBLIC_INTERNET
    assert policy.allow_address is is_public_address
    assert policy.ports == {80, 443}
    assert (policy.limit, policy.total) == (20 * 2**20, 15.0)
