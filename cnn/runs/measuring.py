"""How fast this computer trains: measured once, in a process of its own, and remembered on disk.

Needs no TensorFlow. One file per machine and size of images, in the folder of prepared data sets:

    <store>/speed-<height>x<width>x<channels>-<classes>-<machine>.json

Another processor, number of cores or version of TensorFlow is another machine.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnn.data.store import STORE, data_folders, writable_folder
from cnn.errors import Damaged, NotFound
from cnn.files import atomic_write_json, read_json
from cnn.hardware import machine
from cnn.models.presets import candidates, to_measure
from cnn.models.speeds import Speeds, speeds_from_dict
from cnn.short_work import Background, answer_of

SECONDS_AT_MOST = 300.0  # ten on a quiet laptop; beside nine busy processes it took 200
_FORMAT = 3  # raise it when the same figures would mean something else, or those before were wrong

Subject = tuple[tuple[int, int, int], int, str]  # input shape, classes, a network that was chosen


def known_speeds(
    input_shape: tuple[int, int, int], classes: int, architecture: str = ""
) -> Speeds | None:
    """Return what was measured on this machine for such images; None if nothing useful was.

    Args:
        input_shape: Height, width and channels.
        classes: How many classes there are.
        architecture: A network that must be among the measured, if a person chose one.
    """
    wanted = [c.architecture for c in candidates(input_shape, classes, architecture)]
    # All folders: the first may be a lab's, read-only and with a file that is of no use any more.
    places = [folder / STORE / _file_name(input_shape, classes) for folder in data_folders()]
    for path in sorted(places, key=_changed, reverse=True):
        speeds = _read(path)
        if speeds is not None and (speeds.input_shape, speeds.classes) == (
                tuple(input_shape), classes) and all(map(speeds.of, wanted)):
            return speeds
    return None


def _changed(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _read(path: Path) -> Speeds | None:
    try:
        stored = read_json(path)
        if (stored.get("format"), stored.get("machine")) == (_FORMAT, machine()):
            return speeds_from_dict(stored.get("speeds", {}))
    except (Damaged, NotFound):  # it costs seconds to make it again
        pass
    return None


def measure_speeds(
    input_shape: tuple[int, int, int], classes: int, architecture: str = ""
) -> Speeds:
    """Measure in a new process, remember the result and return it; takes some seconds.

    Networks that were measured before are kept beside the new ones.

    Args:
        input_shape: Height, width and channels.
        classes: How many classes there are.
        architecture: A network that must be among the measured, if a person chose one.

    Raises:
        CnnError: If the measurement fails, or its result cannot be stored.
    """
    wanted = to_measure(candidates(input_shape, classes, architecture))
    speeds = _measure({"input_shape": input_shape, "classes": classes, "architectures": wanted})
    before = known_speeds(input_shape, classes)
    if before is not None and before.precision == speeds.precision:
        new = {network.architecture for network in speeds.networks}
        kept = tuple(n for n in before.networks if n.architecture not in new)
        speeds = replace(speeds, networks=(*kept, *speeds.networks))
    atomic_write_json(writable_folder(STORE) / _file_name(input_shape, classes), {
        "format": _FORMAT, "machine": machine(), "speeds": speeds.to_dict()})
    return speeds


def _file_name(input_shape: tuple[int, int, int], classes: int) -> str:
    text = json.dumps(machine(), sort_keys=True)
    size = "x".join(map(str, input_shape))
    return f"speed-{size}-{classes}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"


def _command(request: dict[str, Any]) -> list[str]:
    return [sys.executable, "-m", "cnn.training.speed", json.dumps(request)]


def _measure(request: dict[str, Any]) -> Speeds:
    return speeds_from_dict(answer_of(
        _command(request), SECONDS_AT_MOST, "The measurement of this computer",
        "It may be very busy: measure again later, or choose the settings yourself. "
        "python -m cnn doctor may know why."))


background = Background(measure_speeds, "measurement")  # of this server, for all visitors
