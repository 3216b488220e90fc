"""One run on the Train page: watched while it is active, its result when it has ended.

Everything comes from the run's folder, so every visitor and every reload sees the same. What it has
learnt so far is drawn by `run_history`.
"""

from __future__ import annotations

import streamlit as st

from cnn.errors import CnnError
from cnn.prediction.saved import read_card
from cnn.runs.folder import STATES
from cnn.runs.manager import RunInfo, get_run
from pages.shared.acting import show_problem
from pages.shared.formats import count, decimal, duration, percent, plain
from pages.shared.layout import EVALUATE, PREDICT
from pages.shared.live_feed import live_feed, seconds_between_curves
from pages.shared.live_figures import show_live_figures
from pages.shared.past_link import link_to_past
from pages.shared.run_controls import draw_controls, draw_ways_on
from pages.shared.run_history import draw_history
from pages.shared.run_log import view_run

COLORS = {"queued": "gray", "starting": "blue", "running": "blue", "pausing": "orange",
          "paused": "orange", "stopping": "orange", "finished": "green", "stopped": "green",
          "interrupted": "red", "diverged": "red", "failed": "red"}


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
        # The timers live in the browser and only while the run is active; a change of the feed's
        # mark draws the whole page once more, which sets or ends them.
        feed, every = live_feed(run_id), seconds_between_curves(view_run(run.folder))
        show_live_figures(run_id, feed)
        st.fragment(run_every=every)(_follow)(run_id, feed["mark"])
    else:
        _draw_result(run)
        draw_history(run_id)
    _draw_settings(run)


def _follow(run_id: str, mark: str) -> None:
    if live_feed(run_id)["mark"] != mark:  # the figures' own look may have found no answer
        st.rerun()
    draw_history(run_id)


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
            draw_controls(run)
    show_problem()


def _draw_result(run: RunInfo) -> None:
    status = run.status
    if not status.model or status.state not in ("finished", "stopped", "diverged"):
        _draw_what_happened(run)
        draw_ways_on(run)
        if status.model:
            st.caption(f"The model **{plain(status.model)}** that it saved before is kept.")
        link_to_past(run.folder)
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
    if not _model_is_here(run):
        st.caption("Its model is not on this computer: the run was imported without it, or the "
                   "model was deleted.")
        link_to_past(run.folder)
        draw_ways_on(run, model_is_here=False)
        return
    with st.container(horizontal=True):
        st.page_link(EVALUATE, label="Evaluate it", icon=":material/query_stats:",
                     query_params={"model": status.model})
        st.page_link(PREDICT, label="Try it on a picture", icon=":material/image_search:",
                     query_params={"model": status.model})
        link_to_past(run.folder)
    draw_ways_on(run)


def _draw_what_happened(run: RunInfo) -> None:
    status = run.status
    words = f"**{plain(status.message or STATES[status.state])}**\n\n{plain(status.hint)}"
    if status.state == "paused":
        st.info(words, icon=":material/pause_circle:")
    else:
        st.error(words, icon=":material/error:")


def _model_is_here(run: RunInfo) -> bool:
    """Whether the model of this name is the one that this run made, and not another's."""
    try:
        maker = read_card(run.status.model).run
    except CnnError:
        return False
    return bool(maker) and run.run_id.startswith(maker)  # a restored run may end in -2


def _draw_settings(run: RunInfo) -> None:
    with st.expander("Settings of this run", icon=":material/tune:"):
        st.code(run.command, language="bash", wrap_lines=True)
        st.caption(f"Run {plain(run.run_id)}: {count(run.status.train_n)} training and "
                   f"{count(run.status.validation_n)} validation images, "
                   f"{count(run.status.parameters)} parameters.")
