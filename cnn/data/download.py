"""Downloads official files from fixed addresses: whole and right, or nothing and a reason.

    <name>.part       what has come so far; the next try goes on from there
    <name>.part.json  which file that is, from where, and the server's mark of its version

All mirrors of a file offer the same bytes, so one can go on where another stopped. Lengths and
versions are only asked to notice trouble early; the SHA-256 decides, before the file gets its name.
Not for links that users give: those are fetched by `cnn.data.urls`, which guards against them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cnn.data.download_meter import Meter, TooSlow
from cnn.data.progress import Progress, bytes_in_words
from cnn.errors import Damaged, NotFound, Unavailable
from cnn.files import atomic_path, atomic_write_json, disk_error, need_space, read_json

_SCHEMES = ("https",)  # of addresses and redirects; only tests use another
_REDIRECTS = 5
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 20.0  # without a single byte
_ROUNDS = 3  # through all mirrors, as long as each round brings something
_CHUNK = 2**20


@dataclass(frozen=True)
class RemoteFile:
    """A file that one or several servers offer, the same in each of its bytes."""

    name: str  # in a data folder; may have a folder of its own, with "/"
    mirrors: tuple[str, ...]  # addresses, in the order in which they are tried
    sha256: str
    size: int  # bytes

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the servers."""
        return tuple(urlsplit(url).hostname or url for url in self.mirrors)


class _Refused(Exception):
    """A server that does not deliver this file; the next one may."""


def download(files: Sequence[RemoteFile], folder: Path, progress: Progress) -> None:
    """Download files into `folder`, each from the first of its mirrors that delivers it.

    Args:
        files: What to download.
        folder: Where to put them; a name is taken only when the whole file is right.
        progress: Told how many bytes of all files are there; it may raise `Cancelled`. Whatever
            ends a download, what has come is kept for the next try.

    Raises:
        Unavailable: If no mirror delivers a file, or the disk cannot take it.
    """
    total, before = sum(file.size for file in files), 0
    for file in files:
        target = folder / file.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            need_space(target.parent, file.size - received(file, folder))
            _fetch(file, target, Meter(progress, target.name, before, total))
        except OSError as error:
            raise disk_error(target, error) from error
        before += file.size


def received(file: RemoteFile, folder: Path) -> int:
    """Return how many bytes of a download that was broken off are kept in `folder`."""
    return _Part(folder / file.name, file).size()


def _fetch(file: RemoteFile, target: Path, meter: Meter) -> None:
    import httpx2

    part = _Part(target, file)
    problems: dict[str, str] = {}
    speeds: dict[str, float] = {}  # of those that were left for their slowness
    mirrors = list(file.mirrors)
    for attempt in range(_ROUNDS):
        before = part.size()
        for url in sorted(mirrors, key=lambda url: -speeds.get(url, 0)):
            try:
                _complete(url, part, meter, hurry=attempt == 0 and len(file.mirrors) > 1)
                return
            except TooSlow:
                speeds[url] = meter.speed
                problems[url] = f"slow, {bytes_in_words(meter.speed)}/s"
            except _Refused as error:
                mirrors.remove(url)
                problems[url] = str(error)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                problems[url] = str(error).partition("\n")[0] or type(error).__name__
        if part.size() <= before:
            break
    raise _unavailable(file, target, part.size(), problems)


def _unavailable(
    file: RemoteFile, target: Path, kept: int, problems: dict[str, str]
) -> Unavailable:
    why = "; ".join(f"{urlsplit(url).hostname}: {problem}" for url, problem in problems.items())
    again = f" (it goes on after the {bytes_in_words(kept)} that are here)" if kept else ""
    return Unavailable(
        f"{target.name} could not be downloaded ({why}).",
        f"Check the network and try again{again}. If you have the file, give it on the page Data, "
        f"or with: python -m cnn datasets NAME --file {target.name}. Meanwhile 'digits' needs no "
        "network, and pictures of your own can be imported.")


