"""Which picture goes through the network on the page Look inside: one, kept in the address.

A test image by its number, a person's own file, or a drawn one, so that the page is never empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnn.data.catalogue import describe
from cnn.data.dataset import Dataset
from cnn.data.images import MAX_BYTES, encode_png
from cnn.errors import CnnError
from pages.shared import cached
from pages.shared.formats import plain
from pages.shared.picture_sources import FILE_TYPES

TEST, OWN, DRAWN = "Test image", "Your picture", "Drawn"
_SIDE = 64  # pixels, of the drawn picture


@dataclass(frozen=True)
class Subject:
    """The picture that is looked at."""

    name: str  # as Markdown
    data: bytes
    truth: str = ""  # its class, where that is known

    @property
    def digest(self) -> str:
        """What tells it from other pictures."""
        return hashlib.sha256(self.data).hexdigest()


def choose_subject(dataset: str, shape: Sequence[int]) -> Subject:
    """Show the ways to give a picture and return the one chosen.

    Args:
        dataset: Whose test images are offered, if it is here.
        shape: Height, width and channels that the network takes.
    """
    data = _test_images(dataset, shape)
    ways = [TEST, OWN, DRAWN] if data else [OWN, DRAWN]
    way = st.segmented_control("Picture", ways, default=ways[0] if data else DRAWN, required=True,
                               key="picture", bind="query-params")
    if way == TEST and data:
        return _choose_row(data)
    if way == OWN:
        file = st.file_uploader("Drop a picture, or choose a file", type=FILE_TYPES,
                                max_upload_size=MAX_BYTES // 2**20, key="inside_file")
        if file is not None:
            return Subject(plain(file.name), file.getvalue())
        st.caption("Until then a drawn one.")
    return Subject("A drawn ball", drawn_ball())


def _choose_row(data: Dataset) -> Subject:
    row = int(st.number_input("Number of the test image", 0, len(data.test_labels) - 1,
                              key="image", bind="query-params",
                              help="The network has never learned from test images."))
    truth = data.class_names[data.test_labels[row]]
    return Subject(f"Test image {row}, in truth **{plain(truth)}**",
                   encode_png(np.asarray(data.test_images[row])), truth)


def _test_images(name: str, shape: Sequence[int]) -> Dataset | None:
    try:
        if describe(name).image_shape is None:
            return None
        data = cached.dataset(name)
    except CnnError:  # the page works without the data set
        return None
    return data if data.image_shape == tuple(shape) else None


def drawn_ball() -> bytes:
    """Return a picture of a shaded ball, as PNG."""
    rows, columns = np.mgrid[:_SIDE, :_SIDE] / (_SIDE - 1)
    sky = np.stack([90 + 60 * rows, 130 + 50 * rows, 200 - 60 * rows], axis=-1)
    distance = np.hypot(rows - 0.55, columns - 0.5)
    light = np.clip(1.1 - 1.6 * np.hypot(rows - 0.42, columns - 0.38), 0.15, 1)
    ball = light[..., None] * np.array([235, 90, 60])
    mixed = np.where((distance < 0.3)[..., None], ball, sky)
    return encode_png(mixed.round().astype(np.uint8))
