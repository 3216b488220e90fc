"""Many files that a browser sends at once: announced as a list, then sent a few at a time.

A visit has one `Tray`, which is found by a secret that only its page knows. What of a drop can be
taken is decided from names and sizes, before anything is sent; what is left out is kept with its
reason. Files get generated names and go with their tray, so at the latest when the visit ends.
Knows neither HTTP nor pages, and opens no file.
"""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.data.layout import shown, usable_parts
from cnn.data.staging import Readable, Staging
from cnn.data.store import STORE, writable_folder
from cnn.errors import BadInput, NotFound, Refused
from cnn.files import need_space

LONGEST_NAME = 200  # characters that are kept: the last, since folders come before the file
NAMED = 3  # files that are named for each reason to leave some out
_NOT_READ = "because the browser could not read them"
_TRAYS: weakref.WeakValueDictionary[str, Tray] = weakref.WeakValueDictionary()


@dataclass(frozen=True)
class Bounds:
    """What one drop may hold."""

    endings: tuple[str, ...]  # of names, in small letters and without the dot
    files: int
    each: int  # bytes of one file
    total: int  # bytes of all


@dataclass(frozen=True)
class Announced:
    """A file as a browser tells of it: nothing of this is used for a path."""

    name: str  # with its folders, if it comes from one
    size: int  # bytes


@dataclass(frozen=True)
class Dropped:
    """A file that has come."""

    name: str
    size: int  # bytes
    path: Path


class Drop:
    """The files of one drop.

    Args:
        files: All that were dropped, in the order in which they are numbered.
        bounds: What of them is taken.
    """

    def __init__(self, files: Sequence[Announced], bounds: Bounds) -> None:
        self.id = secrets.token_hex(8)
        self.wanted: dict[int, Announced] = {}  # by number, in the order of their names
        self._left_out: dict[str, list[str]] = {}  # names by reason
        self._stage = Staging()
        self._paths: dict[int, Path] = {}
        self._ended = False
        self._sort_out(files, bounds)

    def _sort_out(self, files: Sequence[Announced], bounds: Bounds) -> None:
        total = 0
        for number, file in sorted(enumerate(files), key=lambda one: one[1].name):
            if _is_rubbish(file.name):
                continue
            # What a browser calls a file may hold characters that make a name lie.
            name = shown(file.name[-LONGEST_NAME:])
            reason = _objection(file, len(self.wanted), total, bounds)
            if reason:
                self._left_out.setdefault(reason, []).append(name)
            else:
                self.wanted[number] = Announced(name, file.size)
                total += file.size

    @property
    def size(self) -> int:
        """Bytes of all that is wanted."""
        return sum(file.size for file in self.wanted.values())

    def keep(self, numbers: Sequence[int], stream: Readable) -> None:
        """Write files that come one behind the other; of one that came before, the first stays.

        Args:
            numbers: Which they are.
            stream: Their bytes, exactly as many as were announced.

        Raises:
            BadInput: If a file is not wanted, or the stream ends before it.
            NotFound: If the drop was cancelled meanwhile.
            Unavailable: If the disk is full.
        """
        for number in numbers:
            if self._ended:
                raise _gone()
            if number not in self.wanted:
                raise BadInput(f"File {number} of this drop is not wanted.",
                               "Send those that the server asked for.")
            size = self.wanted[number].size
            path = self._stage.keep(_Part(stream, size), size)
            if self._paths.setdefault(number, path) is not path:
                path.unlink(missing_ok=True)

    def files(self) -> list[Dropped]:
        """Return what has come, in the order of names."""
        return [Dropped(file.name, file.size, self._paths[number])
                for number, file in self.wanted.items() if number in self._paths]

    def left_out(self) -> dict[str, list[str]]:
        """Return the names of files that are not there, by the reason, which follows their count.

        Names are sorted; reasons are such as "for having more than 20 MB".
        """
        missing = [file.name for number, file in self.wanted.items() if number not in self._paths]
        return {**self._left_out, **({_NOT_READ: missing} if missing else {})}

    def end(self) -> None:
        """Delete the files; what still comes is refused."""
        self._ended = True
        self._stage.clear()


