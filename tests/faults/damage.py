"""Every stored file of a finished run, an interrupted run and a saved model, damaged one at a time.

Cut to half, emptied, zeroed, one bit flipped (at many places), made a folder, deleted, made
unreadable (left out where root runs this: root reads all). After each, everything the app asks of
the folders is asked; then the file is restored. For each kind of damage the interrupted run is
really resumed once with its newest checkpoint damaged.

Lost is: an exception that is no CnnError; another run or model that is no longer whole; a resume
that does not go on from the checkpoint before the damaged one, and end with a model.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cnn import api_records
from cnn.config import RunConfig
from cnn.errors import CnnError
from cnn.evaluation.results import read_evaluation
from cnn.paths import models_dir, runs_dir
from cnn.prediction.saved import list_models, read_card, read_history
from cnn.runs import manager, queue, steering
from pages.shared import run_log
from pages.shared.live_feed import live_feed
from tests.faults.support import (
    PATIENCE,
    Tally,
    Trainers,
    events_of,
    last_epoch_told,
    newest_checkpoint,
    own_folders,
    own_trainers,
    tell,
    wait_for,
)
from tests.faults.trainer import Fault

COUNT = 100  # bits flipped in each file, one at a time
READ_KINDS = ("exceptions", "other items")
RESUME_KINDS = ("resumes failed", "epochs lost")
CONFIG = RunConfig("digits", "base", "whole", epochs=3, train_images=300, batch_size=100)
Damage = Callable[[Path], None]


def cut(path: Path) -> None:
    """Keep the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Keep the name."""
    path.write_bytes(b"")


def zero(path: Path) -> None:
    """Keep the size."""
    path.write_bytes(bytes(path.stat().st_size))


def flipped(chance: random.Random) -> Damage:
    """Return a damage that flips one bit somewhere."""
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)

    return flip


def make_folder(path: Path) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


def delete(path: Path) -> None:
    """Take it away."""
    path.unlink()


def forbid(path: Path) -> None:
    """Let nobody read it."""
    path.chmod(0)


KINDS_OF_DAMAGE: dict[str, Damage] = {
    "cut": cut, "emptied": empty, "zeroed": zero, "made a folder": make_folder,
    "deleted": delete, "unreadable": forbid}


@contextmanager
def damaged(path: Path, damage: Damage) -> Iterator[None]:
    """Damage a file for the length of a block."""
    data, mode = path.read_bytes(), path.stat().st_mode
    try:
        damage(path)
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        if path.exists():
            path.chmod(mode)
        path.write_bytes(data)


def can_forbid(place: Path) -> bool:
    """Whether there is anything that this user cannot read."""
    probe = place / "probe"
    probe.write_bytes(b"x")
    probe.chmod(0)
    try:
        probe.read_bytes()
    except OSError:
        return True
    finally:
        probe.unlink()
    return False


def make_items(trainers: Trainers) -> tuple[str, str]:
    """Train a run to its end and interrupt another one; return their ids."""
    trainers.fault = Fault()
    finished = manager.start_run(CONFIG)
    manager.wait_until_ended(finished, PATIENCE)
    cut_off = manager.start_run(
        RunConfig(**{**CONFIG.to_dict(), "augmentation": CONFIG.augmentation, "name": "cut-off",
                     "epochs": 10_000}))
    folder = manager.get_run(cut_off).folder
    wait_for(lambda: last_epoch_told(folder) >= 3)
    trainers.kill()
    return finished, cut_off


def questions() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield all that the app asks of runs and models, each under the item it is about."""
    yield "", manager.list_runs
    yield "", queue.waiting
    yield "", manager.tend_queue
    yield "", list_models
    yield "", api_records.runs_record
    yield "", api_records.models_record
    for path in sorted(runs_dir().glob("[!.]*")):
        run_id = path.name
        yield run_id, lambda run_id=run_id: api_records.run_detail(manager.get_run(run_id))
        yield run_id, lambda run_id=run_id: live_feed(run_id)
        yield run_id, lambda run_id=run_id: run_log.view_run(manager.get_run(run_id).folder)
        yield run_id, lambda run_id=run_id: manager.get_run(run_id).folder.log_tail()
        yield run_id, lambda run_id=run_id: manager.get_run(run_id).can_go_on
    for path in sorted(models_dir().glob("[!.]*")):
        name = path.name
        yield name, lambda name=name: api_records.card_record(name, read_card(name))
        yield name, lambda name=name: read_history(name)
        yield name, lambda path=path: read_evaluation(path)


