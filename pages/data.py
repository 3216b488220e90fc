"""Data: what there is to learn from, in parts of which one is drawn at a time; and own pictures.

Only training images are shown. The test images stay sealed until a model is evaluated.
"""

from __future__ import annotations

import streamlit as st

from cnn.data.catalogue import DatasetInfo
from cnn.data.dataset import Dataset
from pages.shared.cached import dataset
from pages.shared.chosen_image import CHECK, ONE_IMAGE, SECTION, step_through
from pages.shared.class_view import portrait_of, show_levels, show_means
from pages.shared.data_view import show_counts, show_images
from pages.shared.dataset_picker import choose_dataset, is_ready
from pages.shared.errors import errors_shown
from pages.shared.formats import amount, count, plain
from pages.shared.health_view import draw_health, say_health
from pages.shared.image_view import show_augmentation, show_image, show_numbers
from pages.shared.import_form import draw_import, draw_removal, draw_report
from pages.shared.layout import TRAIN
from pages.shared.map_view import show_map

SEALED = (":material/lock: Training images only: the test images stay sealed, so that nobody, "
          "person or network, learns from what a model is judged by.")

OWN = "your-own-pictures"  # where on the page they are imported


def draw_facts(info: DatasetInfo) -> None:
    """Say what the data set is and where it comes from."""
    st.markdown(plain(info.description))
    origin = [f"Source: {plain(info.source)}"] if info.source else []
    licence = [f"Licence: {plain(info.licence)}"] if info.licence else []
    home = [f"[Homepage]({info.homepage})"] if info.homepage else []
    st.caption(" · ".join([*origin, *licence, *home]))
    if info.citation:
        st.caption(f"To cite: {plain(info.citation)}")


def draw_overview(data: Dataset) -> None:
    """Draw how many images there are, and what those of each class have in common."""
    st.header("How many")
    st.caption(f"{amount(len(data.train_labels), 'training image')} and "
               f"{count(len(data.test_labels))} test images of "
               f"{amount(len(data.class_names), 'class')}.")
    show_counts(data)
    portrait = portrait_of(data)
    st.header("The mean of each class")
    show_means(data, portrait)
    st.header("How bright the pixels are")
    show_levels(data, portrait)


def draw_images(data: Dataset) -> None:
    """Draw the images of a class."""
    st.header("What they look like")
    show_images(data)


def draw_image(data: Dataset) -> None:
    """Draw all about one image."""
    row = step_through(data)
    show_image(data, row)
    st.header("As training shows it")
    show_augmentation(data, row)
    st.header("As numbers")
    show_numbers(data.train_images[row])


def draw_map(data: Dataset) -> None:
    """Draw which images are alike.

    Raises:
        NotFound: If the chosen model was removed meanwhile.
    """
    st.header("Which are alike")
    show_map(data)


SECTIONS = {"Overview": draw_overview, "Images": draw_images, ONE_IMAGE: draw_image,
            "Map": draw_map}


def draw_data(info: DatasetInfo) -> None:
    """Draw the chosen part of a data set that is ready, and only that.

    Raises:
        NotFound: If a model that is needed was removed meanwhile.
        Damaged: If its files are damaged.
    """
    data = dataset(info.name)
    st.page_link(TRAIN, label="Train a network on these images", icon=":material/model_training:")
    section = st.segmented_control(
        "Show", [*SECTIONS, CHECK], default=next(iter(SECTIONS)), required=True, key=SECTION,
        bind="query-params", label_visibility="collapsed")
    if section == CHECK:
        draw_health(info)
        return
    say_health(info)
    st.caption(SEALED)
    SECTIONS[section](data)


def main() -> None:
    """Draw the page."""
    wanted = st.session_state.pop("dataset_wanted", None)  # just imported
    if wanted:
        st.session_state["dataset"] = wanted
    draw_report()
    st.caption(f"Yours are not in the list? [Import your own pictures](#{OWN}).")
    with errors_shown():
        info = choose_dataset()
        draw_facts(info)
        if info.kind == "imported":
            draw_removal(info.name)
        if is_ready(info):
            draw_data(info)
    st.header("Your own pictures", anchor=OWN)
    draw_import()


main()
