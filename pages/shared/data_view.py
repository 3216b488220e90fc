"""The images of a data set on the Data page: how many there are, and what they look like.

Shows training images only. Reads from the mapped arrays just the images that are on the screen.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnn.data.dataset import Dataset
from pages.shared.charts import bars_height, counts_option
from pages.shared.chosen_image import chosen_row, open_row
from pages.shared.formats import plain
from pages.shared.pictures import enlarged

IMAGES_PER_PAGE = 21  # whole rows of seven, and of three on a phone
THUMBNAIL = 96  # pixels of the longest side
MOST_PILLS = 12  # classes; with more, a list is easier to choose from


def show_counts(data: Dataset) -> None:
    """Show how many images each class has, as bars and as a table."""
    classes = len(data.class_names)
    train = np.bincount(data.train_labels, minlength=classes)
    test = np.bincount(data.test_labels, minlength=classes)
    chart, table = st.columns([3, 2], gap="large")
    with chart:
        st.echarts_chart(
            counts_option(data.class_names, train.tolist(), test.tolist()), key="data_counts",
            height=bars_height(classes),
            alt=f"Images per class: {train.min():,} to {train.max():,} for training, "
                f"{test.min():,} to {test.max():,} for the test")
    number = st.column_config.NumberColumn(format="localized")
    with table:
        st.dataframe({"Class": list(data.class_names), "Training": train, "Test": test},
                     hide_index=True, alt="Images per class",
                     column_config={"Training": number, "Test": number})


def show_images(data: Dataset) -> None:
    """Show the training images of a class, page by page; a click on a number opens its image."""
    label = _choose_class(data)
    rows = np.flatnonzero(data.train_labels == label)
    if not len(rows):
        st.caption("This class has no training images.")
        return
    pages = -(-len(rows) // IMAGES_PER_PAGE)
    key = f"data_page_{data.name}_{label}"
    page = min(st.session_state.get(key, 1), pages)
    chosen = chosen_row(data)
    with st.grid("auto", min_column_width=THUMBNAIL, gap="small"):
        for row in rows[(page - 1) * IMAGES_PER_PAGE:page * IMAGES_PER_PAGE].tolist():
            _show_thumbnail(data, row, row == chosen)
    if pages > 1:
        st.pagination(pages, key=key, max_visible_pages=5, persist_state="session")


def _choose_class(data: Dataset) -> int:
    classes = range(len(data.class_names))
    choose = st.pills if len(classes) <= MOST_PILLS else st.selectbox
    more = {"default": 0, "required": True} if choose is st.pills else {}
    return choose("Class", classes, format_func=lambda label: plain(data.class_names[label]),
                  key=f"data_class_{data.name}", persist_state="session", **more)


def _show_thumbnail(data: Dataset, row: int, chosen: bool) -> None:
    with st.container(gap="xxsmall", horizontal_alignment="center"):
        longest = max(data.image_shape[:2])
        st.image(enlarged(data.train_images[row], THUMBNAIL), output_format="PNG",
                 width=THUMBNAIL if longest > THUMBNAIL else "content",
                 alt=f"{data.class_names[data.train_labels[row]]}, training image {row}")
        st.button(f"#{row}", key=f"data_choose_{row}", on_click=open_row,
                  type="primary" if chosen else "tertiary", args=(data.name, row))
