"""Whether the files of a run that somebody else made can be used without harm.

The rest of the program trusts a run folder, because its own trainer wrote it. These checks make
that true for one that came from elsewhere. Knows nothing of zips.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from cnn.data.images import decode_image
from cnn.errors import BadInput, CnnError
from cnn.runs.folder import RunFolder
from cnn.training.events import EVENT_KINDS

_LARGEST = 2**53  # of a number: from here on a float no longer tells whole numbers apart
_LONGEST_LINE = 2**20  # bytes, of the metrics


def check_run_files(folder: RunFolder) -> None:
    """Check configuration, status, metrics, checkpoints, snapshots and pictures.

    Raises:
        CnnError: Of any kind, about the first file that cannot be used.
    """
    folder.read_config()
    folder.read_architecture()
    status = asdict(folder.read_status())
    wrong = next((key for key, value in status.items() if not _is_sane(value)), "")
    if wrong:
        raise BadInput(f"status.json has an impossible value for {wrong}.")
    _check_metrics(folder.metrics_file)
    folder.read_control()
    for place in (folder.checkpoints.folder, folder.snapshots.folder):
        for path in sorted(place.glob("*.npz")):
            _check_arrays(path)
    for path in sorted((folder.path / "pins").glob("*.png")):
        _check_picture(path)


def _check_picture(path: Path) -> None:
    try:
        decode_image(path.read_bytes())
    except CnnError as error:
        raise BadInput(f"The picture {path.name} cannot be used: {error.message}") from error


def _is_sane(value: Any) -> bool:
    """Whether a number is one that a training can have; other things are."""
    return not isinstance(value, (int, float)) or abs(value) < _LARGEST


def _check_metrics(path: Path) -> None:
    """Check each event; a line that a killed trainer left torn is passed over by all readers."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE + 1):
            if len(line) > _LONGEST_LINE:
                raise BadInput("metrics.jsonl has a line that is too long.")
            with suppress(ValueError, RecursionError):
                _check_event(json.loads(line))


def _check_event(record: Any) -> None:
    kinds = {name: cls for cls, name in EVENT_KINDS.items()}
    kind = record.get("kind") if isinstance(record, dict) else None
    for field in fields(kinds[kind]) if isinstance(kind, str) and kind in kinds else ():
        check = _VALUES.get(str(field.type))
        if check and not check(record.get(field.name)):
            raise BadInput(f"metrics.jsonl has an event {kind!r} with an impossible {field.name}.")


def _is_number(value: Any, whole: bool) -> bool:
    """Whether a value of an event can be drawn; a diverged run has told infinite losses."""
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return False
    return abs(value) < _LARGEST or (isinstance(value, float) and not math.isfinite(value))


def _are_answers(value: Any) -> bool:
    """Whether a value is what `PinsEvent.tops` holds."""
    try:
        return all(isinstance(name, str) and _is_number(share, whole=False)
                   for top in value for name, share in top)
    except (TypeError, ValueError):
        return False


# By the annotation of an event's field. Texts and truth values do no harm, whatever they are.
_VALUES: dict[str, Callable[[Any], bool]] = {
    "int": lambda value: _is_number(value, whole=True),
    "float": lambda value: _is_number(value, whole=False),
    "float | None": lambda value: value is None or _is_number(value, whole=False),
    "list[list[tuple[str, float]]]": _are_answers,
}


def _check_arrays(path: Path) -> None:
    """Check that a file is arrays of plain values, no larger in memory than on the disk."""
    from numpy.lib import format as npy

    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > path.stat().st_size:
                raise ValueError("it unpacks to more than its size")
            for info in infos:
                with archive.open(info) as file:
                    version = npy.read_magic(file)
                    read = npy.read_array_header_1_0 if version == (1, 0) \
                        else npy.read_array_header_2_0
                    shape, _, dtype = read(file)
                    if dtype.hasobject:
                        raise ValueError("it holds code")
                    if math.prod(shape) * dtype.itemsize != info.file_size - file.tell():
                        raise ValueError("an array is not as large as it says")
    except Exception as error:  # broken zips and headers end in a dozen kinds
        raise BadInput(
            f"The file {path.parent.name}/{path.name} cannot be used ({error}).") from error
