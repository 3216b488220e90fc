"""Lists and reads the files of a zip for import, taking the zip for hostile.

Names in the zip never become paths here, nothing is unpacked to the disk, and bytes are counted
while they are read: sizes that a zip states can be lies. `open_zip` lists pictures; what else comes
in zips starts from `open_checked`, `check_entry` and `unpack`. Knows nothing of classes and runs.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from cnn.data.images import MAX_BYTES
from cnn.data.layout import EMPTY, MAX_FILES, Entry, Skipped, shown, usable_parts
from cnn.errors import BadInput, CnnError, Refused

MAX_UNPACKED = 2 * 2**30  # bytes, of all files together
MAX_RATIO = 200  # unpacked to packed size of one file; pictures are packed already
_RATIO_FREE = 2**20  # bytes below which the ratio does not matter: a white picture packs well
_MAX_DIRECTORY = 64 * 2**20  # bytes of the list of files at the end of the zip
_END, _END_64, _LOCATOR_64, _LISTED = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2"
_USUAL = ("Choose a zip of class folders, made without a password, of at most "
          f"{MAX_FILES:,} files.")
_UNPACK_FIRST = "If you trust it, unpack it yourself and import the folder."


class _Budget:
    """How many bytes may still be unpacked from one zip."""

    def __init__(self) -> None:
        self.left = MAX_UNPACKED

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Refused(f"The zip unpacks to more than {MAX_UNPACKED / 2**30:g} GB.",
                          _UNPACK_FIRST)


@contextmanager
def open_zip(path: Path) -> Iterator[tuple[list[Entry], list[Skipped]]]:
    """Yield the files of a zip, readable inside the block, and those that are not used.

    Raises:
        BadInput: If it is not a zip that can be read.
        Refused: If it is made to do harm: too many or overlapping files, too large when unpacked.
    """
    with open_checked(path, _USUAL) as archive:
        budget, entries, skipped = _Budget(), [], []
        filled = {_parent(info) for info in archive.infolist()}
        for info in archive.infolist():
            name = info.filename.rstrip("/")
            if info.is_dir() and name in filled:
                continue
            try:
                parts = usable_parts(name)
                if parts and info.is_dir():
                    raise BadInput(EMPTY)
                if parts:
                    check_entry(info)
                    entries.append(Entry(parts, partial(_read, archive, info, budget)))
            except BadInput as error:
                skipped.append((shown(name), error.message))
        yield entries, skipped


def _parent(info: zipfile.ZipInfo) -> str:
    return info.filename.rstrip("/").rpartition("/")[0]


@contextmanager
def open_checked(path: Path, hint: str) -> Iterator[zipfile.ZipFile]:
    """Yield a zip with a list of files that can be gone through safely.

    Args:
        path: Of the zip.
        hint: What the person should do if it is refused.

    Raises:
        BadInput: If it is not a zip that can be read.
        Refused: If it lists too many or overlapping files.
    """
    with _opened(path, hint) as archive:
        _check_overlap(archive, hint)
        yield archive


def _opened(path: Path, hint: str) -> zipfile.ZipFile:
    try:
        with path.open("rb") as file:
            _check_count(file, hint)
        return zipfile.ZipFile(path)
    except CnnError:
        raise
    except Exception as error:  # broken zips end in a dozen kinds
        # Without its name: a file from a browser lies here under one of our own.
        raise BadInput(f"The file cannot be read as a zip ({error}).", hint) from error


def _check_count(file: BinaryIO, hint: str) -> None:
    """Count the listed files before `zipfile` does, which would take 700 bytes of memory for each.

    Finds the list exactly where `zipfile` does, or raises.
    """
    listing = _read_listing(file)
    place = count = 0
    while listing[place:place + 4] == _LISTED:
        place += 46 + sum(struct.unpack_from("<3H", listing, place + 28))
        count += 1
        if count > MAX_FILES:
            raise Refused(f"The zip holds more than {MAX_FILES:,} files.", hint)


def _read_listing(file: BinaryIO) -> bytes:
    length = file.seek(0, os.SEEK_END)
    tail_start = max(0, length - 76 - 22 - 65535)  # ZIP64 end and its locator, end, comment
    file.seek(tail_start)
    tail = file.read()
    plain = tail[-22:-18] == _END and tail[-2:] == b"\0\0"  # most zips have no comment
    at = len(tail) - 22 if plain else tail.rfind(_END)
    if at < 0:
        raise zipfile.BadZipFile("it has no end record")
    size = struct.unpack_from("<L", tail, at + 12)[0]
    if at >= 20 and tail[at - 20:at - 16] == _LOCATOR_64:
        at -= 76
        if at < 0 or tail[at:at + 4] != _END_64 or (
                struct.unpack_from("<Q", tail, at + 64)[0] != tail_start + at):
            raise zipfile.BadZipFile("its two end records contradict each other")
        size = struct.unpack_from("<Q", tail, at + 40)[0]
    if size > min(_MAX_DIRECTORY, tail_start + at):
        raise zipfile.BadZipFile("its list of files is too long")
    file.seek(tail_start + at - size)
    return file.read(size)


def _check_overlap(archive: zipfile.ZipFile, hint: str) -> None:
    """Refuse files that share bytes; Python looks for that itself only since 3.11.8 and 3.12.2."""
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    following = [info.header_offset for info in infos[1:]] + [archive.start_dir]
    for info, limit in zip(infos, following, strict=False):  # an empty zip has no files, one limit
        if info.header_offset + 30 + info.compress_size > limit:  # 30: the shortest header
            raise Refused("The zip is built so that its files overlap, which only zip bombs are.",
                          hint)


def check_entry(info: zipfile.ZipInfo) -> None:
    """Refuse what is no ordinary, readable file.

    Raises:
        BadInput: If it is a link, has a password or is packed in an unusual way.
    """
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise BadInput("it is a link or no ordinary file")
    if info.flag_bits & 0x1:
        raise BadInput("it is protected by a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput("it is packed in a way that is not supported")


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces; the reader counts them and may stop at any time.

    Raises:
        BadInput: If the file is damaged or unpacks like a bomb.
    """
    tight, count = max(_RATIO_FREE, MAX_RATIO * info.compress_size), 0
    try:
        with archive.open(info) as file:
            while chunk := file.read(2**16):
                count += len(chunk)
                if count > tight:
                    raise BadInput(f"it unpacks to more than {MAX_RATIO} times its packed size")
                yield chunk
    except CnnError:
        raise
    except Exception as error:  # wrong checksum, broken stream, lying header
        raise BadInput(f"it is damaged in the zip ({error})") from error


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> bytes:
    data = bytearray()
    for chunk in unpack(archive, info):
        budget.take(len(chunk))
        data += chunk
        if len(data) > MAX_BYTES:  # the decoder says so
            break
    return bytes(data)
