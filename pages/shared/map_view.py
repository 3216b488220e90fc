"""The map of a data set's images on the Data page: made in the background, clicked, read aloud.

What can be done with the mouse can be done with the table of the points too.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnn.data.dataset import Dataset
from cnn.prediction.maps import Map, Subject, background, fits, known_map
from pages.shared import cached
from pages.shared.chosen_image import choose_row, chosen_row, name_of, open_row
from pages.shared.clicks import clicked
from pages.shared.data_charts import MAP_HEIGHT, map_option
from pages.shared.errors import show_error
from pages.shared.formats import amount, count, duration, percent, plain
from pages.shared.job_view import wait_for
from pages.shared.pictures import enlarged

METHODS = {"pca": "PCA", "tsne": "t-SNE"}
LARGEST, THUMBNAIL = 160, 64  # pixels

_HOW_LONG = {
    "pca": "Some seconds; with a model about half a minute, while TensorFlow starts.",
    "tsne": "About half a minute on a laptop that does nothing else; beside a training, minutes."}
_READ = {
    "pca": "PCA looks straight at the images from the side where they differ most, and draws what "
           "it sees: distances are true, but flattened. The two axes hold **{explained}** of all "
           "differences, so images that lie together here can be far apart in the rest.",
    "tsne": "t-SNE tries to keep the nearest images together, and gives up the rest: **which "
            "points are neighbours says something; distances between groups, their sizes and "
            "their density do not.** Another seed draws another map."}


def show_map(data: Dataset) -> None:
    """Show the map that is chosen, or how it can be had.

    Raises:
        NotFound: If the chosen model was removed meanwhile.
    """
    left, right = st.columns(2)
    with left:
        model = _choose_space(data)
    with right:
        method = st.segmented_control("Method", list(METHODS), default="pca", required=True,
                                      format_func=METHODS.get, key="data_map_method")
    subject: Subject = (data.name, model, method)
    found = None if background.running(subject) else known_map(data, model, method)
    if found is None:
        _get(subject, wanted=not model and method == "pca")
        return
    chart, panel = st.columns([8, 3], gap="medium")
    with chart:
        _draw(data, found, subject)
    with panel:
        _show_chosen(data, found)
    _explain(data, found, model, method)
    with st.expander("The points as a table", icon=":material/table:"):
        _show_table(data, found, subject)


def _choose_space(data: Dataset) -> str:
    """Show the choice of what is compared; return the name of a model, or "" for pixels."""
    models = [model.name for model in cached.models() if model.card and fits(model.card, data)]
    return st.selectbox(
        "Alike in", ["", *models], key=f"data_map_space_{data.name}",
        format_func=lambda name: f"what {name} sees" if name else "their pixels",
        help="A saved model that takes images of this size can be asked for what its last layer "
             "but one makes of them: the features that it decides by.")


def _get(subject: Subject, wanted: bool) -> None:
    """Make a map: at once if it is wanted, else at a click; and show that it is being made."""
    failure = background.failure(subject)
    running = background.running(subject)
    if failure is not None and not running:
        show_error(failure)
    if not running and (failure is not None or not wanted):
        asked = st.button("Make this map", type="primary", icon=":material/scatter_plot:",
                          key="data_map_make", help="In the background, once; then it is kept.")
        st.caption(_HOW_LONG[subject[2]])
        if not asked:
            return
    background.start(subject)
    wait_for(background, subject, f"**Making the map…** {_HOW_LONG[subject[2]]} You can look at "
             "other parts meanwhile.", ":material/hourglass:")


def _draw(data: Dataset, found: Map, subject: Subject) -> None:
    labels = data.train_labels[found.rows]
    option = map_option(data.class_names, labels, found.points, found.rows, found.explained,
                        found.place_of(chosen_row(data)), st.context.theme.type == "dark")
    key = "data_map_" + "_".join(subject)
    st.echarts_chart(
        option, key=key, height=MAP_HEIGHT, alt=_words(data, found),
        on_select=lambda: _take_click(data, found, key))


def _take_click(data: Dataset, found: Map, key: str) -> None:
    """Choose the image whose point was clicked on the chart with this key."""
    point = clicked(key)
    if point is not None:
        own = found.rows[data.train_labels[found.rows] == point[0]]
        if point[1] < len(own):
            choose_row(data.name, int(own[point[1]]))


def _show_chosen(data: Dataset, found: Map) -> None:
    row = chosen_row(data)
    place = found.place_of(row)
    if place is None:
        st.info("Click a point to see its image, or choose one in the table below.",
                icon=":material/touch_app:")
        return
    st.image(enlarged(data.train_images[row], LARGEST), output_format="PNG",
             caption=f"#{row}, **{name_of(data, row)}**",
             alt=f"{data.class_names[data.train_labels[row]]}, training image {row}")
    st.button("Look at it closely", icon=":material/zoom_in:", key="data_map_open",
              on_click=open_row, args=(data.name, row))
    st.caption("The most alike, of other classes in bold:")
    with st.grid("auto", min_column_width=THUMBNAIL, gap="small"):
        for near in found.rows[found.nearest[place]].tolist():
            same = data.train_labels[near] == data.train_labels[row]
            st.image(enlarged(data.train_images[near], THUMBNAIL), output_format="PNG",
                     width=THUMBNAIL, caption=name_of(data, near) if same else
                     f"**{name_of(data, near)}**", alt=f"Training image {near}")


def _explain(data: Dataset, found: Map, model: str, method: str) -> None:
    """Say what the map shows, what it does not, and how far its neighbours can be believed."""
    shares = np.bincount(data.train_labels[found.rows]) / len(found.rows)
    st.markdown(f"Of all {count(len(found.rows))} images, **{percent(found.agreement)}** are most "
                f"like one of their own class; by chance it would be {percent((shares**2).sum())}.")
    words = [_READ[method].format(explained=percent(sum(found.explained)))]
    if model:
        words.append(f"What is compared are the {count(found.dimensions)} numbers before the last "
                     f"layer of {plain(model)}. If it was trained on these very images, it has "
                     "learned to keep their classes apart: new images will not lie as neatly.")
    else:
        words.append(f"What is compared are the {count(found.dimensions)} values of the pixels, so "
                     "an image is like another of the same colours in the same places, whatever "
                     "it shows.")
    which = "All training images" if len(found.rows) == len(data.train_labels) else \
        f"{amount(len(found.rows), 'training image')} drawn at random, each class in proportion"
    words.append(f"{which}; made in {duration(found.seconds)}.")
    st.caption(" ".join(words))


def _words(data: Dataset, found: Map) -> str:
    return (f"Map of {amount(len(found.rows), 'training image')} of "
            f"{amount(len(data.class_names), 'class')}. {percent(found.agreement)} are most like "
            "an image of their own class. The table below has all points.")


def _show_table(data: Dataset, found: Map, subject: Subject) -> None:
    key = "data_map_table_" + "_".join(subject)
    labels = data.train_labels[found.rows]
    st.dataframe(
        {"image": found.rows, "class": [data.class_names[label] for label in labels],
         "x": found.points[:, 0], "y": found.points[:, 1]},
        hide_index=True, key=key, selection_mode="single-row", alt="The points of the map",
        on_select=lambda: _take_row(data, found, key), height=320)


def _take_row(data: Dataset, found: Map, key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        choose_row(data.name, int(found.rows[rows[0]]))
