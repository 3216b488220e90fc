"""One training image on the Data page: by channel, as numbers, and as training changes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from cnn.config import RunConfig
from cnn.data.dataset import Dataset, Images
from cnn.data.preview import shown_in_training
from cnn.models.defaults import default_config, switched_augmentation
from cnn.prediction.client import shared_engine
from pages.shared.augmentation_form import choose_augmentation
from pages.shared.chosen_image import name_of
from pages.shared.data_charts import CHANNELS
from pages.shared.errors import errors_shown
from pages.shared.formats import amount, count
from pages.shared.pictures import enlarged

ENLARGED, THUMBNAIL = 256, 128  # pixels of the longest side
EPOCHS = 12  # whole rows of two, three, four and six


def show_image(data: Dataset, row: int) -> None:
    """Show a training image large, and channel by channel."""
    image = data.train_images[row]
    height, width, channels = data.image_shape
    st.caption(f"Training image #{row}, class **{name_of(data, row)}**: {height} × {width} pixels "
               f"with {amount(channels, 'channel')}, {count(image.size)} numbers from 0 to 255.")
    pictures = [("The image", image)]
    if channels == 3:
        pictures += [(f"{name} channel", image * np.eye(3, dtype=np.uint8)[number])
                     for number, (name, _, _) in enumerate(CHANNELS[3])]
    with st.grid(4, min_column_width=130):
        for caption, picture in pictures:
            st.image(enlarged(picture, ENLARGED), caption=caption, width="stretch",
                     output_format="PNG",  # "auto" would be JPEG, which blends pixels
                     alt=f"{caption}, training image {row} enlarged")


def show_augmentation(data: Dataset, row: int) -> None:
    """Show what random changes make of a training image, epoch after epoch."""
    usual = default_config("base", data.name, "preview")
    with st.container(border=True), errors_shown():
        augmentation = choose_augmentation(switched_augmentation(usual, True), "data", data.name)
        if not augmentation.active:
            st.info("No change is chosen: training sees the image as it is, in every epoch.",
                    icon=":material/info:")
            return
        shown = shown_in_training(data, row, augmentation, usual.batch_size, usual.seed, EPOCHS)
        pictures = shared_engine().moved(shown)
        with st.grid("auto", min_column_width=88, gap="small"):
            for epoch, picture in enumerate(pictures, 1):
                st.image(enlarged(picture, THUMBNAIL), caption=f"Epoch {epoch}", width="stretch",
                         output_format="PNG", alt=f"Training image {row} in epoch {epoch}")
        st.caption(_how(usual))


def _how(config: RunConfig) -> str:
    return ("Not an imitation: these pictures come out of the batches that a training makes of all "
            f"training images with seed {config.seed} and batch size {config.batch_size}. Where "
            "some are held back for validation, the draw is another one of the same kind. Test "
            "images are never changed.")


def show_numbers(image: Images) -> None:
    """Show the numbers of an image, uint8 (H, W, C), as stored and as the network gets them."""
    names = [name for name, _, _ in CHANNELS[image.shape[2]]]
    channel = names[0] if len(names) == 1 else st.segmented_control(
        "Channel", names, default=names[0], required=True, key="data_channel")
    values = image[..., names.index(channel)]
    before, after = st.columns(2)
    with before:
        st.subheader("As stored", anchor=False)
        _show_table(values, "%d", f"{channel} values, 0 to 255")
        st.caption(_summary(values, 0))
    with after:
        st.subheader("As the network gets them", anchor=False)
        _show_table(values / np.float32(255), "%.3f", f"{channel} values, 0 to 1")
        st.caption(_summary(values / np.float32(255), 3))
    st.latex(r"x_{\text{normalised}} = \frac{x}{255}")
    st.caption("Every network here does this in its first layer, so nobody can forget it. Values "
               "of similar, small size keep the first steps of training from jumping.")


def _show_table(values: np.ndarray[Any, Any], form: str, alt: str) -> None:
    columns = [str(number) for number in range(values.shape[1])]
    st.dataframe(dict(zip(columns, values.T, strict=True)), alt=alt, height=320, column_config={
        name: st.column_config.NumberColumn(format=form, width=52) for name in columns})


def _summary(values: np.ndarray[Any, Any], digits: int) -> str:
    return (f"Lowest {values.min():.{digits}f}, mean {values.mean():.{digits or 1}f}, "
            f"highest {values.max():.{digits}f}")
