"""The exceptions that a person may see.

Every expected failure in `cnn/` is a `CnnError`: a sentence that says what went wrong, a hint that
says what to do, and a kind that programs can test. Only pages, API and CLI turn one into words on a
screen; everything else lets it pass. This module knows nothing of where the error is shown.
"""

from __future__ import annotations


class CnnError(Exception):
    """An expected failure, in words for the person at the screen.

    Args:
        message: What went wrong, naming the thing and the value received.
        hint: What the person can do about it. Defaults to no hint.
    """

    kind = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def to_dict(self) -> dict[str, str]:
        """Return the error as JSON-ready text, to cross a process border."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


class BadInput(CnnError):
    """A value, file or picture that cannot be used as it is."""

    kind = "bad-input"


class NotFound(CnnError):
    """A name that does not exist: data set, architecture, model, run or file."""

    kind = "not-found"


class Damaged(CnnError):
    """A file of ours that is there but cannot be read."""

    kind = "damaged"


class Refused(CnnError):
    """Something we will not do because it is not safe, such as a link to a private address."""

    kind = "refused"


class Unavailable(CnnError):
    """Something outside that is missing now: network, disk space, the prediction engine."""

    kind = "unavailable"


class DiskFull(Unavailable):
    """No room for what is to be written; a trainer waits until there is."""


_KINDS = {cls.kind: cls for cls in (CnnError, BadInput, NotFound, Damaged, Refused, Unavailable)}


def error_from_dict(data: dict[str, str]) -> CnnError:
    """Rebuild the error that `CnnError.to_dict` wrote in another process."""
    cls = _KINDS.get(data.get("kind", ""), CnnError)
    return cls(data.get("message", "Unknown error."), data.get("hint", ""))
