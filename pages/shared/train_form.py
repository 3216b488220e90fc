"""The form of the Train page: widgets in, one `RunConfig` out. Starts nothing."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn.config import OPTIMIZERS, PRECISIONS, Augmentation, RunConfig
from cnn.data.catalogue import DatasetInfo
from cnn.files import suggest_name
from cnn.hardware import has_bfloat16
from cnn.models.defaults import default_augmentation, default_epochs
from cnn.models.registry import architecture_names, get_architecture
from cnn.prediction.saved import free_name
from pages.shared.formats import plain


def choose_architecture() -> str:
    """Show the choice of architecture and return its name."""
    name = st.selectbox("Architecture", architecture_names(), key="train_architecture",
                        index=architecture_names().index("base"), persist_state="session")
    st.caption(plain(get_architecture(name).description))
    return name


def choose_config(info: DatasetInfo, architecture: str) -> RunConfig:
    """Show the other settings, the simple ones first, and return all of them.

    Raises:
        BadInput: If a value cannot be used.
    """
    left, right = st.columns(2)
    epochs = left.number_input(
        "Epochs", 1, value=default_epochs(info.name), key=f"train_epochs_{info.name}",
        persist_state="session",
        help="How often training goes through all training images.")
    proposal = free_name(suggest_name(f"{info.name}-{architecture}"))
    name = right.text_input(
        "Model name", placeholder=proposal, key="train_name", persist_state="session",
        help=f"Under this name the best model is saved. Left empty: {plain(proposal)}")
    with st.expander("Advanced settings", icon=":material/tune:"):
        steps = _choose_steps()
        rules = _choose_rules()
        augmentation = _choose_augmentation(architecture, info.name)
        data = _choose_data(info)
    return RunConfig(dataset=info.name, architecture=architecture, name=name.strip() or proposal,
                     epochs=epochs, augmentation=augmentation, **steps, **rules, **data)


def _choose_steps() -> dict[str, Any]:
    optimizer = st.segmented_control(
        "Optimizer", list(OPTIMIZERS), default=RunConfig.optimizer, required=True,
        format_func={"adam": "Adam", "sgd": "SGD, momentum 0.9"}.get,
        key="train_optimizer", persist_state="session")
    left, right = st.columns(2)
    # A key of its own for each optimizer: each remembers its rate and starts with its default.
    rate = left.number_input(
        "Learning rate", 0.0, value=OPTIMIZERS[optimizer], step=OPTIMIZERS[optimizer] / 10,
        format="%g", key=f"train_rate_{optimizer}", persist_state="session",
        help="Size of the steps. Ten times lower if the loss jumps or becomes infinite.")
    batch_size = right.number_input(
        "Batch size", 1, value=RunConfig.batch_size, step=16, key="train_batch",
        persist_state="session", help="Images per step. Fewer need less memory.")
    return {"optimizer": optimizer, "learning_rate": rate, "batch_size": batch_size}


def _choose_rules() -> dict[str, Any]:
    left, right = st.columns(2)
    stopping = left.number_input(
        "Early stopping", 0, value=RunConfig.early_stopping, key="train_stopping",
        persist_state="session",
        help="End after this many epochs without better validation accuracy. 0: never.")
    plateau = right.number_input(
        "Reduce on plateau", 0, value=RunConfig.reduce_on_plateau, key="train_plateau",
        persist_state="session",
        help="Halve the learning rate after this many epochs without lower validation loss. "
             "0: never.")
    return {"early_stopping": stopping, "reduce_on_plateau": plateau}


def _choose_augmentation(architecture: str, dataset: str) -> Augmentation:
    default = default_augmentation(architecture, dataset)
    key = f"{architecture}_{dataset}"  # the defaults depend on both
    st.markdown("**Random changes to training images**")
    left, right = st.columns(2)
    rotation = left.number_input(
        "Rotation, degrees", 0.0, value=float(default.rotation), step=5.0, format="%g",
        key=f"train_rotation_{key}", persist_state="session", help="Up to this much either way.")
    shift = right.number_input(
        "Shift, % of the size", 0.0, value=round(100 * default.shift, 4), step=5.0, format="%g",
        key=f"train_shift_{key}", persist_state="session", help="Up to this much either way.")
    flip = st.toggle(
        "Mirror left and right", value=default.flip, key=f"train_flip_{key}",
        persist_state="session", help="Half of the time. Wrong for digits and letters.")
    return Augmentation(rotation=rotation, shift=shift / 100, flip=flip)


def _choose_data(info: DatasetInfo) -> dict[str, Any]:
    st.markdown("**Data and computation**")
    left, right = st.columns(2)
    held_back = left.number_input(
        "Validation, %", 1, 50, round(100 * RunConfig.validation_fraction),
        key="train_validation", persist_state="session",
        help="Share of the training images held back to choose the best epoch. The test images "
             "are never used for a choice.")
    images = right.number_input(
        "Training images", 0, value=RunConfig.train_images, step=100,
        key=f"train_images_{info.name}", persist_state="session",
        help="How many to train on. 0: all that are not held back.")
    seed = left.number_input(
        "Seed", 0, value=RunConfig.seed, key="train_seed", persist_state="session",
        help="Of all randomness: the same seed and settings start the same way.")
    precision = st.segmented_control(
        "Precision", list(PRECISIONS), default=RunConfig.precision, required=True,
        key="train_precision", persist_state="session", help=" ".join(
            f"**{name}**: {text}" for name, text in PRECISIONS.items()))
    if precision == "bfloat16" and has_bfloat16() is False:
        st.warning("This processor has no bfloat16 instructions: training will be several times "
                   "slower than with float32.", icon=":material/speed:")
    return {"validation_fraction": held_back / 100, "train_images": images, "seed": seed,
            "precision": precision}
