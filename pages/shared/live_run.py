"""One run on the Train page: watched while it is active, its result when it has ended.

Everything comes from the run's folder, so every visitor and every reload sees the same. What it has
learnt so far is drawn by `run_history`.
"""

from __future__ import annotations

import time

import streamlit as st

from cnn.errors import CnnError
from cnn.prediction.saved import free_name
from cnn.runs.folder import STATES, Status
from cnn.runs.manager import RunInfo, get_run, resume_run, stop_run
from pages.shared.errors import show_error
from pages.shared.formats import NOTHING, count, decimal, duration, mega, percent, plain
from pages.shared.layout import EVALUATE, PREDICT
from pages.shared.progress import progress_bar
from pages.shared.run_history import draw_history
from pages.shared.run_log import RunView, view_run
from pages.shared.starting import show_start_error, start

# The browser draws on the same cores as the training, and curves cost it ten times as much as
# figures (docs/results.md, "What watching costs").
SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_BETWEEN_CURVES = 6.0
YOUNG = 30.0  # seconds of training in which curves change a lot: they are drawn at every look
COLORS = {"starting": "blue", "running": "blue", "stopping": "orange", "finished": "green",
          "stopped": "green", "interrupted": "red", "diverged": "red", "failed": "red"}


def show_run(run_id: str) -> None:
    """Show a run, and keep showing it while it is active.

    Raises:
        BadInput, NotFound: If there is no such run.
        Damaged: If its folder cannot be read.
    """
    run = get_run(run_id)
    if run.error:
        raise run.error
    _draw_head(run)
    if run.active:
        # The timers live in the browser and only while the run is active; a change of what `_watch`
        # is told draws the whole page once more, which sets or ends them.
        every = _seconds_between_curves(view_run(run.folder))
        st.fragment(run_every=SECONDS_BETWEEN_LOOKS)(_watch)(run_id, run.status.state, every)
        st.fragment(run_every=every)(draw_history)(run_id)
    else:
        _draw_result(run)
        draw_history(run_id)
    _draw_settings(run)


def _watch(run_id: str, state: str, every: float) -> None:
    run = get_run(run_id)
    view = view_run(run.folder)
    if (run.status.state, _seconds_between_curves(view)) != (state, every):
        st.rerun()
    _draw_progress(run, view)
    _draw_figures(run, view)


def _seconds_between_curves(view: RunView) -> float:
    young = view.last is None or view.last.get("seconds", 0.0) < YOUNG
    return SECONDS_BETWEEN_LOOKS if young else SECONDS_BETWEEN_CURVES


def _draw_head(run: RunInfo) -> None:
    config, state = run.config, run.status.state
    if config is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(run.status.model or config.name), width="content", anchor=False)
        st.badge(state, color=COLORS[state], help=STATES[state])
        st.badge(plain(config.dataset), icon=":material/photo_library:", color="gray")
        st.badge(plain(config.architecture), icon=":material/grid_view:", color="gray")
        if run.active:
            st.space("stretch")
            st.button("Stop", icon=":material/stop_circle:", key="run_stop", on_click=_stop,
                      args=(run.run_id,), disabled=state == "stopping",
                      help="Ends training at once and keeps the best model so far.")
    problem = st.session_state.pop("run_error", None)
    if problem:
        show_error(problem)


def _stop(run_id: str) -> None:
    try:
        stop_run(run_id)
    except CnnError as error:  # it has just ended by itself
        st.session_state["run_error"] = error


def _resume(run_id: str) -> None:
    try:
        resume_run(run_id)
    except CnnError as error:  # somebody else was quicker, or the disk is full
        st.session_state["run_error"] = error


