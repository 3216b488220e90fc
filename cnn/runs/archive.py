"""A run as one zip: written here, checked and taken in by another installation.

    manifest.json   format, run id, when, and size and SHA-256 of every file
    config.json, architecture.json, status.json, metrics.jsonl, log.txt, label.json, control.json,
    checkpoints/*.npz, pins/*, snapshots/*.npz

The saved model is not in it: a model file from a stranger is more than data. The checkpoint has the
best weights, as plain numbers. What is inside the files is judged by `archive_checks`; this module
knows names, sizes and sums.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from cnn.data.layout import shown
from cnn.data.zips import check_entry, open_checked, unpack
from cnn.errors import BadInput, CnnError, Refused, Unavailable
from cnn.files import atomic_path, check_name, free_path
from cnn.paths import runs_dir
from cnn.runs.archive_checks import check_run_files
from cnn.runs.folder import ACTIVE, ARCHITECTURE_FILE, RunFolder
from cnn.runs.labels import LABEL_FILE
from cnn.runs.manager import get_run

MANIFEST = "manifest.json"
FORMAT, VERSION = "cnn-studio-run", 1
MOST_FILES = 100
MOST_BYTES = 4 * 2**30  # of all files together, unpacked
MOST_JSON_BYTES = 2**20  # of each JSON file
# In the order of writing: a run may train meanwhile. What a later file tells beyond the checkpoint
# is told again by a resume; what an earlier one lacked would be lost.
_FOLDERS = {"checkpoints": (".npz",), "pins": (".png", ".json"), "snapshots": (".npz",)}
_FILES = ("metrics.jsonl", "log.txt", "status.json", "config.json", ARCHITECTURE_FILE, LABEL_FILE,
          "control.json")
_NEEDED = {"config.json", "status.json"}
_HINT = "Export the run again where it was trained, and use the zip as it is."


@dataclass(frozen=True)
class Contents:
    """What a run's archive says of itself."""

    run_id: str
    exported: str  # UTC, ISO 8601
    files: dict[str, tuple[int, str]]  # by name: bytes, and SHA-256 in hexadecimal

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(size for size, _ in self.files.values())


def export_run(run_id: str, target: Path) -> Contents:
    """Write a run to the zip `target`, whole or not at all.

    Raises:
        NotFound: If there is no such run.
        Damaged: If it cannot be read.
        BadInput: If there is a file at `target` already.
        Unavailable: If the disk is full or the folder cannot be written.
    """
    if target.exists():
        raise BadInput(f"{target} exists already.", "Choose another name; nothing is overwritten.")
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        return write_archive(run_id, file)


def write_archive(run_id: str, file: BinaryIO) -> Contents:
    """Write a run as a zip into an open file; a run that trains is written as it is now.

    Raises:
        NotFound: If there is no such run.
        Damaged: If it cannot be read.
        Refused: If it is too large for an archive.
    """
    run = get_run(run_id)
    if run.error:
        raise run.error
    size, names = archive_size(run.folder), list(_names(run.folder.path))
    if size > MOST_BYTES:
        raise Refused(f"The run has {size / 2**30:.1f} GB; an archive holds at most "
                      f"{MOST_BYTES / 2**30:g} GB.", f"Copy its folder: {run.folder.path}")
    # Stored, not packed: weights hardly get smaller, and what is never packed is never a bomb.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        files = dict(filter(None, (_add(archive, run.folder.path, name) for name in names)))
        contents = Contents(run_id, datetime.now(UTC).isoformat(timespec="seconds"), files)
        archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(_manifest(contents), indent=2))
    return contents


def archive_size(folder: RunFolder) -> int:
    """Return how many bytes an archive of a run will have, but for a little."""
    total = 0
    for name in _names(folder.path):
        with suppress(FileNotFoundError):  # a trainer has just replaced it
            total += (folder.path / name).stat().st_size
    return total


def verify_archive(path: Path) -> Contents:
    """Check every sum and file of a run's archive without importing it.

    Raises:
        BadInput, Refused: If it is not an archive that can be imported; the first reason.
        Unavailable: If there is no room to unpack it.
    """
    try:
        with _opened(path) as (archive, contents), tempfile.TemporaryDirectory() as folder:
            _unpack(archive, contents, Path(folder))
            return contents
    except OSError as error:
        raise Unavailable(f"There is no room to check the archive ({error.strerror or error}).",
                          "Free some space and try again.") from error


def import_run(path: Path) -> str:
    """Take in the run of an archive, checked to the last byte; return its id, a free one.

    A run that was exported while it trained comes in as interrupted: it can be resumed.

    Raises:
        BadInput, Refused: If it is not an archive that can be imported; the first reason.
        Unavailable: If the disk is full or the folder of runs cannot be written.
    """
    with _opened(path) as (archive, contents):
        target = free_path(runs_dir(), contents.run_id)
        with atomic_path(target) as temporary:
            temporary.mkdir()
            _unpack(archive, contents, temporary)
            _settle(RunFolder(temporary))
    return target.name


def _names(folder: Path) -> Iterator[str]:
    """Yield the names of a run's files that belong into an archive."""
    for place in _FOLDERS:
        inside = sorted((folder / place).iterdir()) if (folder / place).is_dir() else []
        yield from (name for path in inside if _is_plain(path)
                    and _allowed(name := f"{place}/{path.name}"))
    yield from (name for name in _FILES if _is_plain(folder / name))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _allowed(name: str) -> bool:
    """Whether a file of this name may be in an archive; never one that leads elsewhere."""
    place, slash, file = name.rpartition("/")
    if not slash:
        return file in _FILES
    try:
        return check_name(file).endswith(_FOLDERS.get(place, ()))
    except BadInput:
        return False


