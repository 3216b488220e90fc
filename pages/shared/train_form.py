"""The form of the Train page: widgets in, one `RunConfig` out. Starts nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from cnn.config import OPTIMIZERS, PRECISIONS, SCHEDULES, RunConfig
from cnn.data.catalogue import DatasetInfo
from cnn.files import suggest_name
from cnn.hardware import has_bfloat16
from cnn.models.defaults import default_config
from cnn.models.registry import architecture_names, get_architecture
from cnn.prediction.saved import free_name
from pages.shared.augmentation_form import choose_augmentation
from pages.shared.formats import plain
from pages.shared.layout import LAB

_BASE = "train_base"  # in the session: what the form starts from instead of the usual, and a number
_OPTIMIZER_NAMES = {"adam": "Adam", "sgd": "SGD, momentum 0.9", "muon": "Muon"}


def start_from(config: RunConfig) -> None:
    """Let the settings of the form start from a configuration; for callbacks.

    Its widgets get keys of their own: what was set by hand before is not written over, and what is
    changed from here on is remembered like everything else.
    """
    number = st.session_state[_BASE][1] + 1 if _BASE in st.session_state else 1
    st.session_state[_BASE] = config, number


def _base() -> tuple[RunConfig | None, str]:
    """Return the configuration that the form starts from, and an ending for keys."""
    config, number = st.session_state.get(_BASE, (None, 0))
    return config, f"_{number}" if number else ""


def _usual(info: DatasetInfo, architecture: str, name: str) -> tuple[RunConfig, str]:
    """Return what the settings are unless they are changed, and an ending for their keys."""
    base, ending = _base()
    usual = default_config(architecture, info.name, name)
    if base is None or base.dataset != info.name:
        return usual, ""
    if base.architecture == architecture:
        return base.with_name(name), ending
    return replace(usual, epochs=base.epochs, train_images=base.train_images,
                   precision=base.precision, early_stopping=base.early_stopping, seed=base.seed,
                   validation_fraction=base.validation_fraction), ending


def choose_architecture() -> str:
    """Show the choice of architecture and return its name."""
    base, ending = _base()
    names, key = architecture_names(), f"train_architecture{ending}"
    first = base.architecture if base and base.architecture in names else "base"
    if st.session_state.get(key, first) not in names:  # one that was made here and deleted
        st.session_state[key] = first
    name = st.selectbox("Architecture", names, key=key, index=names.index(first),
                        persist_state="session")
    known = get_architecture(name)
    st.caption(plain(known.description) + (f" *{plain(known.source)}*" if known.source else ""))
    st.page_link(LAB, label="Change its layers in the architecture lab",
                 icon=":material/construction:", query_params={"from": name})
    return name


def choose_this(architecture: str) -> None:
    """Let the form show an architecture as chosen; before it is drawn.

    Raises:
        NotFound: If there is no such architecture.
    """
    get_architecture(architecture)
    st.session_state[f"train_architecture{_base()[1]}"] = architecture


def choose_config(info: DatasetInfo, architecture: str) -> RunConfig:
    """Show the other settings, the simple ones first, and return all of them.

    Raises:
        BadInput: If a value cannot be used.
    """
    left, right = st.columns(2)
    proposal = free_name(suggest_name(f"{info.name}-{architecture}"))
    usual, ending = _usual(info, architecture, proposal)
    epochs = left.number_input(
        "Epochs", 1, value=usual.epochs, key=f"train_epochs_{info.name}{ending}",
        persist_state="session", help="How often training goes through all training images.")
    with right:
        name = choose_name(proposal)
    with st.expander("Advanced settings", icon=":material/tune:"):
        steps = _choose_steps(usual, ending)
        rules = _choose_rules(usual, ending)
        st.markdown("**Random changes to training images**")
        augmentation = choose_augmentation(  # the defaults depend on both
            usual.augmentation, "train", f"{usual.architecture}_{usual.dataset}{ending}")
        data = _choose_data(usual, ending)
    return RunConfig(dataset=info.name, architecture=architecture, name=name,
                     epochs=epochs, augmentation=augmentation, **steps, **rules, **data)


def choose_name(proposal: str) -> str:
    """Show the field for the model's name and return what is in it, or else the proposal."""
    name = st.text_input(
        "Model name", placeholder=proposal, key="train_name", persist_state="session",
        help=f"Under this name the best model is saved. Left empty: {plain(proposal)}")
    return name.strip() or proposal


