"""One run on the Train page: watched while it is active, its result when it has ended.

Everything comes from the run's folder, so every visitor and every reload sees the same.
"""

from __future__ import annotations

import time

import streamlit as st

from cnn.errors import CnnError
from cnn.prediction.saved import free_name
from cnn.runs.folder import STATES, Status
from cnn.runs.manager import RunInfo, get_run, stop_run
from pages.shared.charts import history_alt, history_option
from pages.shared.errors import show_error
from pages.shared.formats import NOTHING, count, decimal, duration, mega, percent, plain
from pages.shared.layout import EVALUATE, PREDICT
from pages.shared.run_log import RunView, view_run
from pages.shared.starting import show_start_error, start

# Drawing costs the browser, on the same cores as the training, 17 % of one core at one look a
# second with 1,600 points and 9 % like this.
SECONDS_BETWEEN_LOOKS = 2.0
CHART_HEIGHT = 300  # pixels
FIRST_AXIS_END = 10  # epochs
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
    # The timer lives in the browser and only while the run is active; a change of state draws
    # the whole page once more, which ends it.
    every = SECONDS_BETWEEN_LOOKS if run.active else None
    st.fragment(run_every=every)(_draw)(run_id, run.status.state)
    _draw_settings(run)


def _draw(run_id: str, state: str) -> None:
    run = get_run(run_id)
    if run.status.state != state:
        st.rerun()
    view = view_run(run.folder)
    _draw_head(run)
    if run.active:
        _draw_progress(run, view)
        _draw_figures(run, view)
    else:
        _draw_result(run)
    _draw_curves(run, view)
    _draw_epochs(view)
    _draw_log(run)


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
    problem = st.session_state.pop("stop_error", None)
    if problem:
        show_error(problem)


def _stop(run_id: str) -> None:
    try:
        stop_run(run_id)
    except CnnError as error:  # it has just ended by itself
        st.session_state["stop_error"] = error


def _draw_progress(run: RunInfo, view: RunView) -> None:
    last, epochs = view.last, run.config.epochs if run.config else 1
    if run.status.stage != "training" or last is None:
        done = min(run.status.epoch / epochs, 1.0)
        st.progress(done, text=plain(_stage(run.status)))
        return
    share = last["batch"] / last["batches"]
    whole = min((last["epoch"] - 1 + share) / epochs, 1.0)
    st.progress(whole, text=f"Epoch {last['epoch']} of {epochs}")
    st.progress(min(share, 1.0), text=f"Batch {count(last['batch'])} of {count(last['batches'])} "
                                      "in this epoch")


def _stage(status: Status) -> str:
    if status.state == "stopping":
        return STATES["stopping"]
    return f"{status.stage[:1].upper()}{status.stage[1:]}"


def _draw_figures(run: RunInfo, view: RunView) -> None:
    last, status = view.last or {}, run.status
    elapsed = time.time() - status.created
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
    why = f" Training ended early: {plain(status.message)}." if status.message else ""
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
        st.button("Start again with the same settings", icon=":material/replay:",
                  key="run_again", on_click=start, args=(config,))
    show_start_error()


def _draw_curves(run: RunInfo, view: RunView) -> None:
    if not view.points and not view.epochs:
        if run.active:
            st.skeleton(height=CHART_HEIGHT)
        return
    end = _axis_end(run, view)
    columns = st.columns(2)
    for column, key in zip(columns, ("loss", "accuracy"), strict=True):
        with column:
            st.subheader(key.capitalize(), anchor=False)
            st.echarts_chart(history_option(view.epochs, key, view.smoothed(key), end),
                             height=CHART_HEIGHT, key=f"run_{key}",
                             alt=history_alt(view.epochs, key))


def _axis_end(run: RunInfo, view: RunView) -> int:
    """Return where the axis of epochs ends: it doubles now and then, up to the epochs asked for."""
    if not run.active or run.config is None:
        return 0
    end, now = FIRST_AXIS_END, view.last["epoch"] if view.last else 1
    while end < now:
        end *= 2
    return min(end, run.config.epochs)


def _draw_epochs(view: RunView) -> None:
    if view.epochs:
        newest_first = view.epochs[::-1]
        best = next((e["epoch"] for e in newest_first if e["best"]), 0)
        share = st.column_config.NumberColumn(format="%.2f %%")
        loss = st.column_config.NumberColumn(format="%.4f")
        st.dataframe(
            {"Epoch": [f"{e['epoch']} · best" if e["epoch"] == best else str(e["epoch"])
                       for e in newest_first],
             "Loss": [e["loss"] for e in newest_first],
             "Validation loss": [e["val_loss"] for e in newest_first],
             "Accuracy": [100 * e["accuracy"] for e in newest_first],
             "Validation accuracy": [100 * e["val_accuracy"] for e in newest_first],
             "Learning rate": [f"{e['learning_rate']:.2g}" for e in newest_first],
             "Time": [duration(e["seconds"]) for e in newest_first]},
            hide_index=True, height="auto", key="run_epochs", alt="Figures of each epoch",
            column_config={"Loss": loss, "Validation loss": loss,
                           "Accuracy": share, "Validation accuracy": share})
    for note in view.notes:
        st.caption(f":material/info: Epoch {note['epoch']}: {plain(note['text'])}")


def _draw_log(run: RunInfo) -> None:
    log = run.folder.log_tail()
    open_at_once = run.status.state in ("failed", "interrupted", "diverged")
    with st.expander("Log of the trainer", expanded=open_at_once, icon=":material/article:"):
        st.code(log or "Nothing yet.", language=None, wrap_lines=True, height=240)


def _draw_settings(run: RunInfo) -> None:
    with st.expander("Settings of this run", icon=":material/tune:"):
        st.code(run.command, language="bash", wrap_lines=True)
        st.caption(f"Run {plain(run.run_id)}: {count(run.status.train_n)} training and "
                   f"{count(run.status.validation_n)} validation images, "
                   f"{count(run.status.parameters)} parameters.")
