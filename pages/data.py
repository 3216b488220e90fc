"""Data: what there is to learn from. Counts, images, one image in numbers; and own pictures.

Only training images are shown. The test images stay sealed until a model is evaluated.
"""

from __future__ import annotations

import streamlit as st

from cnn.data.catalogue import DatasetInfo
from pages.shared.cached import dataset
from pages.shared.data_view import choose_image, show_counts, show_image
from pages.shared.dataset_picker import choose_dataset, is_ready
from pages.shared.errors import errors_shown
from pages.shared.formats import amount, count, plain
from pages.shared.health_view import draw_health
from pages.shared.import_form import draw_import, draw_removal, draw_report
from pages.shared.layout import TRAIN


def draw_facts(info: DatasetInfo) -> None:
    """Say what the data set is and where it comes from."""
    st.markdown(plain(info.description))
    origin = [f"Source: {plain(info.source)}"] if info.source else []
    licence = [f"Licence: {plain(info.licence)}"] if info.licence else []
    home = [f"[Homepage]({info.homepage})"] if info.homepage else []
    st.caption(" · ".join([*origin, *licence, *home]))
    if info.citation:
        st.caption(f"To cite: {plain(info.citation)}")


def draw_data(info: DatasetInfo) -> None:
    """Draw a data set that is ready.

    Raises:
        Damaged: If its files are.
    """
    data = dataset(info.name)
    st.header("How many")
    st.caption(f"{amount(info.train_count, 'training image')} and {count(info.test_count)} test "
               f"images of {amount(len(info.classes), 'class')}.")
    show_counts(data)
    st.header("What they look like")
    st.caption(":material/lock: Training images only: the test images stay sealed, so that nobody, "
               "person or network, learns from what a model is judged by.")
    row = choose_image(data)
    st.header("One image in numbers")
    show_image(data, row)
    st.page_link(TRAIN, label="Train a network on these images", icon=":material/model_training:")


def main() -> None:
    """Draw the page."""
    wanted = st.session_state.pop("dataset_wanted", None)  # just imported
    if wanted:
        st.session_state["dataset"] = wanted
    draw_report()
    with errors_shown():
        info = choose_dataset()
        draw_facts(info)
        if info.kind == "imported":
            draw_removal(info.name)
        if is_ready(info):
            draw_data(info)
            draw_health(info)
    st.header("Your own pictures")
    draw_import()


main()
