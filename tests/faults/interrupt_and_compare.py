"""Runs that are interrupted five times, beside runs with the same settings that are not.

Two SIGKILLs, two pauses and one SIGTERM, in random order, each after a random training step. All
trainers run on one core with one thread: the sums of several threads are rounded in another order
each time, interrupted or not.

Lost is: a saved model that differs from the one of the undisturbed run in a single bit, or a
history that does; an interruption that did not happen counts too.
"""

from __future__ import annotations

import io
import random
import zipfile
from dataclasses import replace
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from cnn.config import Augmentation, RunConfig
from cnn.paths import models_dir
from cnn.prediction.saved import MODEL_FILE, read_history
from cnn.runs import manager, steering
from tests.faults.support import PATIENCE, Tally, Trainers, own_folders, own_trainers, tell
from tests.faults.trainer import KILL, PAUSE, TERMINATE, Fault

COUNT = 8  # pairs of runs
KINDS = ("weights or histories that differ", "interruptions that failed")
INTERRUPTIONS = (KILL, KILL, PAUSE, PAUSE, TERMINATE)
CHANGES = Augmentation(shift=0.13, flip=True, cutout=0.3)
TURNS = Augmentation(rotation=15, shift=0.1)
# Three steps an epoch; a pause is noticed within 0.2 s, which is some dozen of them.
BASE = RunConfig("digits", "dropout", "x", epochs=60, train_images=300, batch_size=100)
CASES = (BASE, replace(BASE, optimizer="muon", augmentation=CHANGES, schedule="linear"),
         replace(BASE, optimizer="muon"), replace(BASE, augmentation=TURNS, reduce_on_plateau=3),
         replace(BASE, architecture="batchnorm", augmentation=CHANGES),
         replace(BASE, architecture="base", optimizer="sgd", label_smoothing=0.1),
         replace(BASE, architecture="deeper-dropout", augmentation=CHANGES),
         replace(BASE, architecture="tf-nn"))
STEPS_AT_MOST = 24  # between two interruptions: five times that, and it is not at its end
TIMES = ("seconds", "images_per_second")  # all else in a history must be the same


def whole_run(config: RunConfig, trainers: Trainers) -> str:
    """Train without a disturbance; return the name of the model."""
    trainers.fault = Fault(one_core=True)
    status = manager.wait_until_ended(manager.start_run(config), PATIENCE).status
    return status.model


def interrupted_run(
    config: RunConfig, trainers: Trainers, chance: random.Random, tally: Tally
) -> tuple[str, str]:
    """Train with five interruptions; return the name of the model, and where they happened."""
    run_id, said = "", []
    for action in chance.sample(INTERRUPTIONS, len(INTERRUPTIONS)):
        trainers.fault = Fault(
            action, number=chance.randint(1, STEPS_AT_MOST), one_core=True)
        if run_id:
            steering.resume_run(run_id)
        else:
            run_id = manager.start_run(config)
        run = manager.wait_until_ended(run_id, PATIENCE)
        wanted = "interrupted" if action == KILL else "paused"
        tally.check(run.status.state == wanted, "interruptions that failed",
                    f"{action}: {run.status.state} {run.status.message}")
        names = [path.name[:11] for path in run.folder.checkpoints.paths()[:1]]
        said.append(f"{action} {names[0] if names else 'before the first checkpoint'}")
    trainers.fault = Fault(one_core=True)
    steering.resume_run(run_id)
    status = manager.wait_until_ended(run_id, PATIENCE).status
    tally.check(status.sittings == len(INTERRUPTIONS) + 1, "interruptions that failed",
                f"{status.sittings} sittings")
    return status.model, ", ".join(said)


def weights_of(name: str) -> dict[str, NDArray[Any]]:
    """Return all arrays in the Keras file of a saved model, by their place in it."""
    found: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(models_dir() / name / MODEL_FILE) as archive:
        data = io.BytesIO(archive.read("model.weights.h5"))

    def take(place: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[place] = item[()]

    with h5py.File(data) as file:
        file.visititems(take)
    return found


def history_of(name: str) -> list[dict[str, Any]]:
    """Return the history of a saved model without what the clock has to do with."""
    return [{key: value for key, value in row.items() if key not in TIMES}
            for row in read_history(name)]


def compare(config: RunConfig, whole: str, parts: str, tally: Tally) -> int:
    """Count what differs between two models; return how many numbers were compared."""
    kind, what = KINDS[0], f"{config.architecture}, {config.optimizer}, seed {config.seed}"
    if not tally.check(bool(whole and parts), kind, f"{what}: no model"):
        return 0
    first, second = weights_of(whole), weights_of(parts)
    same = first.keys() == second.keys() and all(
        value.tobytes() == second[place].tobytes() for place, value in first.items())
    most = max((float(np.abs(value - second[place]).max()) for place, value in first.items()
                if place in second), default=0.0)
    tally.check(same, kind, f"{what}: weights, by at most {most:.3g}")
    tally.check(history_of(whole) == history_of(parts), kind, f"{what}: history")
    return sum(value.size for value in first.values())


def run(count: int, chance: random.Random) -> list[Tally]:
    """Compare so many pairs of runs."""
    tally = Tally("five interruptions, beside an undisturbed run",
                  "every weight and every figure of the history, bit by bit", KINDS)
    with own_folders(), own_trainers() as trainers:
        for number in range(count):
            config = replace(CASES[number % len(CASES)], name=f"whole-{number}",
                             seed=chance.randrange(1000))
            whole = whole_run(config, trainers)
            parts, said = interrupted_run(
                config.with_name(f"parts-{number}"), trainers, chance, tally)
            numbers = compare(config, whole, parts, tally)
            tally.times += 1
            tell(f"{number + 1}: {config.architecture}, {config.optimizer}, {numbers} weights; "
                 f"{said}")
    return [tally]
