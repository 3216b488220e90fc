"""Train: choose, see the network, start, and watch.

The address says which run is shown (`?run=`), so that a reload, another browser or a link shows
the same. Without it the page shows the run that is active, or else the form.
"""

from __future__ import annotations

import streamlit as st

from cnn.config import RunConfig
from cnn.data.catalogue import DatasetInfo, describe
from cnn.data.splits import hold_back
from cnn.errors import CnnError, NotFound
from cnn.models.defaults import command_line
from cnn.models.registry import get_architecture
from cnn.models.summary import summarise
from cnn.prediction.saved import free_name
from cnn.runs.folder import ARCHITECTURE_FILE
from cnn.runs.manager import RunInfo, check_run, get_run, list_runs, tend_queue
from cnn.runs.pins import Pin
from pages.shared.acting import act, show_problem
from pages.shared.cached import dataset
from pages.shared.dataset_picker import choose_dataset, is_ready
from pages.shared.errors import error_text, errors_shown
from pages.shared.formats import count, plain
from pages.shared.health_view import say_health
from pages.shared.layer_table import show_graph, show_layers
from pages.shared.live_run import show_run
from pages.shared.pin_form import choose_pins
from pages.shared.preset_form import OWN, choose_length, choose_preset
from pages.shared.run_table import run_name, show_newest
from pages.shared.starting import start
from pages.shared.train_form import choose_architecture, choose_config, choose_this, start_from

ARCHITECTURE = "architecture"  # in the address, once: the one that the form shows as chosen
LIKE = "like"  # in the address, once: the run whose settings the form starts from
NEW = "new"  # in the place of a run's id: the form, even while a run is active


def draw_form(runs: list[RunInfo]) -> None:
    """Draw settings on the left, the network they make on the right."""
    settings, network = st.columns([5, 8], gap="medium")
    with settings, errors_shown():
        info = choose_dataset()
        if is_ready(info):
            say_health(info)
            draw_settings(info, network, runs)


def draw_settings(
    info: DatasetInfo, network: st.delta_generator.DeltaGenerator, runs: list[RunInfo]
) -> None:
    """Draw the settings for a data set that is ready, and what they mean."""
    length = choose_length()
    architecture = choose_architecture() if length == OWN else ""
    problem, config, pins = None, None, list[Pin]()
    try:
        config = choose_config(info, architecture) if architecture else choose_preset(info, length)
        if config:
            architecture = config.architecture
            check_run(config)
            draw_division(info, config)
    except CnnError as error:
        problem = error
    try:
        pins = choose_pins(info)
    except CnnError as error:
        problem = problem or error
    draw_start(config, pins, problem, [run.run_id for run in runs if run.active])
    with network:
        draw_network(info, architecture)


def draw_division(info: DatasetInfo, config: RunConfig) -> None:
    """Say how many images are used for what.

    Raises:
        BadInput: If there are too few.
    """
    split = hold_back(dataset(info.name), config.validation_fraction, config.train_images,
                      config.seed)
    st.caption(f"Trains on **{count(len(split.train))}** images, chooses the best epoch on "
               f"**{count(len(split.validation))}** others, and is tested once, at the end, on "
               f"**{count(info.test_count)}** that were never used before.")


def draw_start(
    config: RunConfig | None, pins: list[Pin], problem: CnnError | None, active: list[str]
) -> None:
    """Draw the button, and why it cannot be pressed."""
    show_problem()
    if problem:
        st.error(error_text(problem), icon=":material/block:")
    elif active:
        st.info("Another run is training; this one will wait for its turn.",
                icon=":material/hourglass:")
    if st.button("Start training", type="primary", icon=":material/play_arrow:", width="stretch",
                 key="train_start", disabled=config is None or problem is not None) and config:
        act(start, config, pins)
    if config:
        with st.expander("The same from the command line", icon=":material/terminal:"):
            st.code(command_line(config), language="bash", wrap_lines=True)


def draw_network(info: DatasetInfo, architecture: str) -> None:
    """Draw the layer table, if the network fits the images."""
    st.header("The network")
    if info.image_shape is None or not architecture:
        return
    try:
        summary = summarise(architecture, info.image_shape, len(info.classes))
    except CnnError:  # said above the button, where it matters
        st.caption("Its layers are shown here when it fits the images.")
        return
    show_layers(summary)
    show_graph(architecture, summary)


def take_over(run_id: str) -> None:
    """Let the form start from the settings of a run, if one is named.

    Raises:
        BadInput, NotFound: If there is no such run, or no longer its data or architecture.
        Damaged: If it cannot be read.
    """
    if not run_id:
        return
    run = get_run(run_id)
    if run.config is None:
        raise run.error or NotFound(f"The run {run_id} has no settings.")
    check_architecture(run, run.config.architecture)
    st.session_state["dataset"] = describe(run.config.dataset).name
    if st.session_state.get("train_length", OWN) != OWN:
        st.session_state["train_length"] = OWN
    st.session_state["train_name"] = free_name(run.config.name)
    start_from(run.config)
    st.info(f"The settings are those of **{plain(run_name(run))}**. Change what you like.",
            icon=":material/content_copy:")


def check_architecture(run: RunInfo, name: str) -> None:
    """Refuse a run whose architecture is gone; one made here can be brought back.

    Raises:
        NotFound: If there is no such architecture by now.
    """
    try:
        get_architecture(name)
    except NotFound as error:
        if run.folder.read_architecture() is None:
            raise
        raise NotFound(error.message, "The run has a copy of it: python -m cnn architectures add "
                       f"{run.folder.path / ARCHITECTURE_FILE}") from error


def take_architecture(name: str) -> None:
    """Let the form start with an architecture, if one is named.

    Raises:
        NotFound: If there is no such architecture.
    """
    if name:
        choose_this(name)
        if st.session_state.get("train_length", OWN) != OWN:
            st.session_state["train_length"] = OWN


def main() -> None:
    """Draw the run that the address names, or the form."""
    tend_queue()
    runs = list_runs()
    chosen = st.query_params.get("run") or next((r.run_id for r in runs if r.active), NEW)
    if chosen != NEW:
        st.query_params["run"] = chosen  # so that its result is shown when it is no longer active
        with errors_shown():
            show_run(chosen)
        # Not a page link: one that leads to the same page leaves the address as it was.
        st.button("New run, and all runs", icon=":material/add:", key="run_new",
                  on_click=st.query_params.update, args=({"run": NEW},))
        return
    with st.container(), errors_shown():  # always there: its text comes and goes
        take_over(st.query_params.pop(LIKE, ""))
        take_architecture(st.query_params.pop(ARCHITECTURE, ""))
    draw_form(runs)
    show_newest(runs)


main()