def look(item: str, what: str, tally: Tally) -> None:
    """Ask everything while `item` is damaged."""
    run_log._reader.cache_clear()  # as a server that has just started
    tally.times += 1
    for about, question in questions():
        try:
            question()
        except CnnError as error:
            tally.check(about == item, "other items", f"{what}: {about} says {error}")
        except Exception as error:
            tally.lose("exceptions", f"{what}: {error!r}")
    names = [run.run_id for run in manager.list_runs() if not run.error]
    names += [model.name for model in list_models() if model.card]
    everything = {p.name for place in (runs_dir(), models_dir()) for p in place.glob("[!.]*")}
    tally.check(everything - {item} <= set(names), "other items", f"{what}: {names}")


def damage_all(count: int, chance: random.Random, tally: Tally) -> None:
    """Damage every file in every way, and look."""
    kinds = dict(KINDS_OF_DAMAGE)
    if not can_forbid(runs_dir()):
        del kinds["unreadable"]
    files = 0
    for folder in sorted([*runs_dir().glob("[!.]*"), *models_dir().glob("[!.]*")]):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            flips = {f"bit {n}": flipped(chance) for n in range(count)}
            size = path.stat().st_size
            files += 1
            for name, damage in {**kinds, **(flips if size else {})}.items():
                with damaged(path, damage):
                    look(folder.name, f"{path.relative_to(folder.parent)} {name}", tally)
        tell(f"{tally.times} damages, {folder.name} done")
    tally.note = f"{files} files, {count} bits flipped in each"


def resume_damaged(run_id: str, name: str, damage: Damage, tally: Tally) -> None:
    """Damage the newest checkpoint for good and see the run go on from the one before."""
    tally.times += 1
    folder = manager.get_run(run_id).folder
    newest = folder.checkpoints.paths()[0]
    damage(newest)
    left = int(folder.checkpoints.paths()[-1].name[:5])
    seen = len(events_of(folder))
    steering.resume_run(run_id)
    wait_for(lambda: len([e for e in events_of(folder)[seen:] if e["kind"] == "epoch"]) >= 3
             or not manager.get_run(run_id).active)
    new = events_of(folder)[seen:]
    first = new[0] if new else {}
    tally.check(first.get("kind") == "resume" and first["epoch"] == left, "resumes failed",
                f"{name}: {left} epochs were readable, it began with {first}; {folder.log_tail(3)}")


def resume_all(run_id: str, chance: random.Random, trainers: Trainers, tally: Tally) -> None:
    """Resume the interrupted run once with each kind of damage, and make a model in the end."""
    folder = manager.get_run(run_id).folder
    kinds = {**KINDS_OF_DAMAGE, "one bit flipped": flipped(chance)}
    if not can_forbid(runs_dir()):
        del kinds["unreadable"]
    for name, damage in kinds.items():
        resume_damaged(run_id, name, damage, tally)
        tell(f"resumed with the newest checkpoint {name}")
        if name == list(kinds)[-1]:
            steering.stop_run(run_id)
        else:
            trainers.kill()
            told, (kept, _) = last_epoch_told(folder), newest_checkpoint(folder)
            tally.check(kept >= told, "epochs lost", f"{name}: {told} told, {kept} kept")
    status = manager.wait_until_ended(run_id, PATIENCE).status
    if tally.check(bool(status.model), "resumes failed", f"no model: {status}"):
        rows = [row["epoch"] for row in read_history(status.model)]
        tally.check(rows == list(range(1, status.epoch + 1)), "epochs lost", f"history: {rows}")


def run(count: int, chance: random.Random) -> list[Tally]:
    """Damage everything; flip so many bits in each file."""
    reads = Tally("one file damaged", "every list, run, feed, curve, card, test result", READ_KINDS)
    resumes = Tally("newest checkpoint damaged, run resumed",
                    "goes on from the one before, ends with a model", RESUME_KINDS)
    with own_folders(), own_trainers() as trainers:
        _, interrupted = make_items(trainers)
        damage_all(count, chance, reads)
        resume_all(interrupted, chance, trainers, resumes)
    return [reads, resumes]
