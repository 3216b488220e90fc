"""Why a model gave its answer: heat maps, feature maps and the most similar training images.

Drawn below an answer, and computed in the prediction engine only once somebody opens it.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnn.prediction import reasons
from cnn.prediction.client import Prediction, shared_engine
from cnn.prediction.reasons import FeatureMaps, HeatMaps, Nearest
from pages.shared import cached
from pages.shared.errors import errors_shown
from pages.shared.formats import amount, confidence, count, plain
from pages.shared.pictures import enlarged_png

PARTS, PIXELS, ALIKE, MAPS = "Parts", "Pixels", "Similar", "Layers"
WAYS = {
    PARTS: "Grad-CAM: which parts of the picture speak for a class.",
    PIXELS: "Saliency: how much each pixel changes the answer. A second opinion; it is noisy by "
            "nature.",
    ALIKE: "Training images that look most alike to the last layer of the network.",
    MAPS: "What a layer of the network makes of the picture.",
}
METHODS = {PARTS: "grad-cam", PIXELS: "saliency"}
SIDE = 224  # pixels, of a heat map
NEAREST = 8
THUMBNAIL = 96
_SCALE = ("<div style='display:flex;align-items:center;gap:.5rem;font-size:.875rem'>"
          "<span>nothing</span><span aria-hidden='true' style='height:.6rem;width:9rem;"
          "border-radius:.3rem;background:linear-gradient(90deg,#440154,#472d7b,#3b528b,#2c728e,"
          "#21918c,#28ae80,#5ec962,#addc30,#fde725)'></span><span>most</span></div>")


def draw_why(
    picture_bytes: bytes, model: str, prediction: Prediction, how: str = "", place: str = ""
) -> None:
    """Show why a model gave its answer, once the section is opened.

    Args:
        picture_bytes: The picture as it was given: JPEG, PNG, WebP, BMP or GIF.
        model: Name of the saved model.
        prediction: Its answer, without an error.
        how: crop, fit or stretch; empty for what the model's card says.
        place: Tells it from the same picture elsewhere on the page.
    """
    key = f"why_{model}_{how}_{cached.digest_of(picture_bytes)[:16]}{place}"
    section = st.expander("Why?", icon=":material/psychology_alt:", key=key, on_change="rerun")
    if section.open:
        with section:
            draw_ways(picture_bytes, model, prediction, how, place=place)


def draw_ways(
    picture_bytes: bytes, model: str, prediction: Prediction, how: str = "",
    classes: Sequence[str] = (), place: str = "",
) -> None:
    """Show why a model gave its answer, one way to look at it at a time.

    Args:
        picture_bytes: The picture as it was given: JPEG, PNG, WebP, BMP or GIF.
        model: Name of the saved model.
        prediction: Its answer, without an error.
        how: crop, fit or stretch; empty for what the model's card says.
        classes: Whose heat maps are shown first. Defaults to the answer and the runner-up.
        place: As for `draw_why`.
    """
    digest = cached.digest_of(picture_bytes)
    key = f"why_{model}_{how}_{digest[:16]}{place}"
    with errors_shown():
        way = st.segmented_control("What to show", list(WAYS), default=PARTS, required=True,
                                   key=f"{key}_way", label_visibility="collapsed")
        st.caption(WAYS[way])
        asked = _Asked(model, cached.model_stamp(model), how, digest, picture_bytes)
        if way in METHODS:
            _draw_heat(asked, way, prediction, list(classes), key)
        elif way == ALIKE:
            _draw_nearest(asked)
        else:
            _draw_feature_maps(asked, key)


class _Asked:
    """What every question to the engine has in common."""

    def __init__(self, model: str, stamp: cached.Stamp, how: str, digest: str, data: bytes) -> None:
        self.common = (model, stamp, how, digest)
        self.model, self.how, self.data = model, how, data


@st.cache_data(max_entries=64, max_size="32MB", show_spinner="Looking inside the network")
def _heat(
    model: str, stamp: cached.Stamp, how: str, digest: str, method: str, classes: tuple[str, ...],
    _data: bytes,
) -> HeatMaps:
    return reasons.ask_heat(shared_engine(), model, _data, how, method, classes)


@st.cache_data(max_entries=64, max_size="32MB", show_spinner="Looking inside the network")
def _maps(
    model: str, stamp: cached.Stamp, how: str, digest: str, layer: str, _data: bytes
) -> FeatureMaps:
    return reasons.ask_feature_maps(shared_engine(), model, _data, how, layer)


def _draw_heat(
    asked: _Asked, way: str, prediction: Prediction, first: list[str], key: str
) -> None:
    names = list(dict.fromkeys(name for name, _ in prediction.top))
    classes = st.multiselect(
        "Classes", names, default=first or names[:2], max_selections=3, key=f"{key}_classes",
        help="The answer and the runner-up, or any other class.")
    if not classes:
        st.caption("Choose at least one class.")
        return
    found = _heat(*asked.common, METHODS[way], tuple(classes), asked.data)
    with st.container(horizontal=True, vertical_alignment="top"):
        st.image(found.picture, width=SIDE, output_format="PNG", caption="The part it sees",
                 alt="The part of the picture that the model sees")
        for one in found.maps:
            st.image(one.png, width=SIDE, output_format="PNG",
                     caption=f"**{plain(one.name)}** · {confidence(one.probability)}",
                     alt=f"Heat map for the class {one.name}")
    st.html(_SCALE)
    for one in found.maps:
        if one.blank:
            st.caption(f"No part of the picture speaks for {plain(one.name)}.")
    _say_what_it_is(found)


def _say_what_it_is(found: HeatMaps) -> None:
    height, width = found.size
    if found.layer:
        st.caption(f"From the layer {plain(found.layer)}, {height} × {width} places, smoothed. "
                   "Each map has its own scale: compare places in a map, not maps with each other.")
    if found.coarse:
        st.warning(f"This network's maps are too coarse: with {height} × {width} places this one "
                   "says next to nothing about where in the picture something is.",
                   icon=":material/blur_on:")


def _draw_nearest(asked: _Asked) -> None:
    found = _wait_for_nearest(asked)
    names = [image.name for image in found.images]
    best = max(set(names), key=names.count)
    st.markdown(f"{names.count(best)} of the {len(names)} most similar show **{plain(best)}**.")
    with st.grid("auto", min_column_width=THUMBNAIL + 4, gap="small"):
        for image in found.images:
            st.image(enlarged_png(image.png, THUMBNAIL), output_format="PNG",
                     caption=f"{plain(image.name)} · {image.likeness:.2f}",
                     alt=f"Training image {image.row}, {image.name}")
    st.caption(f"Among {amount(found.total, 'training image')}. The number is how alike they look "
               "to the network: 1 is the same, 0 has nothing in common.")


def _wait_for_nearest(asked: _Asked) -> Nearest:
    """Ask until the engine has looked at all training images, and say how far it is."""
    bar = st.empty()
    while True:
        found = reasons.ask_nearest(shared_engine(), asked.model, asked.data, asked.how, NEAREST)
        if found.images:
            bar.empty()
            return found
        bar.progress(found.done / found.total,
                     f"Looking at the training images, once for this model: {count(found.done)} of "
                     f"{count(found.total)}")


def _draw_feature_maps(asked: _Asked, key: str) -> None:
    layers = dict(_maps(*asked.common, "", asked.data).layers)
    layer = st.selectbox(
        "Layer", list(layers), key=f"{key}_layer",
        format_func=lambda name: f"{name}  ({' × '.join(map(str, layers[name]))})")
    found = _maps(*asked.common, layer, asked.data)
    st.image(found.sheet, output_format="PNG",
             alt=f"Feature maps of the layer {layer}, the strongest first")
    height, width, channels = layers[layer]
    shown = f"The {len(found.channels)} strongest of {count(channels)} channels" \
        if len(found.channels) < channels else f"All {count(channels)} channels, strongest first"
    st.caption(f"{shown}, {height} × {width} values each. Every map goes from its own lowest "
               "value, dark, to its own highest, yellow.")