def _draw_progress(run: RunInfo, view: RunView) -> None:
    last, epochs = view.last, run.config.epochs if run.config else 1
    if run.status.stage != "training" or last is None:
        st.html(progress_bar(run.status.epoch / epochs, _stage(run.status)))
        return
    share = last["batch"] / last["batches"]
    st.html(progress_bar((last["epoch"] - 1 + share) / epochs,
                         f"Epoch {last['epoch']} of {epochs}")
            + progress_bar(share, f"Batch {count(last['batch'])} of {count(last['batches'])} "
                                  "in this epoch"))


def _stage(status: Status) -> str:
    if status.state == "stopping":
        return STATES["stopping"]
    return f"{status.stage[:1].upper()}{status.stage[1:]}"


def _draw_figures(run: RunInfo, view: RunView) -> None:
    last, status = view.last or {}, run.status
    # A resumed run may have lain there for days: its own seconds count, not those.
    elapsed = max(status.seconds, time.time() - (status.asked or status.created))
    left = last.get("seconds_left")
    with st.grid(4, min_column_width=150):
        st.metric("Training", percent(last.get("accuracy")), border=True,
                  help="Accuracy on the newest batches, while the network changes.")
        st.metric("Best validation", percent(status.best_val_accuracy if status.best_epoch
                                             else None), border=True,
                  help="Highest accuracy so far on the images held back.")
        st.metric("Time left", NOTHING if left is None else duration(left), border=True,
                  help="For all epochs asked for. Early stopping may end it before.")
        st.metric("Images per second", mega(last["images_per_second"]) if last else NOTHING,
                  border=True)
    rate = f"Learning rate **{last['learning_rate']:.2g}** · " if last else ""
    st.caption(f"{rate}**{duration(elapsed)}** since the start")


def _draw_result(run: RunInfo) -> None:
    status = run.status
    if not status.model:
        st.error(f"**{plain(status.message or STATES[status.state])}**\n\n{plain(status.hint)}",
                 icon=":material/error:")
        _draw_restart(run)
        return
    ended = f"{status.message.rstrip('.')}. {status.hint}".strip()
    why = f" Training ended early: {plain(ended)}" if status.message else ""
    st.success(f"Saved as **{plain(status.model)}**: the network as it was after epoch "
               f"{status.best_epoch}, the best of {status.epoch}.{why}",
               icon=":material/check_circle:")
    with st.grid(5, min_column_width=140):
        st.metric("Test accuracy", percent(status.test_accuracy, 2), border=True,
                  help=f"On {count(status.test_n)} test images that were never used before.")
        st.metric("Test images", count(status.test_n), border=True)
        st.metric("Test loss", decimal(status.test_loss), border=True,
                  help="Mean cross-entropy, natural logarithm.")
        st.metric("Best validation", percent(status.best_val_accuracy, 2), border=True)
        st.metric("Wall time", duration(status.seconds), border=True,
                  help="From the start of the trainer to the saved model.")
    with st.container(horizontal=True):
        st.page_link(EVALUATE, label="Evaluate it", icon=":material/query_stats:",
                     query_params={"model": status.model})
        st.page_link(PREDICT, label="Try it on a picture", icon=":material/image_search:",
                     query_params={"model": status.model})


def _draw_restart(run: RunInfo) -> None:
    if run.config:
        config = run.config.with_name(free_name(run.config.name))
        with st.container(horizontal=True):
            if run.status.state == "interrupted" and run.folder.checkpoint.is_file():
                st.button(f"Resume after epoch {run.status.epoch}", icon=":material/resume:",
                          type="primary", key="run_resume", on_click=_resume, args=(run.run_id,))
            st.button("Start again with the same settings", icon=":material/replay:",
                      key="run_again", on_click=start, args=(config,))
    show_start_error()


def _draw_settings(run: RunInfo) -> None:
    with st.expander("Settings of this run", icon=":material/tune:"):
        st.code(run.command, language="bash", wrap_lines=True)
        st.caption(f"Run {plain(run.run_id)}: {count(run.status.train_n)} training and "
                   f"{count(run.status.validation_n)} validation images, "
                   f"{count(run.status.parameters)} parameters.")
