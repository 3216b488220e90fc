"""What a person does to a run: pause, stop, resume, more epochs, other settings, its place in line.

Each returns at once; the trainer follows within a step. Needs no TensorFlow.
"""

from __future__ import annotations

from typing import Any

from cnn.config import CHANGEABLE
from cnn.errors import BadInput
from cnn.runs import queue
from cnn.runs.control import PAUSE, STOP
from cnn.runs.manager import RunInfo, get_run, start_trainer


def pause_run(run_id: str) -> RunInfo:
    """Ask a run to keep everything and free the memory; `resume_run` takes it up there.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it is not active, or past its training.
    """
    run = _active(run_id, "paused")
    if run.status.stage.startswith(("evaluating", "saving")):
        raise BadInput(f"The run {run_id} is {run.status.stage}: its training is over.",
                       "It ends by itself in a moment.")
    run.folder.ask(wish=PAUSE)
    return get_run(run_id)


def stop_run(run_id: str) -> RunInfo:
    """Ask a run to stop and keep its best; one that waits for its turn is cancelled.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it has already ended.
    """
    run = _active(run_id, "stopped")
    run.folder.ask(wish=STOP)
    return get_run(run_id)


def _active(run_id: str, what: str) -> RunInfo:
    run = get_run(run_id)
    if not run.active:
        raise BadInput(f"The run {run_id} cannot be {what}: it is {run.status.state}.",
                       "Only a run that trains or waits can be.")
    return run


def resume_run(run_id: str, learning_rate: float | None = None) -> RunInfo:
    """Go on with a run exactly where its newest checkpoint is, or from the start.

    Args:
        run_id: Of a run that is paused, interrupted, failed or diverged.
        learning_rate: Another one from there on, as a run that diverged needs.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it cannot be taken up.
        Unavailable: If the disk is nearly full.
    """
    state = get_run(run_id).status.state
    if state in ("finished", "stopped"):
        raise BadInput(f"The run {run_id} cannot be resumed: it is {state}.",
                       "Give it more epochs: "
                       f"python -m cnn resume {run_id} --more-epochs 5")
    run = _at_rest(run_id, "resumed")
    start_trainer(run, **({"learning_rate": learning_rate} if learning_rate else {}))
    return get_run(run_id)


def continue_run(run_id: str, more_epochs: int) -> RunInfo:
    """Train more epochs than a run was asked for; its saved model stays, the new one is another.

    With a linear schedule the rate rises again, to fall to zero at the new end.

    Args:
        run_id: Of a run that is not active.
        more_epochs: Beyond the whole epochs that it has, at least 1.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it cannot be taken up, or the number is out of range.
        Unavailable: If the disk is nearly full.
    """
    run = _at_rest(run_id, "continued")
    if more_epochs < 1:
        raise BadInput(f"more epochs must be 1 or more. Received: {more_epochs!r}.")
    start_trainer(run, epochs=run.status.epoch + more_epochs)
    return get_run(run_id)


def finish_run(run_id: str) -> RunInfo:
    """Make a model of the best epoch of a run that is paused, interrupted or failed.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it has no whole epoch to make one of.
        Unavailable: If the disk is nearly full.
    """
    run = _at_rest(run_id, "finished")
    if not run.status.best_epoch:
        raise BadInput(f"The run {run_id} has no whole epoch yet.", "Resume it instead.")
    start_trainer(run, wish=STOP)
    return get_run(run_id)


def _at_rest(run_id: str, what: str) -> RunInfo:
    run = get_run(run_id)
    if run.error:
        raise run.error
    if run.active:
        raise BadInput(f"The run {run_id} cannot be {what}: it is {run.status.state}.",
                       "Only a run that does not train can be.")
    if not run.can_go_on:
        raise BadInput(f"The run {run_id} cannot be {what}: it has no checkpoint.",
                       "Start it again with the same settings.")
    return run


def change_run(run_id: str, **changes: Any) -> RunInfo:
    """Change settings of a run from its next step on, or from when it is resumed.

    Args:
        run_id: Of any run that has not ended for good.
        changes: `learning_rate`, `epochs` or `augmentation`.

    Raises:
        NotFound: If there is no such run.
        BadInput: If a setting cannot be changed or is out of range.
    """
    run = get_run(run_id)
    if run.error or run.config is None:
        raise run.error or BadInput(f"The run {run_id} is damaged.")
    unknown = sorted(set(changes) - set(CHANGEABLE))
    if unknown or not changes:
        raise BadInput(f"While it trains, only these can be changed: {', '.join(CHANGEABLE)}. "
                       f"Received: {', '.join(unknown) or 'nothing'}.")
    epochs = changes.get("epochs")
    if isinstance(epochs, int) and epochs <= run.status.epoch:
        raise BadInput(f"epochs must be more than the {run.status.epoch} that are done. "
                       f"Received: {epochs}.", "To end it now, stop it.")
    run.folder.ask(**changes)
    return get_run(run_id)


def move_run(run_id: str, steps: int) -> list[str]:
    """Move a waiting run forward (steps below 0) or back; return the order, first the next.

    Raises:
        NotFound: If there is no such run, or it does not wait.
    """
    get_run(run_id)
    queue.move(run_id, steps)
    return queue.waiting()