class Tray:
    """What a visit has dropped: one drop that is there, and one that is still coming.

    Args:
        bounds: What a drop may hold.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.secret = secrets.token_urlsafe(32)
        self.bounds = bounds
        self.drop: Drop | None = None  # that has come
        self._coming: Drop | None = None
        _TRAYS[self.secret] = self

    def announce(self, files: Sequence[Announced]) -> Drop:
        """Begin a drop, in the place of one that is still coming; the one that is there stays.

        Raises:
            Unavailable: If there is no room on the disk for what is wanted.
        """
        drop = Drop(files, self.bounds)
        need_space(writable_folder(STORE), drop.size)
        if self._coming is not None:
            self._coming.end()
        self._coming = drop
        return drop

    def coming(self, name: str) -> Drop:
        """Return the drop that is coming, by its id.

        Raises:
            NotFound: If it is not that one, or not any more.
        """
        if self._coming is None or self._coming.id != name:
            raise _gone()
        return self._coming

    def cancel(self, name: str) -> None:
        """Delete what has come of a drop.

        Raises:
            NotFound: If it is not the one that is coming.
        """
        self.coming(name).end()
        self._coming = None

    def take(self, name: str) -> None:
        """Let the drop that was coming take the place of the one that is there.

        An id of no such drop changes nothing: a page asks again whenever it is drawn.
        """
        if self._coming is not None and self._coming.id == name:
            self.clear()
            self.drop, self._coming = self._coming, None

    def clear(self) -> None:
        """Delete the drop that is there."""
        if self.drop is not None:
            self.drop.end()
        self.drop = None


def find_tray(secret: str) -> Tray:
    """Return the tray of a visit.

    Raises:
        Refused: If no visit has that secret.
    """
    tray = _TRAYS.get(secret)
    if tray is None:
        raise Refused("The server does not know this visit any more.", "Reload the page.")
    return tray


def left_out_lines(left_out: dict[str, list[str]]) -> list[str]:
    """Return what `Drop.left_out` found in words, a line for each reason."""
    return [f"{len(names):,} {reason}: {_some(names)}" for reason, names in left_out.items()]


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _is_rubbish(name: str) -> bool:
    """Whether a system made the file, not a person."""
    try:
        return not usable_parts(name)
    except BadInput:  # an odd name, which is only ever shown
        return False


def _objection(file: Announced, files: int, total: int, bounds: Bounds) -> str:
    """Return why a file is left out, behind so many others; nothing if it is wanted."""
    if not file.name.lower().endswith(tuple(f".{ending}" for ending in bounds.endings)):
        *most, last = bounds.endings
        return f"because of the name, which must end in {', '.join(most)} or {last}"
    if file.size > bounds.each:
        return f"for having more than {bounds.each // 2**20:,} MB"
    if files >= bounds.files:
        return f"for being more than {bounds.files:,} at once"
    if total + file.size > bounds.total:
        return f"for being more than {bounds.total / 2**30:g} GB at once"
    return ""


def _gone() -> NotFound:
    return NotFound("These files were cancelled, or others came in their place.",
                    "Drop them again.")


class _Part:
    """The next bytes of a stream, as a stream that ends behind them."""

    def __init__(self, stream: Readable, size: int) -> None:
        self._stream, self._left = stream, size

    def read(self, size: int = -1, /) -> bytes:
        """Return some of the bytes that are left, at most `size`.

        Raises:
            BadInput: If the stream ends before them.
        """
        if not self._left:
            return b""
        data = self._stream.read(min(size, self._left) if size > 0 else self._left)
        if not data:
            raise BadInput("The files ended before all of them had come.", "Drop them again.")
        self._left -= len(data)
        return data
