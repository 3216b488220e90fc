"""The only fetcher of pictures by link, made for links that strangers paste into a server.

A link may not make this machine talk to its own network. The address is checked where the socket is
opened, after the name was looked up: one answer of the name server is both checked and used, so it
cannot change in between, and redirects pass the same check. Names, Host header and certificates
stay as they are. Size and total time are limited, whatever the other side does.

Knows nothing of pictures: `cnn.data.images` decodes the bytes. Nothing else may open a link.
"""

from __future__ import annotations

import ipaddress
import itertools
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from cnn.data.images import MAX_BYTES
from cnn.errors import BadInput, CnnError, Refused, Unavailable

_LOG = logging.getLogger(__name__)

_MAX_LINK = 2048  # characters; real links to pictures are shorter, data: links are not
_MAX_REDIRECTS = 3
_LOOKUP_SECONDS = 5.0  # for the name server
_CONNECT_SECONDS = 3.0  # for each address of a host
_SILENCE_SECONDS = 5.0  # without a byte from the other side
_TIMEOUTS = {"connect": _CONNECT_SECONDS, "read": _SILENCE_SECONDS, "write": _SILENCE_SECONDS}
_HEADERS = (("User-Agent", "CNN-Studio"), ("Accept", "image/*"), ("Accept-Encoding", "identity"),
            ("Connection", "close"))
_PORTS = {"http": 80, "https": 443}  # the schemes that are allowed, with their usual ports
_REDIRECTS = (301, 302, 303, 307, 308)
_USE_A_FILE = "Save the picture on your computer and choose it as a file instead."
_USE_PUBLIC = "Use the https address of a picture that anybody on the internet can see."

# All of IPv6 that is given out to the public; mapped, translated and local forms lie outside.
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
# What `is_global` lets through, at least in some versions of Python.
_SPECIAL = tuple(ipaddress.ip_network(block) for block in (
    "168.63.129.16/32",  # a cloud's control channel, reachable from inside only
    "192.0.0.0/24",  # protocol assignments; a cloud's metadata server
    "192.88.99.0/24",  # 6to4 relays
    "2001::/23",  # protocol assignments, with Teredo, which carries an IPv4 address
    "2002::/16",  # 6to4, which carries an IPv4 address
    "3fff::/20",  # documentation
))


