"""What goes wrong with a request, as RFC 9457 wants it told: `application/problem+json`.

One table of kinds for every failure of the API, used by its routes, its guard and its
documentation. Imports nothing of FastAPI: the guard is there before that is. Knows no routes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from cnn.errors import BadInput, CnnError, Damaged, NotFound, Refused, Unavailable

MEDIA_TYPE = "application/problem+json"


class LinkFailed(CnnError):
    """A link whose host cannot be found or reached, is too slow, or answers with an error."""

    kind = "link-failed"


@dataclass(frozen=True)
class Kind:
    """A kind of failure: its HTTP status, and what it means."""

    status: int
    meaning: str


KINDS = {  # the name is the anchor in the documentation that an error's `type` leads to
    BadInput.kind: Kind(400, "A value, file or picture that cannot be used as it is."),
    "token-needed": Kind(401, "The request lacks the token of this server, or has a wrong one."),
    Refused.kind: Kind(403, "Something that is not safe, such as a link to a private address."),
    NotFound.kind: Kind(404, "A name or an address that does not exist."),
    "wrong-method": Kind(405, "The address exists, but not for this method; see `Allow`."),
    "too-large": Kind(413, "The body is larger than is allowed; it was not read to its end."),
    "wrong-content": Kind(415, "The body has another content type than those that are read."),
    LinkFailed.kind: Kind(424, "The link is allowed, but no picture could be fetched from it."),
    "too-many-requests": Kind(429, "More requests than one client may send; see `Retry-After`."),
    CnnError.kind: Kind(500, "A failure that nobody expected; the server's terminal has more."),
    Damaged.kind: Kind(500, "A file of this server is there but cannot be read."),
    Unavailable.kind: Kind(503, "Something is missing now: memory, disk space, the engine."),
}
_BY_STATUS: dict[int, str] = {}
for _name, _kind in KINDS.items():
    _BY_STATUS.setdefault(_kind.status, _name)


def kind_of_status(status: int) -> str:
    """Return the kind of a failure of which only the HTTP status is known."""
    return _BY_STATUS.get(status, BadInput.kind if status < 500 else CnnError.kind)


@dataclass(frozen=True)
class Problem:
    """One failure in words; `status` only where it differs from that of its kind."""

    kind: str
    detail: str
    hint: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 0

    @property
    def code(self) -> int:
        """The HTTP status."""
        return self.status or KINDS[self.kind].status

    def body(self, root: str) -> dict[str, Any]:
        """Return the JSON, for an API that is mounted at `root`."""
        return {"type": f"{root}/docs#{self.kind}", "title": HTTPStatus(self.code).phrase,
                "status": self.code, "detail": self.detail, "hint": self.hint}

    def encoded(self, root: str) -> bytes:
        """Return the same as bytes."""
        return json.dumps(self.body(root)).encode()


def problem_of(error: CnnError) -> Problem:
    """Return an expected failure as a problem."""
    kind = error.kind if error.kind in KINDS else CnnError.kind
    return Problem(kind, error.message, error.hint)


SCHEMA: dict[str, Any] = {
    "type": "object", "required": ["type", "title", "status", "detail", "hint"],
    "properties": {
        "type": {"type": "string", "description": "Ends with # and the kind of the failure."},
        "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What went wrong."},
        "hint": {"type": "string", "description": "What to do about it."}}}
