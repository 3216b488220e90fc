"""A disk that fills to its last byte while a run trains, saves a checkpoint, or saves its model.

Runs, models and data lie on a small disk in memory (tmpfs; only root can mount one: otherwise
nothing is done, and the table says so). It is kept full for a second or two, also of what the
trainer gives back meanwhile; then the room is there again and the run must go on by itself.

Lost is: a trainer that dies; an answer of the app that is an exception or leaves the run out; an
epoch that is missing in the metrics or in the history of the model; a model that is not saved; a
dashboard that does not start on a full disk.
"""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.dashboard_process import dashboard
from cnn.config import RunConfig
from cnn.errors import CnnError
from cnn.evaluation.results import read_evaluation
from cnn.files import TEMPORARY
from cnn.paths import models_dir
from cnn.prediction.saved import list_models, read_card, read_history
from cnn.runs import manager, steering
from cnn.runs.folder import RunFolder
from pages.shared.live_feed import live_feed
from pages.shared.run_log import view_run
from tests.faults.ballast import FILE, empty_disk, fill_disk
from tests.faults.support import (
    PATIENCE,
    Tally,
    Trainers,
    events_of,
    own_folders,
    own_trainers,
    tell,
    wait_for,
)
from tests.faults.trainer import BEGIN, CHECKPOINT, FILL, Fault

COUNT = 30
KINDS = ("trainers", "answers", "epochs", "models")
SIZE = "320m"  # a run is refused where fewer than about 55 MB are free
EPOCHS = 30  # of each training; the next one takes the run up and trains as many more
CONFIG = RunConfig("digits", "dropout", "full", epochs=EPOCHS, batch_size=32, seed=6)
AT_THE_END = ("model.keras", "history.jsonl", "evaluation.npz", "evaluation.json", "card.json")
TRAINING, SAVE, END = "while it trains", "while it saves a checkpoint", "while it saves the model"
ORDER = (SAVE, END, TRAINING)


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """Mount a small disk for the length of a block; None where that is refused."""
    with tempfile.TemporaryDirectory(prefix="cnn-faults-") as made:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", made],
                                 capture_output=True, check=False)
        if mounted.returncode:
            yield None
            return
        try:
            yield Path(made)
        finally:
            subprocess.run(["umount", "-l", made], check=False)


