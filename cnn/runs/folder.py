"""One training run on disk: what each file holds and how it is read and written.

    config.json    the RunConfig, and the command that equals it; written once
    architecture.json   the network, if a person made it: the run does not need the named file
    status.json    state, stage and results; written by the trainer (before its start: by `manager`)
    metrics.jsonl  one event a line, appended by the trainer
    control.json   what a person asks of the run; written by pages and CLI, read by the trainer
    lock           held by the trainer for as long as it lives
    log.txt        the trainer's output
    pins/          pictures that a person pinned: see `pins`
    checkpoints/   the state of the training, best weights included: see `checkpoints`
    snapshots/     weights of some epochs, to look back: see `cnn.training.snapshots`

A run is alive if its lock is held, never because of a process number: those are reused. Knows
nothing of how a trainer is started or what it does.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cnn.config import RunConfig, config_from_dict
from cnn.errors import Damaged, NotFound
from cnn.files import atomic_write_json, read_json, read_json_lines
from cnn.models.own import read_document
from cnn.models.registry import Architecture, hold
from cnn.runs.checkpoints import Checkpoints
from cnn.runs.control import Control, read_control, update_control
from cnn.training.events import place_of
from cnn.training.snapshots import FOLDER as SNAPSHOTS
from cnn.training.snapshots import Snapshots

ARCHITECTURE_FILE = "architecture.json"
ACTIVE = ("queued", "starting", "running", "pausing", "stopping")
# What each means, and what the person can do next.
STATES = {
    "queued": "Waits for its turn. Move it forward, or cancel it.",
    "starting": "The trainer is starting.",
    "running": "Training. Pause it, stop it, or change its settings.",
    "pausing": "Asked to pause: everything is kept after the present step.",
    "paused": "Paused, with everything kept. Resume it, or keep its best epoch as a model.",
    "stopping": "Asked to stop; the best model so far will be kept.",
    "finished": "All epochs done; the best model is saved. It can train more epochs.",
    "stopped": "Stopped before the last epoch; the best model is saved. It can go on.",
    "interrupted": "The trainer died; the epochs up to then are safe. Resume it.",
    "diverged": "The loss is no longer a number. Resume it with a lower learning rate.",
    "failed": "Ended with an error. Mend its cause, then resume it or start again.",
}
# A trainer takes its lock within its first second; on a busy machine it may take some more.
SECONDS_TO_START = 20.0


@dataclass(frozen=True)
class Status:
    """What the trainer last said of itself. Times are seconds since 1970, UTC."""

    state: str = "starting"
    stage: str = "waiting for the trainer"  # in words, for the person
    created: float = 0.0
    asked: float = 0.0  # when the present trainer was; 0: when the run was created
    started: float = 0.0
    ended: float = 0.0
    pid: int = 0
    process_created: float = 0.0  # with pid: the very process, safe against reuse of the number
    epoch: int = 0  # finished epochs
    best_epoch: int = 0
    best_val_accuracy: float = 0.0
    model: str = ""  # name of the saved model
    test_accuracy: float | None = None
    test_loss: float | None = None
    test_n: int = 0
    seconds: float = 0.0  # wall time of all sittings, up to the last whole epoch or the end
    sittings: int = 0  # trainer processes so far
    message: str = ""  # of an error, or why it ended early
    hint: str = ""
    parameters: int = 0
    multiply_adds: int = 0
    train_n: int = 0
    validation_n: int = 0
    dataset_fingerprint: str = ""  # of the data it began with


@dataclass(frozen=True)
class RunFolder:
    """Reads and writes the files of one run."""

    path: Path

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def metrics_file(self) -> Path:
        """Append-only events."""
        return self.path / "metrics.jsonl"

    @property
    def log_file(self) -> Path:
        """Output of the trainer."""
        return self.path / "log.txt"

    @property
    def checkpoints(self) -> Checkpoints:
        """State of the training, newest first."""
        return Checkpoints(self.path / "checkpoints")

    @property
    def snapshots(self) -> Snapshots:
        """Weights of some epochs."""
        return Snapshots(self.path / SNAPSHOTS)

    @property
    def telling(self) -> tuple[Path, ...]:
        """The files that change when what is known of the run does, but for its events."""
        return self.path / "config.json", self.path / "status.json", self.control_file

    def lock(self) -> FileLock:
        """Return the lock that means "alive"; not yet taken."""
        return FileLock(self.path / "lock")

    def is_alive(self) -> bool:
        """Whether a trainer holds the lock at this moment.

        Raises:
            Damaged: If nobody could: something else has its name, or it belongs to another user.
        """
        if not (self.path / "lock").exists():
            return False
        lock = self.lock()
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                return False  # a folder that may only be read: nothing trains in it
            raise Damaged(f"The lock of the run {self.run_id} cannot be used "
                          f"({error.strerror or error}).",
                          "Delete the file lock in its folder.") from error
        lock.release()
        return False

    def write_config(self, config: RunConfig, command: str) -> None:
        """Record what the run is told."""
        atomic_write_json(self.path / "config.json", {**config.to_dict(), "command": command})

    def write_architecture(self, document: Mapping[str, Any]) -> None:
        """Keep the network that a person made, as it is now."""
        atomic_write_json(self.path / ARCHITECTURE_FILE, document)

    def read_architecture(self) -> Architecture | None:
        """Return the network that was kept with the run; None if it is one of this program.

        Raises:
            Damaged: If the configuration cannot be read.
            BadInput: If what was kept is no architecture.
        """
        if not (self.path / ARCHITECTURE_FILE).is_file():
            return None
        config, _ = self.read_config()
        return read_document(self.path / ARCHITECTURE_FILE).architecture(config.architecture)

    def hold_architecture(self) -> None:
        """Let this process use the network that the run began with, whatever the named one is now.

        Raises:
            Damaged, BadInput: As `read_architecture` does.
        """
        architecture = self.read_architecture()
        if architecture is not None:
            hold(architecture)

    def read_config(self) -> tuple[RunConfig, str]:
        """Return the configuration and the command that equals it.

        Raises:
            Damaged: If config.json is missing or unreadable.
        """
        try:
            data = read_json(self.path / "config.json")
        except NotFound as error:
            raise Damaged(f"The run {self.run_id} has no config.json.",
                          "Delete this run's folder.") from error
        command = str(data.pop("command", ""))
        return config_from_dict(data), command

    def write_status(self, status: Status) -> None:
        """Record what the run is doing."""
        atomic_write_json(self.path / "status.json", asdict(status))

    def read_status(self) -> Status:
        """Return the last recorded status, as it stands in the file.

        Raises:
            Damaged: If status.json is missing or unreadable.
        """
        try:
            data = read_json(self.path / "status.json")
            known = {f.name for f in fields(Status)}
            status = Status(**{key: value for key, value in data.items() if key in known})
        except NotFound as error:
            raise Damaged(f"The run {self.run_id} has no status.json.",
                          "Delete this run's folder.") from error
        if not _plausible(status):
            raise Damaged(f"The status.json of the run {self.run_id} cannot be understood.",
                          "It may come from a newer version. Update, or delete this run's folder.")
        return status

    def end_torn_line(self) -> None:
        """Close a line that a dead trainer left unfinished, so that the next one stands alone."""
        if self.metrics_file.is_file() and not self.metrics_file.read_bytes().endswith(b"\n"):
            with self.metrics_file.open("ab") as file:
                file.write(b"\n")

    def read_events(self, start: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Return the events from byte `start`, and where to go on reading."""
        return read_json_lines(self.metrics_file, start)

    def forget_requests(self) -> None:
        """Drop what was asked of an earlier trainer."""
        (self.path / "control.json").unlink(missing_ok=True)

    @property
    def control_file(self) -> Path:
        """What a person asks of it."""
        return self.path / "control.json"

    def read_control(self) -> Control:
        """Return what a person asks of it.

        Raises:
            Damaged, BadInput: If that cannot be understood.
        """
        return read_control(self.control_file)

    def ask(self, **changes: Any) -> None:
        """Ask something of its trainer: fields of `Control`.

        Raises:
            BadInput: If a value is out of range.
        """
        update_control(self.control_file, **changes)

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines of the trainer's output, nothing where it cannot be read."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - 32_768))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def epochs_told(events: Sequence[dict[str, Any]], last: int) -> list[dict[str, Any]]:
    """Return the epoch events up to epoch `last`, each once: a resumed run tells some twice."""
    told = {event["epoch"]: event for event in events  # a damaged line may lack anything
            if event.get("kind") == "epoch" and event.get("epoch", last + 1) <= last}
    return [{key: value for key, value in event.items() if key != "kind"}
            for event in told.values()]


def changes_told(events: Sequence[dict[str, Any]]) -> list[str]:
    """Return what a person changed while it trained, but for what a resumed run did not keep."""
    changes: list[tuple[float, str]] = []
    for event in events:
        with suppress(KeyError, ZeroDivisionError):  # a damaged line is passed over
            if event.get("kind") == "change":
                changes.append((place_of(event), f"Epoch {event['epoch']}: {event['text']}"))
            elif event.get("kind") == "resume":
                changes = [change for change in changes if change[0] <= place_of(event)]
    # What a trainer told after its last checkpoint, the next one tells again at the same place.
    return [text for _, text in dict.fromkeys(changes)]


def _plausible(status: Status) -> bool:
    """Whether every field has its type and the state is one we know."""
    for spec in fields(Status):
        value, default = getattr(status, spec.name), spec.default
        allowed: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
        if default is None:
            allowed = (int, float, type(None))
        if not isinstance(value, allowed):
            return False
    return status.state in STATES
