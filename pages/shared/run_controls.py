"""What can be done to a run on the Train page, by its state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st

from cnn.config import CHANGEABLE, RunConfig
from cnn.errors import CnnError
from cnn.models.defaults import switched_augmentation
from cnn.prediction.saved import free_name
from cnn.runs.manager import RunInfo
from cnn.runs.pins import Pin, read_pins
from cnn.runs.queue import waiting
from cnn.runs.steering import (
    change_run,
    continue_run,
    finish_run,
    move_run,
    pause_run,
    resume_run,
    stop_run,
)
from pages.shared.acting import act
from pages.shared.starting import start

MORE_EPOCHS = 5  # proposed
RATE_AFTER_DIVERGENCE = 0.1  # of the rate at which the loss broke


def draw_controls(run: RunInfo) -> None:
    """Draw what can be done to a run that is active."""
    leaving = run.status.state in ("pausing", "stopping")
    if run.status.state == "queued":
        draw_place(run)
        return
    if not leaving:
        _draw_changes(run)
    _button("Pause", ":material/pause_circle:", "run_pause", pause_run, run.run_id,
            disabled=leaving, help="Keeps everything after the present step, and frees the memory.")
    _button("Stop", ":material/stop_circle:", "run_stop", stop_run, run.run_id,
            disabled=run.status.state == "stopping",
            help="Ends training at once and keeps the best model so far.")


def draw_ways_on(run: RunInfo, model_is_here: bool = True) -> None:
    """Draw how a run that is at rest can go on, or have its model made again."""
    if run.config is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if run.can_go_on:
            _draw_resuming(run, run.config, model_is_here)
        if not run.status.model:
            _button("Start again with the same settings", ":material/replay:", "run_again",
                    start, run.config.with_name(free_name(run.config.name)), _pins(run))


def _pins(run: RunInfo) -> list[Pin]:
    with suppress(CnnError):  # without them then
        return read_pins(run.folder.path)
    return []


def _draw_resuming(run: RunInfo, config: RunConfig, model_is_here: bool) -> None:
    state, epoch = run.status.state, run.status.epoch
    if state in ("finished", "stopped"):
        _draw_more_epochs(run)
        if not model_is_here:
            _button("Make its model again", ":material/save:", "run_finish", finish_run, run.run_id,
                    help="From the best weights in its checkpoint, tested again.")
        return
    if state == "diverged":
        rate = config.learning_rate * RATE_AFTER_DIVERGENCE
        _button(f"Resume with a learning rate of {rate:.2g}", ":material/resume:", "run_resume",
                resume_run, run.run_id, rate, type="primary")
        return
    where = f"after epoch {epoch}" if epoch else "from what there is"
    _button(f"Resume {where}", ":material/resume:", "run_resume", resume_run, run.run_id,
            type="primary")
    _draw_changes(run)
    if run.status.best_epoch and not run.status.model:
        _button(f"Keep epoch {run.status.best_epoch} as a model", ":material/save:", "run_finish",
                finish_run, run.run_id, help="The best so far is tested and saved.")


def _draw_more_epochs(run: RunInfo) -> None:
    with st.popover("Train more epochs", icon=":material/add_circle:", key="run_more"):
        more = st.number_input("More epochs", 1, 10_000, MORE_EPOCHS, key="run_more_epochs")
        falls = run.config is not None and run.config.schedule != "constant"
        st.caption("The saved model stays; the new one gets a name of its own."
                   + (" The learning rate rises again, to fall to zero at the new end."
                      if falls else ""))
        _button("Train them", ":material/play_arrow:", "run_continue", continue_run, run.run_id,
                more, type="primary")


def _draw_changes(run: RunInfo) -> None:
    config = run.config
    if config is None:
        return
    with st.popover("Change", icon=":material/tune:", key="run_change"):
        with st.form("run_changes", border=False):
            rate = st.number_input(
                "Learning rate", 1e-8, 10.0, config.learning_rate, format="%g",
                step=config.learning_rate / 10, key=f"run_rate_{config.learning_rate}",
                help=None if config.schedule == "constant" else
                "Of the whole schedule, which falls from it to zero at the last step.")
            epochs = st.number_input(
                "Epochs in all", min(run.status.epoch + 1, config.epochs), 10_000, config.epochs,
                key=f"run_epochs_{config.epochs}")
            on = st.toggle("Augmentation", config.augmentation.active,
                           key=f"run_augment_{config.augmentation.active}")
            asked = st.form_submit_button("Change it", type="primary")
        st.caption("From the next step on; marked in the curves.")
    if asked:
        act(change_run, run.run_id, **_changes(config, rate, epochs, on))


def _changes(config: RunConfig, rate: float, epochs: int, on: bool) -> dict[str, Any]:
    """Return what is otherwise than now."""
    augmentation = config.augmentation
    if on != augmentation.active:
        augmentation = switched_augmentation(config, on)
    wanted = {"learning_rate": rate, "epochs": epochs, "augmentation": augmentation}
    return {name: wanted[name] for name in CHANGEABLE if wanted[name] != getattr(config, name)}


def draw_place(run: RunInfo, ending: str = "") -> None:
    """Draw the place of a run in the queue, if it waits, and the ways to move and cancel it.

    Args:
        run: Any.
        ending: Of the keys of its buttons, where several runs are drawn.
    """
    order = waiting()
    if run.run_id in order:
        place = order.index(run.run_id) + 1
        st.markdown(f"Place **{place}** of {len(order)}", width="content")
        if len(order) > 1:
            _button("", ":material/arrow_upward:", f"run_forward{ending}", move_run, run.run_id, -1,
                    disabled=place == 1, help="One place forward")
            _button("", ":material/arrow_downward:", f"run_back{ending}", move_run, run.run_id, 1,
                    disabled=place == len(order), help="One place back")
    _button("Cancel", ":material/cancel:", f"run_stop{ending}", stop_run, run.run_id,
            help="Leaves the queue. What was trained before is kept.")


def _button(
    label: str, icon: str, key: str, action: Callable[..., Any], *args: Any,
    help: str | None = None, disabled: bool = False, type: str = "secondary",
) -> None:
    if st.button(label, icon=icon, key=key, help=help, disabled=disabled, type=type):
        act(action, *args)
