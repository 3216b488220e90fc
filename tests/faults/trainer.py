"""The product's trainer, with a fault built in: what scenarios start in place of the real process.

    CNN_FAULT=<a Fault as JSON> python -m tests.faults.trainer RUN_FOLDER

Wraps a few functions of `cnn` in this process alone, then runs `cnn.runs.worker.main` as it is.
The product knows nothing of it. Needs POSIX (SIGKILL to itself, processor affinity).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cnn.evaluation.results
import cnn.files
import cnn.prediction.saved
from cnn.files import TEMPORARY
from cnn.hardware import usable_cores
from cnn.runs import worker
from tests.faults.ballast import fill_disk

VARIABLE = "CNN_FAULT"
KILL, TERMINATE, PAUSE, FILL = "kill", "terminate", "pause", "fill"
# Places in the writing of one file, in their order.
BEGIN, HALF, WRITTEN, SYNCED, REPLACED = "begin", "half", "written", "synced", "replaced"
DELETING = "deleting"  # an old checkpoint is about to be deleted
IN_A_SAVE = (HALF, WRITTEN, SYNCED, REPLACED, DELETING)
CHECKPOINT = ".npz"


@dataclass(frozen=True)
class Fault:
    """What is to go wrong, and when; without an action nothing does."""

    action: str = ""  # KILL, TERMINATE, PAUSE or FILL
    point: str = ""  # of the writing of a file; "": after a training step
    file: str = CHECKPOINT  # how the file's name ends
    number: int = 1  # the first file that counts, or the step
    folder: str = ""  # what FILL fills
    one_core: bool = False  # then TensorFlow gets one thread

    def to_json(self) -> str:
        """Return it for the environment of a trainer."""
        return json.dumps(asdict(self))


class Saboteur:
    """Waits for the moment and acts, once."""

    def __init__(self, fault: Fault, run: Path) -> None:
        self._fault, self._run = fault, run
        self._files = self._steps = 0
        self._done = False

    def at_file(self, point: str, target: Path, written: Path | None = None) -> None:
        """Look at a moment in the writing of `target`."""
        fault = self._fault
        if not target.name.endswith(fault.file) or target.name.startswith(TEMPORARY):
            return
        self._files += point == BEGIN
        if self._done or point != fault.point or self._files < fault.number:
            return
        if point == HALF and written is not None:  # as if it died while it wrote the other half
            os.truncate(written, written.stat().st_size // 2)
        self._act()

    def after_step(self) -> None:
        """Look at the moment after a training step."""
        self._steps += 1
        if not self._fault.point and not self._done and self._steps == self._fault.number:
            self._act()

    def _act(self) -> None:
        self._done = True
        if self._fault.action == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._fault.action == TERMINATE:
            os.kill(os.getpid(), signal.SIGTERM)
        elif self._fault.action == PAUSE:
            from cnn.runs.steering import pause_run

            pause_run(self._run.name)
        elif self._fault.action == FILL:
            fill_disk(Path(self._fault.folder))


def wrap_writing(saboteur: Saboteur) -> None:
    """Let the saboteur see each file that `cnn.files` writes, and each that is deleted."""
    real, replace, unlink = cnn.files.atomic_path, cnn.files._replace, Path.unlink

    @contextmanager
    def atomic_path(target: Path) -> Iterator[Path]:
        with real(target) as temporary:
            saboteur.at_file(BEGIN, target)
            yield temporary
            saboteur.at_file(HALF, target, temporary)
            saboteur.at_file(WRITTEN, target)

    def watched_replace(source: Path, target: Path) -> None:
        saboteur.at_file(SYNCED, target)
        replace(source, target)
        saboteur.at_file(REPLACED, target)

    def watched_unlink(self: Path, missing_ok: bool = False) -> None:
        saboteur.at_file(DELETING, self)
        unlink(self, missing_ok)

    wrapped: Callable[[Path], AbstractContextManager[Path]] = atomic_path
    for module in (cnn.files, cnn.prediction.saved, cnn.evaluation.results):
        module.atomic_path = wrapped
    cnn.files._replace = watched_replace
    Path.unlink = watched_unlink  # type: ignore[method-assign]


def wrap_start(saboteur: Saboteur, one_core: bool) -> None:
    """Let the saboteur see each training step; the steps are known once TensorFlow is there."""
    start = worker.start_tensorflow

    def start_tensorflow() -> None:
        if one_core:
            pin_to_one_core()
        start()
        if one_core:
            check_one_thread()
        from cnn.training.steps import Steps

        train = Steps.train

        def watched_train(self: Steps, *batch: Any) -> tuple[float, int]:
            result = train(self, *batch)
            saboteur.after_step()
            return result

        Steps.train = watched_train  # type: ignore[method-assign]

    worker.start_tensorflow = start_tensorflow


def pin_to_one_core() -> None:
    """Give this process one core, before TensorFlow counts them to choose its threads."""
    core = max(os.sched_getaffinity(0))
    for thread in Path("/proc/self/task").iterdir():  # those that NumPy has started already, too
        os.sched_setaffinity(int(thread.name), {core})


def check_one_thread() -> None:
    """See that TensorFlow divides no sum among threads.

    Raises:
        RuntimeError: If it may.
    """
    import tensorflow as tf

    asked = tf.config.threading.get_intra_op_parallelism_threads()  # 0: as many as cores it may use
    if (asked or usable_cores()) != 1:
        raise RuntimeError(f"TensorFlow was to have one thread and has {asked or usable_cores()}.")


def main() -> int:
    """Run the trainer with the fault that the environment describes."""
    fault = Fault(**json.loads(os.environ.pop(VARIABLE, "{}")))
    run = Path(sys.argv[1])
    saboteur = Saboteur(fault, run)
    wrap_writing(saboteur)
    wrap_start(saboteur, fault.one_core)
    return worker.main(str(run))


if __name__ == "__main__":
    sys.exit(main())
