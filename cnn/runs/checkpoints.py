"""The checkpoints of one run on disk: two are kept, each with its hash in its name.

    checkpoints/00012-00345-<first 16 digits of its SHA-256>.npz    after epoch 12 and 345 batches

A file that is not what its name says is set aside, and the one before it is used. What is in one is
known to `cnn.training.checkpoint`.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from cnn.files import TEMPORARY, atomic_write_bytes, need_space

KEPT = 2
DAMAGED = "damaged-"  # prefix of what was set aside
_NAME = re.compile(r"(\d{5,})-(\d{5,})-([0-9a-f]{16})\.npz")


class Checkpoints:
    """Writes and finds the checkpoints in one folder.

    Args:
        folder: Theirs; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def paths(self) -> list[Path]:
        """Return those there are by their names, the newest first."""
        found = []
        with suppress(OSError):
            found = [(match, path) for path in self.folder.iterdir()
                     if (match := _NAME.fullmatch(path.name))]
        return [path for _, path in sorted(
            found, key=lambda item: (int(item[0][1]), int(item[0][2])), reverse=True)]

    def write(self, data: bytes, epoch: int, batch: int) -> Path:
        """Keep a checkpoint, and the newest of those before it.

        Args:
            data: Its bytes.
            epoch: Whole epochs it has.
            batch: Batches of the next epoch it has.

        Raises:
            DiskFull: If there is no room; all is as before then.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        need_space(self.folder, len(data))
        path = self.folder / f"{epoch:05d}-{batch:05d}-{_digest(data)}.npz"
        atomic_write_bytes(path, data)
        before = [other for other in self.paths() if other != path]
        for old in before[KEPT - 1:]:
            with suppress(OSError):  # it is only room; the next time will do
                old.unlink()
        return path

    def _sweep(self) -> None:
        """Delete what writers that died have left; only one trainer of a run lives at a time."""
        for path in self.folder.glob(f"{TEMPORARY}*"):
            with suppress(OSError):
                path.unlink()

    def read(self) -> tuple[bytes | None, list[str]]:
        """Return the newest that is whole, or None, and the names of damaged ones set aside."""
        damaged: list[str] = []
        for path in self.paths():
            data = _read(path)
            if data is not None:
                return data, damaged
            damaged.append(path.name)
            with suppress(OSError):  # so that it is not the newest for ever
                path.replace(path.with_name(f"{DAMAGED}{path.name}"))
        return None, damaged

    def keep_newest(self) -> None:
        """Delete all but the newest: the run has ended, and its model is safe."""
        for path in self.paths()[1:]:
            with suppress(OSError):
                path.unlink()


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    match = _NAME.fullmatch(path.name)
    return data if match and match[3] == _digest(data) else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
