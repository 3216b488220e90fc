"""The way by which many dropped files come to the server, past Streamlit's uploader.

    POST   /drops/             [[name, bytes], ...]  ->  {"id", "take": [number, ...], "left_out"}
    POST   /drops/<id>?files=0,7,8                   their bytes, one behind the other
    DELETE /drops/<id>                               cancelled

Each with the secret of a visit in `X-Visit`; `PageGuard` stands before it. No part of the API:
programs ask that for answers. Writes to the disk as bytes come; failures are told as the API does.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from typing import Any

from anyio import CapacityLimiter, fail_after, from_thread, to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cnn.api_guard import LARGEST_BODY
from cnn.api_problems import MEDIA_TYPE, problem_of
from cnn.data.drops import Announced, Tray, find_tray, left_out_lines
from cnn.errors import BadInput, CnnError

VISIT = "X-Visit"  # header with the secret
MOST_LISTED = 20_000  # files of one list
LONGEST_LIST = 8 * 2**20  # bytes of it
STALLED = 30.0  # seconds without a byte after which a request ends: it holds a thread
# Those of a slow line wait most of the time; the usual threads stay free for others.
_WRITING = CapacityLimiter(32)


class _Body:
    """The body of a request as a stream for a thread; no more than one message is in memory."""

    def __init__(self, request: Request) -> None:
        self._messages = request.stream()
        self._message, self._read, self.received = b"", 0, 0

    async def next(self) -> bytes:
        """Return the next message, nothing at the end.

        Raises:
            BadInput: If none comes.
        """
        try:
            with fail_after(STALLED):
                message = await anext(self._messages, b"")
        except TimeoutError as error:
            raise BadInput("The browser stopped sending.", "Drop the files again.") from error
        self.received += len(message)
        return message

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, nothing at the end. Not for the server's own thread."""
        if self._read == len(self._message):
            self._message, self._read = from_thread.run(self.next), 0
        begin = self._read
        self._read = len(self._message) if size < 0 else min(begin + size, len(self._message))
        return self._message[begin:self._read]

    async def pass_over(self) -> None:
        """Read what the browser still sends: before its end it would not see an answer."""
        with suppress(BadInput):
            while self.received <= LARGEST_BODY and await self.next():
                pass


async def announce(request: Request) -> Response:
    """Begin a drop: say which of the files are wanted, and in words which are not."""
    tray = _tray(request)
    body = _Body(request)
    data = bytearray()
    while part := await body.next():
        data += part
        if len(data) > LONGEST_LIST:
            raise _no_list()
    drop = await to_thread.run_sync(lambda: tray.announce(_files(data)))
    return JSONResponse({"id": drop.id, "take": list(drop.wanted),
                         "left_out": left_out_lines(drop.left_out())})


async def keep(request: Request) -> Response:
    """Write some of the files."""
    drop = _tray(request).coming(request.path_params["drop"])
    body = _Body(request)
    try:
        numbers = _numbers(request.query_params.get("files", ""))
        await to_thread.run_sync(partial(drop.keep, numbers, body), limiter=_WRITING)
    except CnnError:
        await body.pass_over()
        raise
    return Response(status_code=204)


async def cancel(request: Request) -> Response:
    """Forget a drop."""
    await to_thread.run_sync(_tray(request).cancel, request.path_params["drop"])
    return Response(status_code=204)


def _tray(request: Request) -> Tray:
    return find_tray(request.headers.get(VISIT, ""))


def _files(data: bytearray) -> list[Announced]:
    try:
        files = [Announced(name, size) for name, size in json.loads(data)]
    except (ValueError, TypeError, RecursionError) as error:
        raise _no_list() from error
    if len(files) > MOST_LISTED or not all(
            isinstance(file.name, str) and type(file.size) is int and file.size >= 0
            for file in files):
        raise _no_list()
    return files


def _no_list() -> BadInput:
    return BadInput(f"This is no list of at most {MOST_LISTED:,} names and sizes.",
                    "Reload the page, and drop fewer files.")


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError as error:
        raise BadInput(f"files must be numbers with commas between. Received: {text[:80]!r}.",
                       "Reload the page.") from error


def _told(request: Request, error: Any) -> Response:
    problem = problem_of(error)
    return Response(problem.encoded("/api"), problem.code, {"connection": "close"}, MEDIA_TYPE)


def _left(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # nobody hears it: the browser has gone


app = Starlette(
    routes=[Route("/", announce, methods=["POST"]), Route("/{drop}", keep, methods=["POST"]),
            Route("/{drop}", cancel, methods=["DELETE"])],
    exception_handlers={CnnError: _told, ClientDisconnect: _left})
