"""The three ways in which a request brings pictures: as its body, as files of a form, as a link.

No more of a body is read than is allowed, whatever it declares. Fetches and decodes nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile

from cnn.api_guard import LARGEST_BODY
from cnn.api_limits import Room
from cnn.data.images import MAX_BYTES
from cnn.errors import BadInput

LONGEST_LINK = 16 * 1024  # bytes of a JSON body
MOST_FILES = 64
LONGEST_NAME = 200  # characters
FORM = "multipart/form-data"
_ROOM = Room(512 * 2**20)


@dataclass(frozen=True)
class Picture:
    """What is to be classified: the bytes of a picture, or a link to one."""

    source: str
    data: bytes = b""
    is_link: bool = False


@dataclass(frozen=True)
class Asked:
    """The pictures of a request; one that is no form has one."""

    pictures: list[Picture]
    form: bool = False


async def read_pictures(request: Request) -> AsyncIterator[Asked]:
    """Yield what the body of a request holds; its memory is accounted for until the answer is out.

    Raises:
        HTTPException: 415 for another content type, 413 for a body that is too large.
        BadInput: If the JSON has no link, or the form no file.
        Unavailable: If too many pictures of other requests are in memory.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limit = _limit(kind)
    declared = request.headers.get("content-length", "")
    size = int(declared[:20]) if declared.isdigit() else limit
    if size > limit:
        raise _too_large(limit)
    with _ROOM.taken(size):
        yield await _read(request, kind, limit)


def _limit(kind: str) -> int:
    if kind == "application/json":
        return LONGEST_LINK
    if kind == FORM:
        return LARGEST_BODY
    if kind.startswith("image/") or kind == "application/octet-stream":
        return MAX_BYTES
    raise HTTPException(415, "Send a picture as image/* or application/octet-stream, pictures as "
                             f"files of {FORM}, or a link as application/json. Received: "
                             f"{kind[:80] or 'no content type'}.")


def _too_large(limit: int) -> HTTPException:
    # What the client would still send is not read.
    return HTTPException(413, f"The body is larger than {limit / 2**20:g} MB.",
                         {"Connection": "close"})


async def _read(request: Request, kind: str, limit: int) -> Asked:
    if kind == FORM:
        return Asked(await _read_files(request, limit), form=True)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:  # the declared length may be missing or a lie
            raise _too_large(limit)
    if kind == "application/json":
        return Asked([Picture(_link(bytes(body)), is_link=True)])
    return Asked([Picture("upload", bytes(body))])


async def _read_files(request: Request, limit: int) -> list[Picture]:
    received = 0

    async def receive() -> Any:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit)
        return message

    counted = Request(request.scope, receive)
    async with counted.form(max_files=MOST_FILES, max_fields=MOST_FILES) as form:
        pictures = [await _picture(name, value) for name, value in form.multi_items()]
    if not pictures:
        raise BadInput("The form has no file.", "With curl: -F file=@cat.jpg -F file=@dog.jpg")
    return pictures


async def _picture(field: str, value: Any) -> Picture:
    if not isinstance(value, UploadFile):
        raise BadInput(f"The field {field[:80]!r} of the form is not a file.",
                       "With curl, mind the @: -F file=@cat.jpg")
    return Picture((value.filename or "upload")[:LONGEST_NAME], await value.read())


def _link(body: bytes) -> str:
    try:
        url = json.loads(body)["url"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise BadInput("The body is not a JSON object with a url.",
                       'Send {"url": "https://..."}.') from error
    if not isinstance(url, str):
        raise BadInput(f"url must be text. Received: {str(url)[:80]}.",
                       'Send {"url": "https://..."}.')
    return url
