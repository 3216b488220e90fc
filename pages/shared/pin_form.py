"""Pictures to be watched while a run learns: chosen before its start. Stores nothing."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from cnn.data.catalogue import DatasetInfo
from cnn.data.images import MAX_BYTES, encode_png
from cnn.runs.pins import MOST_PINS, Pin, ready_pins
from pages.shared.cached import dataset
from pages.shared.formats import plain
from pages.shared.picture_sources import FILE_TYPES
from pages.shared.pictures import enlarged
from pages.shared.pinned import short, small

SAMPLE = 56  # pixels
SAMPLES = 6
NARROWEST = 64  # pixels, of a picture with its name


def choose_pins(info: DatasetInfo) -> list[Pin]:
    """Show the choice of pictures and return those chosen, ready to be stored.

    Raises:
        BadInput: If there are too many, or one cannot be read.
    """
    with st.expander("Watch pictures while it learns", icon=":material/push_pin:"):
        st.caption(f"Up to {MOST_PINS} pictures are classified after every epoch, and the run's "
                   "page shows how the answers change. Watching does not change the training.")
        files = st.file_uploader(
            "Your own pictures", type=FILE_TYPES, accept_multiple_files=True,
            max_upload_size=MAX_BYTES // 2**20, key="train_pins")
        chosen = [(file.name, file.getvalue()) for file in files] + _choose_samples(info)
        pins, pictures = _ready(_digest(chosen), chosen)
        _show(pins, pictures)
    return pins


def _choose_samples(info: DatasetInfo) -> list[tuple[str, bytes]]:
    """Show one training image of each of some classes, and return those that are ticked."""
    data, chosen = dataset(info.name), []
    present = np.unique(data.train_labels)[:SAMPLES]
    st.markdown("Or training images")
    with st.grid(SAMPLES, min_column_width=NARROWEST, gap="small"):
        for label in present:
            row = int(np.argmax(data.train_labels == label))
            name = data.class_names[label]
            image = data.train_images[row]
            with st.container(gap="xxsmall"):
                st.image(enlarged(image, SAMPLE), output_format="PNG",
                         alt=f"Training image {row}, in truth {name}")
                if st.checkbox(plain(name), key=f"train_pin_{info.name}_{row}",
                               persist_state="session"):
                    chosen.append((f"{name} #{row}", encode_png(image)))
    return chosen


def _digest(pictures: list[tuple[str, bytes]]) -> str:
    content = hashlib.sha256()
    for name, data in pictures:
        content.update(hashlib.sha256(name.encode("utf-8", "replace")).digest())
        content.update(hashlib.sha256(data).digest())
    return content.hexdigest()


@st.cache_data(max_entries=16, max_size="48MB", show_spinner=False)
def _ready(digest: str, _pictures: list[tuple[str, bytes]]) -> tuple[list[Pin], list[bytes]]:
    # The digest is the key: Streamlit would hash only a sample of large values.
    pins = ready_pins(_pictures)
    return pins, [small(pin.data) for pin in pins]


def _show(pins: list[Pin], pictures: list[bytes]) -> None:
    if not pins:
        return
    st.markdown("These will be watched")
    with st.grid(SAMPLES, min_column_width=NARROWEST, gap="small"):
        for pin, picture in zip(pins, pictures, strict=True):
            with st.container(gap="xxsmall"):
                st.image(picture, output_format="PNG", alt=pin.name, width=SAMPLE)
                st.caption(plain(short(pin.name)))
