"""Fields for random changes to training images: the same for a training and for its preview."""

from __future__ import annotations

import streamlit as st

from cnn.config import Augmentation


def choose_augmentation(default: Augmentation, page: str, key: str) -> Augmentation:
    """Show the fields and return what they say.

    Args:
        default: What they say at first.
        page: Where they are shown; keys begin with it.
        key: Fields with another key remember other values.

    Raises:
        BadInput: If a value cannot be used.
    """
    left, right = st.columns(2)
    rotation = left.number_input(
        "Rotation, degrees", 0.0, value=float(default.rotation), step=5.0, format="%g",
        key=f"{page}_rotation_{key}", persist_state="session", help="Up to this much either way.")
    shift = right.number_input(
        "Shift, % of the size", 0.0, value=round(100.0 * default.shift, 4), step=5.0, format="%g",
        key=f"{page}_shift_{key}", persist_state="session", help="Up to this much either way.")
    cutout = left.number_input(
        "Cutout, % of the size", 0.0, 90.0, value=round(100.0 * default.cutout, 4), step=5.0,
        format="%g", key=f"{page}_cutout_{key}", persist_state="session",
        help="Side of a square that is hidden at a random place. For long trainings.")
    with right.container(height="stretch", vertical_alignment="bottom"):
        flip = st.toggle(
            "Mirror left and right", value=default.flip, key=f"{page}_flip_{key}",
            persist_state="session",
            help="Every second time that an image is shown. Wrong for digits and letters.")
    return Augmentation(rotation=rotation, shift=shift / 100, flip=flip, cutout=cutout / 100)
