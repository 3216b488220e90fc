"""The images of a data set on the Data page: how many, what they look like, and their numbers.

Shows training images only. Reads from the mapped arrays just the images that are on the screen.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnn.data.dataset import Dataset, Images
from pages.shared.charts import bars_height, counts_option
from pages.shared.formats import amount, count, plain
from pages.shared.pictures import enlarged

IMAGES_PER_PAGE = 21  # whole rows of seven, and of three on a phone
THUMBNAIL, ENLARGED = 96, 256  # pixels of the longest side
MOST_PILLS = 12  # classes; with more, a list is easier to choose from
CHANNELS = {1: ("Grey",), 3: ("Red", "Green", "Blue")}


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


def choose_image(data: Dataset) -> int:
    """Show the training images of a class, page by page; return the row of the chosen one."""
    label = _choose_class(data)
    rows = np.flatnonzero(data.train_labels == label)
    if not len(rows):
        st.caption("This class has no training images.")
        rows = np.arange(len(data.train_labels))
    pages = -(-len(rows) // IMAGES_PER_PAGE)
    key = f"{data.name}_{label}"
    page = st.session_state.get(f"data_page_{key}", 1)
    shown = rows[(page - 1) * IMAGES_PER_PAGE:page * IMAGES_PER_PAGE]
    name, chosen = st.session_state.get("data_image", ("", -1))
    if name != data.name or chosen not in rows:
        chosen = int(shown[0])
    with st.grid("auto", min_column_width=THUMBNAIL, gap="small"):
        for row in shown:
            _show_thumbnail(data, int(row), row == chosen)
    if pages > 1:
        st.pagination(pages, key=f"data_page_{key}", max_visible_pages=5)
    return chosen


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
        st.button(f"#{row}", key=f"data_choose_{row}", on_click=_choose,
                  type="primary" if chosen else "tertiary", args=(data.name, row))


def _choose(name: str, row: int) -> None:
    st.session_state["data_image"] = (name, row)


def show_image(data: Dataset, row: int) -> None:
    """Show one training image: large, by channel, and as the numbers that a network gets."""
    image = data.train_images[row]
    height, width, channels = data.image_shape
    label = plain(data.class_names[data.train_labels[row]])
    st.caption(f"Training image #{row}, class **{label}**: {height} × {width} pixels with "
               f"{amount(channels, 'channel')}, {count(image.size)} numbers from 0 to 255.")
    pictures = [("The image", image)]
    if channels == 3:
        pictures += [(f"{name} channel", image * np.eye(3, dtype=np.uint8)[number])
                     for number, name in enumerate(CHANNELS[3])]
    with st.grid(4, min_column_width=150):
        for caption, picture in pictures:
            st.image(enlarged(picture, ENLARGED), caption=caption, width="stretch",
                     output_format="PNG",  # "auto" would be JPEG, which blends pixels
                     alt=f"{caption}, training image {row} enlarged")
    _show_numbers(image)


def _show_numbers(image: Images) -> None:
    names = CHANNELS[image.shape[2]]
    channel = names[0] if len(names) == 1 else st.segmented_control(
        "Channel", names, default=names[0], required=True, key="data_channel")
    values = image[..., names.index(channel)]
    before, after = st.columns(2)
    with before:
        st.subheader("As stored")
        _show_table(values, "%d", f"{channel} values, 0 to 255")
        st.caption(_summary(values, 0))
    with after:
        st.subheader("As the network gets them")
        _show_table(values / np.float32(255), "%.3f", f"{channel} values, 0 to 1")
        st.caption(_summary(values / np.float32(255), 3))
    st.latex(r"x_{\text{normalised}} = \frac{x}{255}")
    st.caption("Every network here does this in its first layer, so nobody can forget it. Values "
               "of similar, small size keep the first steps of training from jumping.")


def _show_table(values: np.ndarray, form: str, alt: str) -> None:
    columns = [str(number) for number in range(values.shape[1])]
    st.dataframe(dict(zip(columns, values.T, strict=True)), alt=alt, height=320, column_config={
        name: st.column_config.NumberColumn(format=form, width=52) for name in columns})


def _summary(values: np.ndarray, digits: int) -> str:
    return (f"Lowest {values.min():.{digits}f}, mean {values.mean():.{digits or 1}f}, "
            f"highest {values.max():.{digits}f}")