class Scenario:
    """A run on a small disk."""

    def __init__(self, disk: Path, trainers: Trainers, chance: random.Random) -> None:
        self.tally = Tally("full disk", "trainer lives, app answers, run goes on, epochs, model",
                           KINDS)
        self.disk, self.trainers, self.chance = disk, trainers, chance
        self.folder: RunFolder | None = None
        self.models = 0

    def fill_once(self, kind: str) -> None:
        """Start or continue the run, fill the disk once, empty it, and wait for the end."""
        self.tally.times += 1
        self.trainers.fault = self._fault(kind)
        if self.folder is None:
            self.folder = manager.get_run(manager.start_run(CONFIG)).folder
        else:
            steering.continue_run(self.folder.run_id, EPOCHS)
        before = len(events_of(self.folder))
        where = self._fill(kind, before)
        seconds = self._stay_full(where)
        empty_disk(self.disk)
        self._check_end(where)
        tell(f"{self.tally.times}: {where}, full for {seconds:.1f} s, "
             f"epoch {self.folder.read_status().epoch}")

    def _fault(self, kind: str) -> Fault:
        if kind == SAVE:
            return Fault(FILL, BEGIN, CHECKPOINT, self.chance.randint(1, EPOCHS - 2),
                         str(self.disk))
        if kind == END:
            return Fault(FILL, BEGIN, self.chance.choice(AT_THE_END), folder=str(self.disk))
        return Fault()

    def _fill(self, kind: str, before: int) -> str:
        assert self.folder is not None
        process = self.trainers.last
        if kind == TRAINING:
            folder = self.folder
            wait_for(lambda: len(events_of(folder)) > before or process.poll() is not None)
            time.sleep(self.chance.uniform(0, 2))
            fill_disk(self.disk)
            return kind
        fault = self.trainers.fault
        filled = self.disk / FILE
        wait_for(lambda: filled.exists() or process.poll() is not None)
        self.tally.check(filled.exists(), "trainers", f"it ended before {kind}: {self._why()}")
        return f"{kind}, {fault.file} {fault.number}"

    def _stay_full(self, where: str) -> float:
        begin, end = time.monotonic(), time.monotonic() + self.chance.uniform(1, 2)
        answered = False
        while time.monotonic() < end or not answered:
            fill_disk(self.disk)
            self._ask_everything(where)
            answered = True
            time.sleep(0.05)
        alive = self.trainers.last.poll() is None or not self._run().active
        self.tally.check(alive, "trainers", f"{where}: {self._why()}")
        return time.monotonic() - begin

    def _run(self) -> manager.RunInfo:
        assert self.folder is not None
        return manager.get_run(self.folder.run_id)

    def _why(self) -> str:
        status = self._run().status
        return f"{status.state} {status.message} {self._run().folder.log_tail(3)}"

    def _ask_everything(self, where: str) -> None:
        run_id, folder = self._run().run_id, self._run().folder
        self._ask(where, "list", manager.list_runs, lambda runs: len(runs) == 1)
        self._ask(where, "run", lambda: manager.get_run(run_id), lambda run: run.error is None)
        self._ask(where, "feed", lambda: live_feed(run_id), bool)
        self._ask(where, "view", lambda: view_run(folder), lambda view: True)
        self._ask(where, "models", list_models,
                  lambda models: all(model.card for model in models))
        try:
            folder.ask(learning_rate=CONFIG.learning_rate)
        except CnnError:
            pass  # it says that the disk is full
        except Exception as error:
            self.tally.lose("answers", f"{where}, wish: {error!r}")

    def _ask(self, where: str, what: str, question: Callable[[], Any],
             right: Callable[[Any], bool]) -> None:
        try:
            answer = question()
        except Exception as error:  # whatever it is, a page would have shown no run
            self.tally.lose("answers", f"{where}, {what}: {error!r}")
        else:
            self.tally.check(right(answer), "answers", f"{where}, {what}: {answer}")

    def _check_end(self, where: str) -> None:
        assert self.folder is not None
        status = manager.wait_until_ended(self.folder.run_id, PATIENCE).status
        if not self.tally.check(status.state == "finished", "trainers", f"{where}: {self._why()}"):
            return
        self.models += 1
        wanted = list(range(1, status.epoch + 1))
        told = [event["epoch"] for event in events_of(self.folder) if event["kind"] == "epoch"]
        self.tally.check(told == wanted, "epochs", f"{where}: metrics have {told}")
        read_card(status.model)
        read_evaluation(models_dir() / status.model)
        rows = [row["epoch"] for row in read_history(status.model)]
        self.tally.check(rows == wanted, "epochs", f"{where}: history has {rows}")
        self.tally.check(len(list_models()) == self.models, "models",
                         f"{where}: {len(list_models())} models after {self.models} trainings")
        left = list(self.disk.rglob(f"{TEMPORARY}*"))
        self.tally.check(not left, "models", f"{where}: unfinished files stay: {left}")

    def start_the_dashboard(self) -> None:
        """See that a server starts on a full disk, and lists the run."""
        fill_disk(self.disk)
        try:
            with dashboard({}) as server, urllib.request.urlopen(
                    f"{server.url}/api/runs", timeout=60) as reply:
                runs = json.load(reply)["runs"]
                self.tally.note = (f"the dashboard started on the full disk in "
                                   f"{server.seconds_to_health:.1f} s")
            self.tally.check(len(runs) == 1 and not runs[0]["error"], "answers",
                             f"server on a full disk: {runs}")
        except OSError as error:
            self.tally.lose("answers", f"server on a full disk: {error!r}")
        finally:
            empty_disk(self.disk)


def run(count: int, chance: random.Random) -> list[Tally]:
    """Fill the disk so many times."""
    with small_disk() as disk:
        if disk is None:
            return [Tally("full disk", "", KINDS, note="Left out: a disk in memory needs root")]
        with own_folders(disk), own_trainers() as trainers:
            scenario = Scenario(disk, trainers, chance)
            for number in range(count):
                scenario.fill_once(ORDER[number % len(ORDER)])
            scenario.start_the_dashboard()
            return [scenario.tally]
