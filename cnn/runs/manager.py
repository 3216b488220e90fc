"""Starting and listing runs: what pages, API and CLI call; `steering` has what is done to one.

Needs no TensorFlow. A trainer is a detached process, `python -m cnn.runs.worker RUN_FOLDER`, that
outlives the server; what it does is in `worker`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnn.config import RunConfig
from cnn.data.catalogue import describe, load
from cnn.errors import BadInput, CnnError, NotFound, Unavailable
from cnn.files import check_name, need_space
from cnn.models.defaults import command_line
from cnn.models.registry import get_architecture
from cnn.models.summary import summarise
from cnn.paths import PROJECT, models_dir, runs_dir
from cnn.runs import queue
from cnn.runs.control import PAUSE, STOP
from cnn.runs.folder import ACTIVE, SECONDS_TO_START, RunFolder, Status
from cnn.runs.pins import ready_pins, save_pins

# States in which a run can be taken up even without a checkpoint: it begins again.
FRESH = ("interrupted", "paused", "failed")
# What a run may write. For each parameter: its value, at most two numbers of the optimizer and the
# best value so far, in two checkpoints and the one that is being written; and the saved model.
BYTES_PER_PARAMETER = 3 * 16 + 4
BYTES_BESIDE = 50 * 2**20  # metrics, log, pins, answers to the test images


@dataclass(frozen=True)
class RunInfo:
    """A run as a person sees it: the recorded status, corrected by whether the trainer lives."""

    run_id: str
    folder: RunFolder
    config: RunConfig | None  # with what was changed since its start; None if damaged
    command: str
    status: Status
    error: CnnError | None = None

    @property
    def active(self) -> bool:
        """Whether the run may still change by itself."""
        return self.error is None and self.status.state in ACTIVE

    @property
    def can_go_on(self) -> bool:
        """Whether its training can be taken up where it is."""
        return (self.error is None and not self.active
                and bool(self.folder.checkpoints.paths() or self.status.state in FRESH))


def check_run(config: RunConfig) -> None:
    """Refuse a configuration that cannot work, before anything is started.

    The fit of network and images is only known for data that are on this computer; a set that
    must be downloaded first is checked by the trainer.

    Raises:
        NotFound: If data set or architecture do not exist.
        BadInput: If the model name is taken, or the network does not fit the images.
        Unavailable: If the disk is nearly full.
    """
    get_architecture(config.architecture)
    info = describe(config.dataset)
    if info.available and not info.image_shape:  # here, but never used before: seconds at most
        load(config.dataset)
        info = describe(config.dataset)
    if (models_dir() / config.name).exists():
        raise BadInput(f"A saved model {config.name!r} exists already.",
                       "Choose another name; nothing is ever overwritten.")
    parameters = 0
    if info.image_shape and info.classes:
        parameters = summarise(
            config.architecture, info.image_shape, len(info.classes)).parameters
    check_space(parameters)


def check_space(parameters: int) -> None:
    """Refuse to train where checkpoints and model would not fit.

    Args:
        parameters: Of the network; 0 if that is not known.

    Raises:
        Unavailable: If the disk is nearly full, or the folder cannot be written.
    """
    place = runs_dir()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(error) from error
    need_space(place, BYTES_PER_PARAMETER * parameters + BYTES_BESIDE)


def start_run(config: RunConfig, pins: Sequence[tuple[str, bytes]] = ()) -> str:
    """Start a detached trainer and return the id of its run.

    Args:
        config: What it is told.
        pins: Names and files of pictures to be classified after every epoch.

    Raises:
        CnnError: As `check_run` does.
        BadInput: If one of the pictures cannot be read, or there are too many.
    """
    check_run(config)
    pictures = ready_pins(pins)  # refused before anything is made
    folder = _new_folder(config)
    save_pins(folder.path, pictures)
    folder.write_config(config, command_line(config))
    made = get_architecture(config.architecture).document
    if made is not None:
        folder.write_architecture(made)
    folder.write_status(Status(created=time.time()))
    _start_trainer(folder)
    return folder.run_id


def start_trainer(run: RunInfo, **control: Any) -> None:
    """Start another trainer for a run that has none.

    Args:
        run: Not active.
        control: What is asked of the trainer from its start: fields of `Control`.

    Raises:
        BadInput: If a value is out of range.
        Unavailable: If the disk is nearly full, or the folder cannot be written.
    """
    check_space(run.status.parameters)
    run.folder.ask(**{"wish": "", **control})
    run.folder.write_status(replace(
        run.folder.read_status(), state="starting", stage="waiting for the trainer",
        asked=time.time(), started=0.0, message="", hint=""))
    _start_trainer(run.folder)


def tend_queue() -> None:
    """Start the waiting trainers again that died while they waited, as when the computer did."""
    for run_id in queue.waiting():
        with suppress(CnnError):  # a damaged one is listed with its error
            run = get_run(run_id)
            asked = max(run.status.asked, run.status.created)
            if run.folder.is_alive() or 0 <= time.time() - asked < SECONDS_TO_START:
                continue
            if run.status.state == "queued":
                start_trainer(run, wish=run.folder.read_control().wish)
            else:  # it has ended otherwise
                queue.leave(run_id)


def _start_trainer(folder: RunFolder) -> None:
    queue.enter(folder.run_id)  # not by the trainer: of two that start, the later may be quicker
    try:
        with folder.log_file.open("ab") as log:
            _spawn([sys.executable, "-m", "cnn.runs.worker", str(folder.path)], log.fileno())
    except OSError as error:
        raise Unavailable(f"The trainer cannot be started ({error.strerror or error}).",
                          "Check that you may write to the run's folder.") from error


def _new_folder(config: RunConfig) -> RunFolder:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in range(1, 1000):
        ending = "" if number == 1 else f"-{number}"
        path = runs_dir() / f"{stamp}-{config.name[:40]}{ending}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise _not_writable(error) from error
        return RunFolder(path)
    raise Unavailable("No folder could be made for the run.", "Try again in a second.")


def _not_writable(error: OSError) -> Unavailable:
    return Unavailable(f"Runs cannot be kept in {runs_dir()} ({error.strerror or error}).",
                       "Make that folder writable, or name another in CNN_RUNS_DIR.")


def _spawn(command: list[str], log: int) -> None:
    # A session of its own: Ctrl-C and hang-ups of the server or terminal must not reach the run.
    flags: dict[str, object] = {"start_new_session": True}
    if sys.platform == "win32":
        group, detached = 0x00000200, 0x00000008
        flags = {"creationflags": group | detached}
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(  # type: ignore[call-overload]
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": path}, **flags)
    # Without a waiting parent the dead child would stay in the process table as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()


def get_run(run_id: str) -> RunInfo:
    """Return one run; a damaged one comes with its error instead of a configuration.

    Raises:
        NotFound: If there is no such run.
    """
    path = runs_dir() / check_name(run_id, "run id")
    if not path.is_dir():
        raise NotFound(f"There is no run {run_id!r}.",
                       "The page Runs shows those there are, and so does: python -m cnn runs")
    return _info(RunFolder(path))


def list_runs() -> list[RunInfo]:
    """Return all runs, newest first."""
    place = runs_dir()
    if not place.is_dir():
        return []
    paths = [p for p in place.iterdir() if p.is_dir() and not p.name.startswith(".")]
    return [_info(RunFolder(path)) for path in sorted(paths, key=_age, reverse=True)]


def _age(path: Path) -> tuple[str, str]:
    return path.name[:15], path.name  # the id begins with its UTC time


def _info(folder: RunFolder) -> RunInfo:
    try:
        config, command = folder.read_config()
        with suppress(CnnError):  # the trainer says so
            config = folder.read_control().applied_to(config)
        return RunInfo(folder.run_id, folder, config, command, _true_status(folder))
    except CnnError as error:
        broken = Status(state="failed", stage="", message=error.message, hint=error.hint)
        return RunInfo(folder.run_id, folder, None, "", broken, error)


def _true_status(folder: RunFolder) -> Status:
    status = folder.read_status()
    if status.state not in ACTIVE:
        return status
    if folder.is_alive():
        return replace(status, state=_wished(folder) or status.state)
    status = folder.read_status()  # it may have ended between the two looks
    if status.state not in ACTIVE or status.state == "queued":
        return status
    asked = max(status.asked, status.created)
    if not status.started and 0 <= time.time() - asked < SECONDS_TO_START:
        return status
    message = f"The trainer died while it was {status.stage}."
    return replace(
        status, state="interrupted", stage="",
        message=message if status.started else "The trainer did not start.",
        hint="Nothing up to its last whole epoch is lost: resume it. Its log may say why it died.")


def _wished(folder: RunFolder) -> str:
    """Return the state that a run is about to enter because somebody asked for it."""
    with suppress(CnnError):
        return {PAUSE: "pausing", STOP: "stopping"}.get(folder.read_control().wish, "")
    return ""


def wait_until_ended(run_id: str, timeout: float) -> RunInfo:
    """Return the run when it has ended, or as it is after `timeout` seconds."""
    end = time.monotonic() + timeout
    run = get_run(run_id)
    while run.active and time.monotonic() < end:
        time.sleep(0.1)
        run = get_run(run_id)
    return run