def _complete(url: str, part: _Part, meter: Meter, hurry: bool) -> None:
    """Receive what is missing of a file, and give it its name if it is right."""
    for _ in range(2):
        began = part.size()
        if began < part.file.size:
            _receive(url, part, meter, hurry)
        meter.say("Checking")
        if _sha256(part.path) == part.file.sha256:
            part.finish()
            return
        part.discard()
        if not began:
            break
        # What was there before may be what is wrong: this mirror gets a chance of its own.
    raise _Refused("what it sends is not the official file")


def _receive(url: str, part: _Part, meter: Meter, hurry: bool) -> None:
    """Add what `url` delivers to the part, until it is as long as the file."""
    import httpx2

    timeout = httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    # Asked for and hashed as it is stored there: some servers offer to unpack a .gz on the way.
    headers = {"Accept-Encoding": "identity", **part.range_headers(url)}
    host = urlsplit(url).hostname or url
    meter.start(host, part.size())
    with (httpx2.Client(timeout=timeout, follow_redirects=True, max_redirects=_REDIRECTS,
                        event_hooks={"request": [_check_scheme]}) as client,
          client.stream("GET", url, headers=headers) as response):
        at = _start_of(response, part)
        part.begin(url, response.headers.get("etag", ""))
        meter.start(host, at)
        with part.path.open("ab" if at else "wb") as file:
            for chunk in response.iter_raw():  # of whatever size: a drip must not be waited for
                at += len(chunk)
                if at > part.file.size:
                    break
                file.write(chunk)
                meter.reach(at)
                meter.check(part.file.size - at, hurry)
    if at > part.file.size:
        part.discard()
        raise _Refused("it sends more than the file has")
    if at < part.file.size:
        raise httpx2.RemoteProtocolError(
            f"ended after {bytes_in_words(at)} of {bytes_in_words(part.file.size)}")


def _check_scheme(request: Any) -> None:
    # Called for every redirect too.
    if request.url.scheme not in _SCHEMES:
        raise _Refused(f"it leads to {request.url.scheme}:, which is not protected")


def _start_of(response: Any, part: _Part) -> int:
    """Return from which byte on an answer is, after refusing what cannot be this file."""
    size, status = part.file.size, response.status_code
    if not response.is_success:
        raise _Refused(f"it answers {status} {response.reason_phrase}".rstrip())
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _Refused("it sends the file packed once more")
    if status == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", ""))
        if not found or int(found[1]) != part.size() or found[2] not in ("*", str(size)):
            raise _Refused("it sends another part than was asked for")
        return part.size()
    length = response.headers.get("content-length")
    if length is not None and length != str(size):
        raise _Refused(f"what it offers has {length[:20]} bytes instead of {size:,}")
    return 0


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class _Part:
    """What has come of a file so far."""

    def __init__(self, target: Path, file: RemoteFile) -> None:
        self.file = file
        self.path = target.with_name(f"{target.name}.part")
        self._target = target
        self._note = target.with_name(f"{target.name}.part.json")

    def _known(self) -> dict[str, Any]:
        try:
            known = read_json(self._note)
        except (NotFound, Damaged):
            return {}
        return known if known.get("sha256") == self.file.sha256 else {}

    def size(self) -> int:
        """Return how many bytes can be kept."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return 0
        return size if size <= self.file.size and self._known() else 0

    def range_headers(self, url: str) -> dict[str, str]:
        """Return how to ask for the rest, from the same version if this is the same server."""
        if not self.size():
            return {}
        headers, known = {"Range": f"bytes={self.size()}-"}, self._known()
        version = known.get("etag")
        if known.get("url") == url and isinstance(version, str) and version.startswith('"'):
            headers["If-Range"] = version  # a weak mark, W/"...", may not be used for this
        return headers

    def begin(self, url: str, version: str) -> None:
        """Note where the next bytes come from."""
        atomic_write_json(self._note, {"sha256": self.file.sha256, "url": url, "etag": version})

    def finish(self) -> None:
        """Give the file its name."""
        with atomic_path(self._target) as temporary:
            os.replace(self.path, temporary)
        self.discard()

    def discard(self) -> None:
        """Throw away what has come."""
        for path in (self.path, self._note):
            with suppress(FileNotFoundError):
                path.unlink()