def _add(archive: zipfile.ZipFile, folder: Path, name: str) -> tuple[str, tuple[int, str]] | None:
    """Copy one file into the zip; None if a trainer has just replaced it by one of another name."""
    info, sums, size = zipfile.ZipInfo(name), hashlib.sha256(), 0
    try:
        source = (folder / name).open("rb")
    except FileNotFoundError:
        return None
    with source:
        info.file_size = os.fstat(source.fileno()).st_size  # large ones need another form
        with archive.open(info, "w") as target:
            while chunk := source.read(2**20):
                sums.update(chunk)
                size += target.write(chunk)
    return name, (size, sums.hexdigest())


def _manifest(contents: Contents) -> dict[str, Any]:
    files = {name: {"bytes": size, "sha256": digest}
             for name, (size, digest) in contents.files.items()}
    return {"format": FORMAT, "version": VERSION, "run": contents.run_id,
            "exported": contents.exported, "files": files}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Contents]]:
    """Yield the zip and its manifest when both agree on harmless names and sizes."""
    with open_checked(path, _HINT) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if len(infos) > MOST_FILES:
            raise Refused(f"The zip holds {len(infos):,} files; a run has at most {MOST_FILES}.",
                          _HINT)
        names = [info.filename for info in infos]
        if MANIFEST not in names:
            raise BadInput(f"{shown(path.name)} is not the archive of a run: it has no {MANIFEST}.",
                           "Choose a zip that was exported on the page Runs, or by: "
                           "python -m cnn runs RUN --export FILE.zip")
        contents = _read_manifest(_read(archive, MANIFEST))
        for name in names:
            if name != MANIFEST and name not in contents.files:
                raise Refused(f"The zip holds {shown(name)!r}, which its manifest does not list.",
                              _HINT)
        if len(set(names)) < len(names):
            raise Refused("The zip holds two files of one name.", _HINT)
        missing = {*contents.files, *_NEEDED} - set(names)
        if missing:
            raise BadInput(f"The archive lacks {shown(min(missing))}.", _HINT)
        yield archive, contents


def _read_manifest(data: bytes) -> Contents:
    try:
        value = json.loads(data)
        _check_format((value["format"], value["version"]))
        files = {name: (entry["bytes"], entry["sha256"]) for name, entry in value["files"].items()}
        contents = Contents(check_name(value["run"], "run id"), str(value["exported"]), files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(f"The archive's {MANIFEST} cannot be understood.", _HINT) from error
    for name, (size, digest) in files.items():
        if not _allowed(name):
            raise Refused(f"The archive lists {shown(name)!r}, which is no file of a run.", _HINT)
        if type(size) is not int or size < 0 or not re.fullmatch("[0-9a-f]{64}", str(digest)):
            raise BadInput(f"The archive's {MANIFEST} has no size and sum for {name}.", _HINT)
    if contents.size > MOST_BYTES:
        raise Refused(f"The archive unpacks to more than {MOST_BYTES / 2**30:g} GB.", _HINT)
    return contents


def _check_format(found: tuple[Any, Any]) -> None:
    if found != (FORMAT, VERSION):
        raise BadInput(f"The archive has the format {shown(str(found))}, not {(FORMAT, VERSION)}.",
                       "It may come from a newer version: update, and try again.")


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    data = bytearray()
    for chunk in _chunks(archive, name):
        data += chunk
        if len(data) > MOST_JSON_BYTES:
            raise Refused(f"{name} in the archive is too large.", _HINT)
    return bytes(data)


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        check_entry(archive.getinfo(name))
        yield from unpack(archive, archive.getinfo(name))
    except BadInput as error:
        raise BadInput(f"{name} in the archive cannot be used: {error.message}.", _HINT) from error


def _unpack(archive: zipfile.ZipFile, contents: Contents, folder: Path) -> None:
    """Write every file of the archive into a folder, and check them all."""
    for name, (size, digest) in contents.files.items():
        if name.endswith(".json") and size > MOST_JSON_BYTES:
            raise Refused(f"{name} in the archive is too large.", _HINT)
        (folder / name).parent.mkdir(exist_ok=True)
        sums, count = hashlib.sha256(), 0
        with (folder / name).open("xb") as file:
            for chunk in _chunks(archive, name):
                count += len(chunk)
                if count > size:
                    break
                sums.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if (count, sums.hexdigest()) != (size, digest):
            raise BadInput(f"{name} in the archive is not what was exported: its sum is wrong.",
                           _HINT)
    try:
        check_run_files(RunFolder(folder))
    except CnnError as error:
        message = error.message.replace(folder.name, contents.run_id)
        raise BadInput(f"The archive holds no usable run: {message}", _HINT) from error


def _settle(folder: RunFolder) -> None:
    """Make a run that was exported while it trained one that nobody trains."""
    status = folder.read_status()
    if status.state in ACTIVE:
        folder.write_status(replace(
            status, state="interrupted", stage="", pid=0, process_created=0.0,
            message=f"It was exported while it was {status.state}.",
            hint="Resume it: it goes on after its last whole epoch."))
