"""Deleting runs: what of them may go to the trash. Their saved models are never touched."""

from __future__ import annotations

from cnn.errors import BadInput
from cnn.paths import runs_dir
from cnn.runs.folder import RunFolder
from cnn.runs.labels import read_label
from cnn.runs.manager import RunInfo, get_run, list_runs
from cnn.trash import Deleted, Trash


def deleted_runs() -> Trash:
    """Return the deleted runs."""
    return Trash(runs_dir(), "run")


def title_of(deleted: Deleted) -> str:
    """Return the title that a person gave a deleted run; it may be empty."""
    return read_label(RunFolder(deleted.path)).title


def delete_run(run_id: str) -> str:
    """Move a run to the deleted ones, damaged or not, and return its id there.

    Raises:
        NotFound: If there is no such run.
        BadInput: If it is active.
        Unavailable: If its folder cannot be moved; the run is unharmed then.
    """
    run = _find(run_id)
    if run.active:
        raise BadInput(f"The run {run_id} is {run.status.state}: it cannot be deleted now.",
                       f"Stop it first: python -m cnn stop {run_id}, or Stop on its page. "
                       "Then delete it.")
    return deleted_runs().put(run.folder.path)


def _find(run_id: str) -> RunInfo:
    """Return a run by its id, or by the name of its folder where that can be no id."""
    listed = next((run for run in list_runs() if run.run_id == run_id), None)
    return listed or get_run(run_id)
