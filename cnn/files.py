"""The one way files are written and read back: whole or not at all.

A writer that dies, or a disk that fills, leaves the old file as it was: data goes to a temporary
file in the same folder (another folder may be another disk), is flushed to the disk, and takes the
final name in one step. Only append-only logs are written otherwise.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import time
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from cnn.errors import BadInput, Damaged, DiskFull, NotFound, Unavailable

TEMPORARY = ".tmp-"  # prefix of unfinished files and folders; safe to delete when no writer lives
RESERVE = 2**20  # bytes that are left free for small files, such as the state of a run
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# Windows gives these names to devices, whatever the extension.
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{d}{i}" for d in ("com", "lpt") for i in range(1, 10)}


def _replace(source: Path, target: Path) -> None:
    # Windows refuses to replace a file that a reader has open at this very moment: try again.
    for pause in (0.01, 0.05, 0.2, 0.5):
        try:
            os.replace(source, target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(source, target)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `target` when the block ends without an exception.

    The temporary name keeps the suffix of `target`, because Keras chooses its format by it. The
    block may write a file or make a folder; a folder replaces nothing and must not exist yet.

    Raises:
        Unavailable: If the disk is full or the folder cannot be written.
    """
    temporary = target.with_name(f"{TEMPORARY}{uuid.uuid4().hex[:8]}-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if temporary.is_file():
            _fsync(temporary)
        _replace(temporary, target)
        if os.name == "posix":  # makes the new name itself survive a power cut
            _fsync(target.parent)
    except OSError as error:
        raise disk_error(target, error) from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path` for the length of a block; who comes second waits.

    Raises:
        Unavailable: If the folder cannot be written.
    """
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise disk_error(path, error) from error
    try:
        yield
    finally:
        lock.release()


def disk_error(target: Path, error: OSError) -> Unavailable:
    """Return in words why `target` was not written."""
    if is_disk_full(error):
        return DiskFull(f"The disk is full: {target.name} was not written.",
                        "Free some space and try again; the earlier version is unharmed.")
    return Unavailable(f"{target} cannot be written ({error.strerror or error}).",
                       "Check that the folder exists and that you may write to it.")


def is_disk_full(error: OSError) -> bool:
    """Whether there is no room left, on the disk or in a person's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def need_space(place: Path, size: int) -> None:
    """Refuse to begin to write what would fill the disk to its last bytes.

    Raises:
        DiskFull: If fewer than `size` bytes and a reserve are free where `place` is.
    """
    free = shutil.disk_usage(place).free
    if free < size + RESERVE:
        raise DiskFull(f"{(size + RESERVE) / 2**20:.0f} MB are needed and {free / 2**20:.0f} MB "
                       "are free.", "Free some space.")


def move(source: Path, target: Path) -> None:
    """Give a file or folder another name on the same disk, in one step.

    Raises:
        Unavailable: If that cannot be done; everything is where it was then.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(source, target)
    except OSError as error:
        raise disk_error(target, error) from error


def atomic_write_bytes(target: Path, data: bytes) -> None:
    """Write `data` to `target`, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)


def atomic_write_json(target: Path, value: Any) -> None:
    """Write `value` as readable JSON to `target`, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write_bytes(target, (text + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`.

    Raises:
        NotFound: If there is no such file.
        Damaged: If it is not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path.name} in {path.parent.name}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise Damaged(f"{path.parent.name}/{path.name} cannot be read ({error}).",
                      "Delete this item or restore the file from a copy.") from error
    if not isinstance(value, dict):
        raise Damaged(f"{path.parent.name}/{path.name} does not hold a JSON object.",
                      "Delete this item or restore the file from a copy.")
    return value


def read_json_lines(path: Path, start: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Return the records of an append-only log from byte `start`, and where to go on reading.

    A torn last line (its writer is still at it, or died) is left for the next call; a line that is
    damaged in the middle of the file is passed over.

    Raises:
        Damaged: If there is something that cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return [], start
    except OSError as error:
        raise Damaged(f"{path.parent.name}/{path.name} cannot be read "
                      f"({error.strerror or error}).",
                      "Delete this item or restore the file from a copy.") from error
    end = data.rfind(b"\n") + 1
    records = []
    for line in data[:end].splitlines():
        with suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict):
                records.append(record)
    return records, start + end


def check_name(name: str, what: str = "name") -> str:
    """Return `name` if it can safely be the name of a folder on every system.

    Raises:
        BadInput: If it has other characters than a-z, 0-9, dot, dash and underscore, is longer
            than 64, or is a name that Windows reserves.
    """
    if not _NAME.fullmatch(name) or _reserved(name) or name.endswith("."):
        raise BadInput(
            f"The {what} {name[:80]!r} cannot be used.",
            "Use 1 to 64 small letters, digits, dots, dashes or underscores, "
            f"starting with a letter or digit, for instance {suggest_name(name)!r}.")
    return name


def free_path(folder: Path, name: str) -> Path:
    """Return the path of `name`, or `name-2`, `name-3` and so on: the first that is free."""
    candidate, number = name, 2
    while (folder / candidate).exists():
        ending = f"-{number}"
        candidate, number = name[: 64 - len(ending)] + ending, number + 1
    return folder / candidate


def suggest_name(text: str) -> str:
    """Return the nearest name that `check_name` accepts."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._")[:64].rstrip(".")
    return name if name and not _reserved(name) else f"my-{name or 'model'}"


def _reserved(name: str) -> bool:
    return name.partition(".")[0] in _RESERVED