def _choose_steps(usual: RunConfig, ending: str) -> dict[str, Any]:
    # A key of its own for each architecture: each remembers its settings and starts with its own.
    key = f"{usual.architecture}{ending}"
    optimizer = st.segmented_control(
        "Optimizer", list(OPTIMIZERS), default=usual.optimizer, required=True,
        format_func=_OPTIMIZER_NAMES.get, key=f"train_optimizer_{key}", persist_state="session")
    if optimizer != usual.optimizer:
        usual = default_config(usual.architecture, usual.dataset, usual.name, optimizer)
    key = f"{key}_{optimizer}"
    left, right = st.columns(2)
    rate = left.number_input(
        "Learning rate", 0.0, value=float(usual.learning_rate), step=usual.learning_rate / 10,
        format="%g", key=f"train_rate_{key}", persist_state="session",
        help="Size of the steps. Ten times lower if the loss jumps or becomes infinite.")
    batch_size = right.number_input(
        "Batch size", 1, value=usual.batch_size, step=16, key=f"train_batch_{key}",
        persist_state="session", help="Images per step at most. Fewer need less memory.")
    schedule = left.selectbox(
        "Schedule of the rate", list(SCHEDULES), key=f"train_schedule_{key}",
        index=list(SCHEDULES).index(usual.schedule), format_func=str.capitalize,
        persist_state="session",
        help=" ".join(f"**{name.capitalize()}**: {text}" for name, text in SCHEDULES.items()))
    smoothing = right.number_input(
        "Label smoothing", 0.0, 0.5, value=float(usual.label_smoothing), step=0.05, format="%g",
        key=f"train_smoothing_{key}", persist_state="session",
        help="Share of each target that is spread over all classes: less overfitting. The saved "
             "model's confidences are set right afterwards.")
    return {"optimizer": optimizer, "learning_rate": rate, "batch_size": batch_size,
            "schedule": schedule, "label_smoothing": smoothing}


def _choose_rules(usual: RunConfig, ending: str) -> dict[str, Any]:
    left, right = st.columns(2)
    stopping = left.number_input(
        "Early stopping", 0, value=usual.early_stopping, key=f"train_stopping{ending}",
        persist_state="session",
        help="End after this many epochs without better validation accuracy. 0: never.")
    plateau = right.number_input(
        "Reduce on plateau", 0, value=usual.reduce_on_plateau, key=f"train_plateau{ending}",
        persist_state="session",
        help="Halve the learning rate after this many epochs without lower validation loss. "
             "0: never.")
    return {"early_stopping": stopping, "reduce_on_plateau": plateau}


def _choose_data(usual: RunConfig, ending: str) -> dict[str, Any]:
    st.markdown("**Data and computation**")
    left, right = st.columns(2)
    held_back = left.number_input(
        "Validation, %", 1, 50, round(100 * usual.validation_fraction),
        key=f"train_validation{ending}", persist_state="session",
        help="Share of the training images held back to choose the best epoch. The test images "
             "are never used for a choice. A data set that brings validation images of its own "
             "keeps them instead.")
    images = right.number_input(
        "Training images", 0, value=usual.train_images, step=100,
        key=f"train_images_{usual.dataset}{ending}", persist_state="session",
        help="How many to train on. 0: all that are not held back.")
    seed = left.number_input(
        "Seed", 0, value=usual.seed, key=f"train_seed{ending}", persist_state="session",
        help="Of all randomness: the same seed and settings start the same way.")
    precision = st.segmented_control(
        "Precision", list(PRECISIONS), default=usual.precision, required=True,
        key=f"train_precision{ending}", persist_state="session", help=" ".join(
            f"**{name}**: {text}" for name, text in PRECISIONS.items()))
    if precision == "bfloat16" and has_bfloat16() is False:
        st.warning("This processor has no bfloat16 instructions: training will be several times "
                   "slower than with float32.", icon=":material/speed:")
    return {"validation_fraction": held_back / 100, "train_images": images, "seed": seed,
            "precision": precision}
