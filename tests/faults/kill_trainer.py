"""SIGKILL of the trainer of one long run, again and again; after each kill the run is resumed.

Half of the kills happen inside the writing of a checkpoint: half of the bytes written; all written;
flushed to the disk; under its final name; an old one about to be deleted. The others happen at
random times: while the trainer starts or waits for its slot, and while it trains.

Lost is: a run that is not listed as interrupted (or queued, if it died while it waited); an epoch
that was told and is in no readable checkpoint, or twice or not in the history of the model in the
end; another run that is no longer as it was; a resume that does not get to training, or goes back
behind an epoch that was told; temporary files that pile up.
"""

from __future__ import annotations

import random
import subprocess
import time
from contextlib import suppress

from filelock import FileLock

from cnn.config import RunConfig
from cnn.errors import CnnError
from cnn.evaluation.results import read_evaluation
from cnn.paths import models_dir, runs_dir
from cnn.prediction.saved import list_models, read_history
from cnn.runs import manager, queue, steering
from cnn.runs.folder import SECONDS_TO_START, RunFolder
from tests.faults.support import (
    Tally,
    Trainers,
    digest,
    events_of,
    last_epoch_told,
    newest_checkpoint,
    own_folders,
    own_trainers,
    tell,
    unfinished_files,
    wait_for,
)
from tests.faults.trainer import IN_A_SAVE, KILL, Fault
from tests.run_folders import write_run

COUNT = 200
CONFIG = RunConfig("digits", "dropout", "long", epochs=10_000, batch_size=32, seed=5)
KINDS = ("unlisted", "epochs lost", "resumes failed", "other damage")
EARLY, SAVE, TRAINING = "while it starts", "inside a save", "while it trains"
# Never two early ones in a row: the sitting after each shows that the run could be resumed.
ORDER = (EARLY, SAVE, TRAINING, SAVE)
WAITING_EVERY = 5  # of the early ones, it is made to wait for its slot
MOST_SAVES = 6  # a save is killed among the first so many of a sitting
MOST_SECONDS = 3.0  # of training before a kill at a random time


