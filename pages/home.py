"""Home: what this is, the run that is going on, the saved models, and a way into each page."""

from __future__ import annotations

import streamlit as st

from cnn.runs.manager import RunInfo, list_runs
from pages.shared import cached
from pages.shared.errors import errors_shown
from pages.shared.formats import percent, plain
from pages.shared.layout import COMPARE, DATA, EVALUATE, INSIDE, LAB, PREDICT, RUNS, TRAIN
from pages.shared.model_bin import BIN
from pages.shared.model_cards import show_models

SECONDS_BETWEEN_LOOKS = 2.0
WAYS = (
    (PREDICT, "Predict", ":material/image_search:",
     "Drop a picture and see what a trained network makes of it, at once."),
    (TRAIN, "Train", ":material/model_training:",
     "Choose data and a network, press Start, and watch it learn."),
    (LAB, "Architecture lab", ":material/construction:",
     "Build a network of your own, layer by layer, and see what it costs."),
    (DATA, "Data", ":material/photo_library:",
     "What a network gets to see: images, classes, and the numbers behind them."),
    (RUNS, "Runs", ":material/list_alt:",
     "Every training there was: find one, name it, repeat it, hand it on."),
    (EVALUATE, "Evaluate", ":material/query_stats:",
     "How often it is right, what it mixes up, and the images it got wrong."),
    (COMPARE, "Compare", ":material/compare_arrows:",
     "Trainings side by side: which is better, and whether that is more than luck."),
    (INSIDE, "Look inside", ":material/layers:",
     "Every layer at work on one picture, and back through the epochs of a training."),
)


def draw_active_runs(seen: list[str]) -> None:
    """Draw the runs that are going on; when one begins or ends, draw the whole page."""
    active = [run for run in list_runs() if run.active]
    if [run.run_id for run in active] != seen:
        st.rerun()
    for run in active:
        with st.container(border=True):
            draw_run(run)


def draw_run(run: RunInfo) -> None:
    """Draw how far one run is."""
    config, status = run.config, run.status
    if config is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        does = "Waiting its turn" if status.state == "queued" else "Training"
        st.markdown(f"**{does}: {plain(config.name)}**, {plain(config.architecture)} on "
                    f"{plain(config.dataset)}", width="content")
        st.space("stretch")
        st.page_link(TRAIN, label="Watch it", icon=":material/monitoring:",
                     query_params={"run": run.run_id})
    best = f", best validation accuracy {percent(status.best_val_accuracy)}" \
        if status.best_epoch else ""
    st.progress(min(status.epoch / config.epochs, 1.0),
                text=f"{status.epoch} of {config.epochs} epochs done{best}")


def draw_ways() -> None:
    """Draw a card for each page."""
    grid = st.grid(3, min_column_width=220)
    for page, label, icon, text in WAYS:
        with grid.cell(), st.container(border=True, height="stretch"):
            st.page_link(page, label=f"**{label}**", icon=icon)
            st.caption(text)


def main() -> None:
    """Draw the page."""
    st.markdown("Train convolutional networks on images and watch them learn, all on this "
                "computer. See how well a network does and what it gets wrong, and use it on your "
                "own pictures.")
    active = [run.run_id for run in list_runs() if run.active]
    every = SECONDS_BETWEEN_LOOKS if active else None
    st.fragment(run_every=every)(draw_active_runs)(active)
    draw_ways()
    st.header("Saved models")
    BIN.show_messages()
    with errors_shown():
        models = cached.models()
        if models:
            show_models(models)
        else:
            st.caption("There is none yet. Train one: on the digits it takes half a minute.")
    BIN.draw_deleted()


main()
