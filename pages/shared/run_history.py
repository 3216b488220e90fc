"""What a run has learnt so far on the Train page: its curves, its epochs, its notes and its log.

Drawn less often than the figures of a run that is active: see `live_run`.
"""

from __future__ import annotations

import streamlit as st

from cnn.runs.manager import RunInfo, get_run
from pages.shared.charts import history_alt, history_option
from pages.shared.formats import duration, plain
from pages.shared.run_log import RunView, view_run

CHART_HEIGHT = 300  # pixels
FIRST_AXIS_END = 10  # epochs


def draw_history(run_id: str) -> None:
    """Draw what there is."""
    run = get_run(run_id)
    view = view_run(run.folder)
    _draw_curves(run, view)
    _draw_epochs(view)
    _draw_log(run)


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
            column_config={"Epoch": st.column_config.TextColumn(width=84), "Loss": loss,
                           "Validation loss": loss, "Accuracy": share,
                           "Validation accuracy": share})
    for note in view.notes:
        st.caption(f":material/info: Epoch {note['epoch']}: {plain(note['text'])}")


def _draw_log(run: RunInfo) -> None:
    log = run.folder.log_tail()
    open_at_once = run.status.state in ("failed", "interrupted", "diverged")
    with st.expander("Log of the trainer", expanded=open_at_once, icon=":material/article:"):
        st.code(log or "Nothing yet.", language=None, wrap_lines=True, height=240)
