"""What the training images of each class have in common, on the Data page: means and levels."""

from __future__ import annotations

import streamlit as st

from cnn.data.dataset import Dataset
from cnn.data.portrait import Portrait, known_portrait, make_portrait
from pages.shared.data_charts import (
    BINS,
    CHANNELS,
    CHART_HEIGHT,
    histogram_option,
    histogram_words,
)
from pages.shared.dataset_picker import ProgressBar
from pages.shared.formats import amount, plain
from pages.shared.pictures import enlarged

THUMBNAIL = 96  # pixels of the longest side
MEANS_PER_PAGE = 60
_ALL = -1  # in the place of a class


def portrait_of(data: Dataset) -> Portrait:
    """Return the portrait of a data set; the first time, look at all images under a bar."""
    known = known_portrait(data)
    if known is not None:
        return known
    bar = ProgressBar("Once for this data set; then it is remembered.")
    made = make_portrait(data, bar.show)
    bar.clear()
    return made


def show_means(data: Dataset, portrait: Portrait) -> None:
    """Show the mean image of each class."""
    st.caption("All training images of a class laid over each other. What stays sharp is always in "
               "the same place; a network has to find what this mean cannot show.")
    classes = range(len(data.class_names))
    key = f"data_means_{data.name}"
    pages = -(-len(classes) // MEANS_PER_PAGE)
    first = (min(st.session_state.get(key, 1), pages) - 1) * MEANS_PER_PAGE
    with st.grid("auto", min_column_width=THUMBNAIL, gap="small"):
        for label in classes[first:first + MEANS_PER_PAGE]:
            name = data.class_names[label]
            st.image(enlarged(portrait.means[label], THUMBNAIL), output_format="PNG",
                     width=THUMBNAIL, caption=plain(name),
                     alt=f"Mean of the training images of {name}")
    if pages > 1:
        st.pagination(pages, key=key, max_visible_pages=5)


def show_levels(data: Dataset, portrait: Portrait) -> None:
    """Show how bright the pixels of a class are, as lines, and of every class as a table."""
    options = [_ALL, *range(len(data.class_names))]
    label = st.selectbox(
        "Images of", options, key=f"data_levels_{data.name}", persist_state="session",
        format_func=lambda option: "All classes" if option == _ALL else data.class_names[option])
    which = None if label == _ALL else label
    what = "all classes" if which is None else data.class_names[which]
    words = histogram_words(what, *portrait.mean_and_deviation(which))
    st.caption(plain(words))
    st.echarts_chart(histogram_option(portrait.histogram(which, BINS)), key="data_histogram",
                     height=CHART_HEIGHT, alt=words)
    st.dataframe(_rows(data, portrait), hide_index=True, alt="Mean and standard deviation of the "
                 "pixels of each class", column_config=_columns(data.image_shape[2]))
    st.caption(f"Levels from 0 to 255, of {amount(len(data.train_labels), 'training image')}. "
               "Classes that differ in the mean alone can be told apart by their brightness, which "
               "may be chance of how they were photographed.")


def _rows(data: Dataset, portrait: Portrait) -> list[dict[str, object]]:
    rows = []
    for label, name in enumerate(data.class_names):
        row: dict[str, object] = {"class": name}
        for key, values in zip(("mean", "sd"), portrait.mean_and_deviation(label), strict=True):
            row |= {f"{channel.lower()} {key}": float(value) for (channel, _, _), value in zip(
                CHANNELS[len(values)], values, strict=True)}
        rows.append(row)
    return rows


def _columns(channels: int) -> dict[str, object]:
    number = st.column_config.NumberColumn(format="%.1f")
    return {"class": st.column_config.TextColumn(pinned=True, width=110)} | {
        f"{channel.lower()} {key}": number
        for key in ("mean", "sd") for channel, _, _ in CHANNELS[channels]}