def is_public_address(address: str) -> bool:
    """Return whether a numeric IP address belongs to the public internet and not to this machine.

    Args:
        address: An IPv4 or IPv6 address as the name server gives it.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if ip.version == 6 and ip not in _PUBLIC_IPV6:
        return False
    if not ip.is_global or ip.is_multicast:
        return False
    return not any(ip in block for block in _SPECIAL) and ip not in _own_addresses()


def _own_addresses() -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    # A service that trusts this machine may listen on its public address too.
    import psutil

    own = set()
    for entry in itertools.chain.from_iterable(psutil.net_if_addrs().values()):
        with suppress(ValueError):  # hardware addresses are in the list as well
            own.add(ipaddress.ip_address(entry.address.partition("%")[0]))
    return own


@dataclass(frozen=True)
class FetchPolicy:
    """What a fetch may do. Only tests use another than `PUBLIC_INTERNET`; no setting reaches it."""

    allow_address: Callable[[str], bool] = is_public_address
    ports: frozenset[int] = frozenset(_PORTS.values())
    limit: int = MAX_BYTES  # bytes of the picture
    total: float = 15.0  # seconds for everything, redirects included


PUBLIC_INTERNET = FetchPolicy()


def fetch_image_bytes(url: str, policy: FetchPolicy = PUBLIC_INTERNET) -> bytes:
    """Return what lies behind a link, without looking at what it is.

    Args:
        url: An http or https link as a person typed it.
        policy: The limits. Defaults to the public internet, 20 MB and 15 seconds.

    Raises:
        BadInput: If it is not a link, or what it leads to is too large or empty.
        Refused: If it leads to a private address, another scheme or port, carries a password,
            redirects too often, or the answer is compressed.
        Unavailable: If the host cannot be found or reached, is too slow, or answers with an error.
    """
    host = "-"
    try:
        link = _checked_link(url, policy)
        host = _host(link)
        data = _fetch(link, policy)
    except CnnError as error:
        _LOG.info("picture link to host %s: %s", host, error.kind)
        raise
    _LOG.info("picture link to host %s: %d bytes", host, len(data))
    return data


def _checked_link(url: str, policy: FetchPolicy, base: httpx2.URL | None = None) -> httpx2.URL:
    link = _parsed(url, base)
    if link.scheme not in _PORTS:
        raise Refused(f"Links must start with http:// or https://, not {link.scheme[:20]}:.",
                      _USE_PUBLIC)
    host = _host(link)
    if not host.strip("."):
        raise BadInput(f"The link names no host. Received: {url[:80]!r}.", _USE_PUBLIC)
    if link.userinfo:
        raise Refused(f"The link to {host} carries a user name or password.",
                      "Remove the part before the @ sign.")
    if (_PORTS[link.scheme] if link.port is None else link.port) not in policy.ports:
        raise Refused(f"Port {link.port} of {host} is not one for web pictures.",
                      "Use a link without a port number.")
    return link


def _host(link: httpx2.URL) -> str:
    # For messages and the log: printable ASCII, where look-alikes of other letters show as xn--.
    return link.raw_host.decode("ascii")[:100]


def _parsed(url: str, base: httpx2.URL | None) -> httpx2.URL:
    if len(url) > _MAX_LINK:
        raise BadInput(f"The link has {len(url)} characters, over {_MAX_LINK}.", _USE_A_FILE)
    try:
        link = base.join(url) if base else httpx2.URL(url.strip())
    except (httpx2.InvalidURL, ValueError) as error:  # UnicodeError is a ValueError
        raise BadInput(f"This is not a web address: {url[:80]!r}.", _USE_PUBLIC) from error
    if not link.scheme:
        raise BadInput(f"This is not a whole web address: {url[:80]!r}.",
                       "Start it with https://, as in the address bar of a browser.")
    return link


def _fetch(link: httpx2.URL, policy: FetchPolicy) -> bytes:
    network = _GuardedNetwork(policy.allow_address, time.monotonic() + policy.total)
    with httpcore2.ConnectionPool(network_backend=network) as pool:
        for _ in range(_MAX_REDIRECTS + 1):
            # One parser decides host, port and path for the check and for the connection.
            target = httpcore2.URL(scheme=link.raw_scheme, host=link.raw_host.rstrip(b"."),
                                   port=link.port, target=link.raw_path)
            headers = [("Host", link.netloc), *_HEADERS]
            with _failures_in_words(_host(link)), pool.stream(
                    "GET", target, headers=headers, extensions={"timeout": _TIMEOUTS}) as response:
                location = _header(response, b"location")
                if response.status not in _REDIRECTS or not location:
                    return _body(response, _host(link), policy.limit)
            link = _checked_link(location.decode("utf-8", "replace"), policy, base=link)
            _LOG.info("picture link redirects to host %s", _host(link))
    raise Refused(f"The link redirects more than {_MAX_REDIRECTS} times.", _USE_A_FILE)


@contextmanager
def _failures_in_words(host: str) -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise Unavailable(f"{host} is too slow: no whole picture arrived in time.",
                          f"Try again later. {_USE_A_FILE}") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError, ValueError) as error:
        tls_failed = any(isinstance(inner, ssl.SSLError) for inner in error.args)
        what = "offers no secure connection" if tls_failed else "cannot be reached, or broke off"
        hint = f"Check the link in a browser. {_USE_A_FILE}"
        raise Unavailable(f"{host} {what}.", hint) from error


def _header(response: httpcore2.Response, name: bytes) -> bytes:
    return next((value.strip() for key, value in response.headers if key.lower() == name), b"")


def _body(response: httpcore2.Response, host: str, limit: int) -> bytes:
    if not 200 <= response.status < 300:
        raise Unavailable(f"{host} answered with status {response.status} instead of a picture.",
                          "Check the link in a browser: it may be mistyped or need a login.")
    if _header(response, b"content-encoding").lower() not in (b"", b"identity"):
        # A small answer could unpack to gigabytes.
        raise Refused(f"{host} sent a compressed answer although none was asked for.", _USE_A_FILE)
    too_large = BadInput(f"What {host} sends is larger than {limit / 2**20:g} MB.", _USE_A_FILE)
    declared = _header(response, b"content-length")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise too_large
    body = bytearray()
    # In pieces as they arrive: waiting for pieces of a fixed size would let a slow drip pass.
    for piece in response.iter_stream():
        body += piece
        if len(body) > limit:  # the declared length may be missing or a lie
            raise too_large
    if not body:
        raise BadInput(f"{host} sent nothing (0 bytes).", "Check the link in a browser.")
    return bytes(body)


def _cut(timeout: float | None, end: float) -> float:
    """Return `timeout` or the seconds until `end` (monotonic clock), whichever is shorter."""
    left = end - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the total time is over")
    return left if timeout is None else min(left, timeout)


class _GuardedNetwork(httpcore2.NetworkBackend):
    """Opens sockets to allowed addresses only."""

    def __init__(self, allow_address: Callable[[str], bool], end: float) -> None:
        self._allow_address, self._end = allow_address, end
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **_unused: Any
    ) -> httpcore2.NetworkStream:
        addresses = _look_up(host, port, _cut(_LOOKUP_SECONDS, self._end))
        # All, not only the one used: a name with a private address among others is an attack.
        if not all(map(self._allow_address, addresses)):
            raise Refused(f"{host[:100]} is not on the public internet.", _USE_PUBLIC)
        *others, last = addresses
        for address in others:  # IPv6 comes first, and may not work here
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return self._open(address, port, timeout)
        return self._open(last, port, timeout)

    def _open(self, address: str, port: int, timeout: float | None) -> httpcore2.NetworkStream:
        stream = self._plain.connect_tcp(address, port, _cut(timeout, self._end), None, [])
        return _TimedStream(stream, self._end)


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    # In a thread, because the system's look-up has no time limit and cannot be stopped: one that
    # takes too long is left behind, and a daemon thread does not keep the process alive.
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, name="picture-link-look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        answer = TimeoutError("look-up")
    if isinstance(answer, ValueError):  # UnicodeError: an empty part, or one over 63 characters
        raise BadInput(f"{host[:100]} is not a possible host name.", _USE_PUBLIC) from answer
    if isinstance(answer, Exception) or not answer:
        raise Unavailable(f"The host {host[:100]} cannot be found.",
                          "Check the link for typing errors, and the network of this machine.")
    return list(dict.fromkeys(str(info[4][0]) for info in answer))


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every step gets only the time that is left."""

    def __init__(self, stream: httpcore2.NetworkStream, end: float) -> None:
        self._stream, self._end = stream, end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _cut(timeout, self._end))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _cut(timeout, self._end))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _cut(timeout, self._end)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._end)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
