"""Clears away what imports left behind whose process was killed.

A set that is being made has its lock held, whoever makes it: what belongs to a free lock is
rubbish.
"""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cnn.data.store import STORE, lock_path, writable_folder
from cnn.files import TEMPORARY

_UNFINISHED = re.compile(re.escape(TEMPORARY) + r"(?:removed-\d+|[0-9a-f]{8})-(.+)")
_DAY = 86_400  # seconds after which other unfinished files are rubbish too: no lock tells of them


def sweep() -> list[str]:
    """Delete unfinished sets that nobody works on, and return the names of their folders.

    Raises:
        Unavailable: If no data folder can be written.
    """
    gone = []
    place = writable_folder(STORE)
    for path in sorted([*place.glob(f"{TEMPORARY}*"), *place.glob(f"*/{TEMPORARY}*")]):
        name = _UNFINISHED.fullmatch(path.name) if path.is_dir() else None
        if _nobody_makes(name.group(1)) if name else _is_old(path):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()
            gone.append(path.name)
    return gone


def _nobody_makes(name: str) -> bool:
    try:
        with FileLock(lock_path(name), timeout=0):
            return True
    except (Timeout, OSError):
        return False


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _DAY
    except OSError:
        return False
