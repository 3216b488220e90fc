"""Who may use the API: what stands before it looks at headers only, and reads no body.

- From this computer, without a token: only under a name of this computer in `Host`, so that no site
  can reach the API through a visitor's browser by pointing its own name here (DNS rebinding).
- From elsewhere: only with the token of the environment, `CNN_API_TOKEN`. If there is one, it is
  needed from this computer too; whoever sends it may use any name.
- From a browser, only what no other site made it send: `Origin` and `Sec-Fetch-Site` tell. A form
  of any site may send files without asking first, so the content type alone does not protect.
- Only so many requests of one client, and no body that declares more than any may have.

An ASGI application around another. Imports nothing of FastAPI, so that the server starts quickly.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import math
import os
from typing import Any
from urllib.parse import urlsplit

from cnn.api_limits import Buckets
from cnn.api_problems import MEDIA_TYPE, Problem

TOKEN = "CNN_API_TOKEN"  # noqa: S105  the name of a variable, no token
RATE = "CNN_API_RATE"
USUAL_RATE = 500.0  # requests per second and client: more than two cores can answer
LARGEST_BODY = 64 * 2**20  # bytes, of any request
_SAFE = ("GET", "HEAD", "OPTIONS")
_OPEN = ("/docs", "/openapi.json")  # the same on every server, and a link cannot carry a token
_PROXY = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}
_HOW_TO_SEND = "Send it as a header: Authorization: Bearer TOKEN."

_log = logging.getLogger(__name__)


def is_loopback(host: str) -> bool:
    """Return whether a name or address always means the computer it is used on."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return ip.is_loopback or bool(ip.version == 6 and ip.ipv4_mapped and ip.ipv4_mapped.is_loopback)


def rate_from_environment() -> float:
    """Return how many requests per second one client may send."""
    text = os.environ.get(RATE, "")
    try:
        rate = float(text or USUAL_RATE)
    except ValueError:
        rate = 0.0
    if 0 < rate < math.inf:
        return rate
    _log.warning("%s must be a number above 0. Received: %r. It stays %g.", RATE, text, USUAL_RATE)
    return USUAL_RATE


class Guard:
    """Lets pass what may reach an ASGI application, and answers the rest itself.

    Args:
        app: The application.
        address: What the server listens on, as its settings say; empty for every network.
    """

    def __init__(self, app: Any, address: str) -> None:
        self._app = app
        self._on_loopback = is_loopback(address)
        self._token = os.environ.get(TOKEN, "").strip().encode()
        self._buckets = Buckets(rate_from_environment())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or say why not."""
        problem = self._objection(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
            return
        body = problem.encoded(self._documented_at(scope))
        headers = {**problem.headers, "content-type": MEDIA_TYPE, "content-length": len(body),
                   "connection": "close"}  # what the client would send on is not read
        await send({"type": "http.response.start", "status": problem.code, "headers": [
            (name.lower().encode(), str(value).encode()) for name, value in headers.items()]})
        await send({"type": "http.response.body", "body": body})

    def _documented_at(self, scope: Any) -> str:
        return str(scope.get("root_path", ""))

    def _objection(self, scope: Any) -> Problem | None:
        headers = dict(scope["headers"])
        known = self._knows_token(headers.get(b"authorization", b""))
        return (self._too_often(scope) or self._stranger(scope, headers, known)
                or (None if known else _foreign_site(scope, headers)) or _too_large(headers))

    def _knows_token(self, given: bytes) -> bool:
        scheme, _, token = given.partition(b" ")
        return bool(self._token) and scheme.lower() == b"bearer" and hmac.compare_digest(
            token.strip(), self._token)

    def _too_often(self, scope: Any) -> Problem | None:
        seconds = self._buckets.wait((scope.get("client") or ("",))[0])
        if not seconds:
            return None
        return Problem("too-many-requests", "You send more requests than one client may.",
                       "Wait as long as Retry-After says, and send fewer at a time.",
                       {"Retry-After": str(math.ceil(seconds))})

    def _stranger(self, scope: Any, headers: dict[bytes, bytes], known: bool) -> Problem | None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if known or path in _OPEN:
            return None
        if self._token:
            what = "is wrong" if b"authorization" in headers else "is missing"
            return Problem("token-needed", f"The token of this server {what}.", _HOW_TO_SEND,
                           {"WWW-Authenticate": "Bearer"})
        if not self._from_here(scope, headers):
            return Problem(
                "refused", "From other computers the API needs a token, and this server has none.",
                f"Start the server with {TOKEN} in its environment. {_HOW_TO_SEND}")
        host = _host(headers)
        if is_loopback(host):
            return None
        return Problem(
            "refused", f"Without a token the API answers as localhost only, not as {host!r}.",
            f"Use http://localhost:PORT, or start the server with {TOKEN} in its environment.")

    def _from_here(self, scope: Any, headers: dict[bytes, bytes]) -> bool:
        # Also by the connection: the settings do not know how another ASGI server listens.
        ends = (scope.get("server"), scope.get("client"))
        return (self._on_loopback and not _PROXY & headers.keys()
                and all(end and is_loopback(end[0]) for end in ends))


class PageGuard(Guard):
    """The same before what only a page of this server asks: by a secret of its visit, no token.

    Pages have no login, so neither have these requests. What is behind this looks at the secret.
    """

    def _documented_at(self, scope: Any) -> str:
        return "/api"

    def _objection(self, scope: Any) -> Problem | None:
        headers = dict(scope["headers"])
        return (self._too_often(scope) or self._renamed(scope, headers)
                or _foreign_site(scope, headers) or _too_large(headers))

    def _renamed(self, scope: Any, headers: dict[bytes, bytes]) -> Problem | None:
        host = _host(headers)
        if is_loopback(host) or not self._from_here(scope, headers):
            return None
        return Problem("refused", f"This server is localhost, not {host!r}.",
                       "Open the page as http://localhost:PORT.")


def _host(headers: dict[bytes, bytes]) -> str:
    """Return the name in the Host header, without its port; empty for one that is none."""
    netloc = headers.get(b"host", b"").decode("latin-1")
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _foreign_site(scope: Any, headers: dict[bytes, bytes]) -> Problem | None:
    if scope["method"] in _SAFE:
        return None
    host, origin = headers.get(b"host", b"").lower(), headers.get(b"origin")
    here = headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
    if here and (origin is None or origin.partition(b"://")[2].lower() == host):
        return None
    return Problem("refused", "A page of another site may not use the API.",
                   f"Call it from a program, or with a token. {_HOW_TO_SEND}")


def _too_large(headers: dict[bytes, bytes]) -> Problem | None:
    declared = headers.get(b"content-length", b"")
    if not declared.isdigit() or int(declared[:20]) <= LARGEST_BODY:
        return None
    return Problem("too-large", f"The body says it has {int(declared[:20]) / 2**20:,.0f} MB; the "
                                f"limit is {LARGEST_BODY // 2**20} MB.", "Send smaller pictures.")