class Scenario:
    """One run and what has become of it."""

    def __init__(self, trainers: Trainers, chance: random.Random) -> None:
        looked = "listed, state, epochs told, other runs, resume"
        self.tallies = {
            "times": Tally("SIGKILL of the trainer at random times", looked, KINDS),
            SAVE: Tally("SIGKILL of the trainer inside a save", looked, KINDS)}
        self.trainers, self.chance = trainers, chance
        self.folder = RunFolder(runs_dir())  # until it is started
        self.seconds_to_train = 10.0
        self.early = 0
        self.bystanders = [write_run("20200101-000000-ended", state="finished", name="ended"),
                           write_run("20200101-000001-cut", state="interrupted", name="cut")]
        self.digests = [digest(other.path) for other in self.bystanders]

    def kill_once(self, kind: str) -> None:
        """Start or resume the run, kill its trainer, and look at what is left."""
        tally = self.tallies[SAVE if kind == SAVE else "times"]
        tally.times += 1
        told, seen = self._state()
        self.trainers.fault = Fault()
        if kind == SAVE:
            self.trainers.fault = Fault(KILL, self.chance.choice(IN_A_SAVE),
                                        number=self.chance.randint(1, MOST_SAVES))
        begin = time.monotonic()
        if kind == EARLY:
            where = self._kill_early(tally)
        else:
            where = self._kill_late(tally, kind, begin)
            self._check_resumed(tally, told, seen)
        self._check_left(tally, where)
        told, _ = self._state()
        tell(f"{sum(t.times for t in self.tallies.values())}: killed {where}, "
             f"{time.monotonic() - begin:.0f} s, epoch {told}")

    def _state(self) -> tuple[int, int]:
        """Return the last epoch told and how many events there are."""
        if self.folder.path == runs_dir():
            return 0, 0
        return last_epoch_told(self.folder), len(events_of(self.folder))

    def _bytes_told(self) -> int:
        with suppress(OSError):
            return self.folder.metrics_file.stat().st_size
        return 0

    def _start(self, tally: Tally) -> None:
        if self.folder.path == runs_dir():
            self.folder = RunFolder(runs_dir() / manager.start_run(CONFIG))
            return
        state = manager.get_run(self.folder.run_id).status.state
        if state == "queued":  # nobody resumes it: whoever looks at the runs brings it back
            spawned = self.trainers.last
            wait_for(lambda: manager.tend_queue() or self.trainers.last is not spawned,
                     SECONDS_TO_START + 5)
            tally.check(self.trainers.last is not spawned, "resumes failed",
                        "a queued run was not brought back")
            return
        try:
            steering.resume_run(self.folder.run_id)
        except CnnError as error:
            tally.lose("resumes failed", f"{state}: {error}")

    def _kill_early(self, tally: Tally) -> str:
        waits = self.early % WAITING_EVERY == 0
        self.early += 1
        place = runs_dir() / ".queue"
        place.mkdir(exist_ok=True)
        slot = FileLock(place / "slot-1.lock")
        if waits:
            slot.acquire()
        try:
            self._start(tally)
            if waits:
                wait_for(lambda: queue.waiting() != [])
            time.sleep(self.chance.uniform(0, 2.0 if waits else self.seconds_to_train))
            self.trainers.kill()
        finally:
            slot.release()
        return "while it waited for its slot" if waits else "while it started"

    def _kill_late(self, tally: Tally, kind: str, begin: float) -> str:
        before = self._bytes_told()
        self._start(tally)
        process = self.trainers.last
        # More than the end of a line that the trainer before left unfinished.
        wait_for(lambda: self._bytes_told() > before + 1 or process.poll() is not None)
        self.seconds_to_train = time.monotonic() - begin
        if kind == TRAINING:
            time.sleep(self.chance.uniform(0, MOST_SECONDS))
            self.trainers.kill()
            return kind
        fault = self.trainers.fault
        where = f"in save {fault.number}, {fault.point}"
        try:
            process.wait(600)
        except subprocess.TimeoutExpired:
            tally.lose("other damage", f"the kill {where} did not happen")
            self.trainers.kill()
        return where

    def _check_resumed(self, tally: Tally, told: int, seen: int) -> None:
        new = events_of(self.folder)[seen:]
        if not tally.check(bool(new), "resumes failed", f"no training: {self._why()}") or not told:
            return
        # An epoch that the trainer before had saved and not told may be told first.
        first = next((event for event in new if event["kind"] != "epoch"), new[0])
        tally.check(first["kind"] == "resume" and first["epoch"] >= told, "resumes failed",
                    f"after epoch {told} was told it went on with {first}")

    def _why(self) -> str:
        status = self.folder.read_status()
        return f"{status.state} {status.message} {self.folder.log_tail(3)}"

    def _check_left(self, tally: Tally, where: str) -> None:
        run_id = self.folder.run_id
        runs = {run.run_id: run for run in manager.list_runs()}
        run = runs.get(run_id)
        if run is None or run.error:
            tally.lose("unlisted", f"killed {where}: {run.error if run else 'not there'}")
            return
        if run.status.state == "starting":  # it had not said a word: given up after a while
            wait_for(lambda: not manager.get_run(run_id).active, SECONDS_TO_START + 2)
        state = manager.get_run(run_id).status.state
        allowed = ("interrupted", "queued") if "slot" in where else ("interrupted",)
        tally.check(state in allowed, "unlisted", f"killed {where}: {state}")
        self._check_files(tally, where)
        digests = [digest(other.path) for other in self.bystanders]
        tally.check(digests == self.digests and len(runs) == 3, "other damage",
                    f"killed {where}: other runs changed")

    def _check_files(self, tally: Tally, where: str) -> None:
        told = last_epoch_told(self.folder)
        epochs, damaged = newest_checkpoint(self.folder)
        tally.check(epochs >= told, "epochs lost",
                    f"killed {where}: epoch {told} told, {epochs} in a checkpoint")
        tally.check(not damaged, "other damage", f"killed {where}: damaged {damaged}")
        left = unfinished_files(self.folder.path / "checkpoints")
        tally.check(len(left) <= 1, "other damage", f"killed {where}: {len(left)} unfinished files")
        tally.check(list_models() == [], "other damage", f"killed {where}: a model from nowhere")

    def finish(self) -> None:
        """Resume it once more, stop it, and look at its model."""
        tally = self.tallies[SAVE]
        told, seen = self._state()
        self.trainers.fault = Fault()
        self._start(tally)
        wait_for(lambda: last_epoch_told(self.folder) > told)
        self._check_resumed(tally, told, seen)
        with suppress(CnnError):
            steering.stop_run(self.folder.run_id)
        status = manager.wait_until_ended(self.folder.run_id, 600).status
        if not tally.check(status.state == "stopped" and bool(status.model), "resumes failed",
                           f"no model in the end: {self._why()}"):
            return
        read_evaluation(models_dir() / status.model)
        epochs = [row["epoch"] for row in read_history(status.model)]
        tally.check(epochs == list(range(1, status.epoch + 1)), "epochs lost",
                    f"history of {len(epochs)} rows for {status.epoch} epochs")
        self.tallies["times"].note = (
            f"In the end: a model of {status.epoch} epochs in {status.sittings} sittings, each "
            "epoch once in its history")


def run(count: int, chance: random.Random) -> list[Tally]:
    """Kill trainers so many times; return a row for each half of them."""
    with own_folders(), own_trainers() as trainers:
        scenario = Scenario(trainers, chance)
        for number in range(count):
            scenario.kill_once(ORDER[number % len(ORDER)])
        scenario.finish()
        return list(scenario.tallies.values())
