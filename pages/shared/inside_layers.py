"""Stepping through the layers of a network on one picture: what goes in, what comes out, and how.

The engine computes once for each layer and picture; all else is drawn from its reply.
"""

from __future__ import annotations

import streamlit as st

from cnn.prediction import opened
from cnn.prediction.client import shared_engine
from cnn.prediction.opened import Array, Layer, OpenLayer
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.errors import errors_shown
from pages.shared.formats import count, mega, plain
from pages.shared.inside_conv import show_convolution
from pages.shared.inside_picture import Subject
from pages.shared.inside_pictures import COLUMNS, MOST_MAPS, maps_png, row_png
from pages.shared.inside_steps import show_step
from pages.shared.inside_words import parameters_text, shape_text, short, what_it_does
from pages.shared.pictures import enlarged_png

LAYER = "layer"  # in the address too
PICTURE = 160  # pixels


@st.cache_data(max_entries=8, show_spinner="Opening the network")
def layers_of(model: str, stamp: cached.Stamp) -> tuple[Layer, ...]:
    """Return the layers of a saved model.

    Raises:
        CnnError: What the engine answered, or that it does not work.
    """
    return opened.ask_layers(shared_engine(), model)


@st.cache_data(max_entries=24, max_size="96MB", show_spinner="Looking inside the network")
def _open_layer(
    model: str, stamp: cached.Stamp, layer: str, digest: str, _data: bytes
) -> OpenLayer:
    return opened.ask_layer(shared_engine(), model, layer, _data)


def choose_layer(layers: tuple[Layer, ...]) -> Layer:
    """Show the list of layers with buttons to the one before and after; return the chosen one."""
    names = [layer.name for layer in layers]
    labels = {layer.name: f"{place}. {short(layer.name)}  ({layer.label})"
              for place, layer in enumerate(layers, 1)}
    chosen = st.session_state.get(LAYER, st.query_params.get(LAYER))
    place = names.index(chosen) if chosen in names else _first(layers)
    st.session_state[LAYER] = names[place]
    name = st.selectbox(f"Layer, of {count(len(layers))}", names, key=LAYER,
                        format_func=lambda one: labels[one])
    # Not bound: that would put the whole line of the list into the address.
    st.query_params[LAYER] = name
    with st.container(horizontal=True):
        st.button("Layer before", icon=":material/chevron_left:", key="inside_before",
                  disabled=place == 0, on_click=_go, args=(names[max(place - 1, 0)],))
        st.button("Next layer", icon=":material/chevron_right:", icon_position="right",
                  key="inside_next", disabled=place == len(names) - 1, on_click=_go,
                  args=(names[min(place + 1, len(names) - 1)],))
    return layers[names.index(name)]


def _first(layers: tuple[Layer, ...]) -> int:
    """Return the first convolution, where there is most to see; else the first layer."""
    return next((place for place, layer in enumerate(layers) if layer.kind == "conv"), 0)


def _go(name: str) -> None:
    st.session_state[LAYER] = name


def show_layers(card: Card, layers: tuple[Layer, ...], subject: Subject) -> None:
    """Show the chosen layer of a model at work on a picture.

    Raises:
        CnnError: What the engine answered, or that it does not work.
    """
    layer = choose_layer(layers)
    st.header(f"{plain(short(layer.name))} · {plain(layer.label)}", anchor=False)
    st.markdown(what_it_does(layer))
    show_figures(layer)
    if not layer.open:
        return
    stamp = cached.model_stamp(card.name)
    found = _open_layer(card.name, stamp, layer.name, subject.digest, subject.data)
    _show_values(layer, found)
    with errors_shown():
        if layer.kind == "conv":
            by_name = {one.name: one for one in layers}
            show_convolution(layer, found, tuple(by_name[name] for name in found.then))
        else:
            show_step(layer, found, card.class_names)


def show_figures(layer: Layer) -> None:
    """Show shapes and number of parameters of a layer."""
    before = " and ".join(shape_text(shape) for shape in layer.input_shapes) or "the picture"
    with st.grid(3, min_column_width=190):
        st.metric("In", before, border=True, height="stretch",
                  help="Height × width × channels." if "×" in before else None)
        st.metric("Out", shape_text(layer.output_shape), border=True, height="stretch")
        st.metric("Parameters", mega(layer.parameters), border=True, height="stretch",
                  help=parameters_text(layer))


def _show_values(layer: Layer, found: OpenLayer) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("What goes in", anchor=False)
        if not layer.sources:
            st.image(enlarged_png(found.seen, 2 * PICTURE), output_format="PNG", width=PICTURE,
                     alt="The picture as the network sees it")
        for place, (name, values) in enumerate(zip(layer.sources, found.inputs(), strict=False)):
            _show_array(values, f"in{place}", f"From {plain(short(name))}")
    with right:
        st.subheader("What comes out", anchor=False)
        _show_array(found.output, "out", "")


def _show_array(values: Array | None, key: str, what: str) -> None:
    if values is None:
        st.caption("Too many values to be shown.")
        return
    source = f"{what}. " if what else ""
    reach = f"Lowest {float(values.min()):.3g}, highest {float(values.max()):.3g}."
    if values.ndim == 1:
        st.image(row_png(values), output_format="PNG", width="stretch",
                 alt=f"{what or 'Output'}: {values.size} values as stripes")
        st.caption(f"{source}{count(values.size)} values in a row, dark to yellow. {reach}")
    elif values.ndim == 3:
        first = _choose_first(values.shape[2], key)
        last = min(first + MOST_MAPS, values.shape[2]) - 1
        st.image(maps_png(values, first), output_format="PNG",
                 alt=f"{what or 'Output'}: channels {first} to {last}")
        rows = f", {COLUMNS} in a row" if last - first >= COLUMNS else ""
        st.caption(f"{source}Channels {first} to {last}{rows}. Each goes from its own lowest "
                   f"value, dark, to its own highest, yellow. {reach}")
    else:
        st.caption(f"{source}{count(values.size)} values. {reach}")


def _choose_first(channels: int, key: str) -> int:
    """Show which channels are on the sheet, where there are too many for one; return the first."""
    if channels <= MOST_MAPS:
        return 0
    starts = range(0, channels, MOST_MAPS)
    return int(st.selectbox(
        "Channels", starts, key=f"inside_sheet_{key}_{channels}",
        format_func=lambda first: f"{first} to {min(first + MOST_MAPS, channels) - 1}"))


def show_all(layers: tuple[Layer, ...]) -> None:
    """Show every layer in a table."""
    # Weights that a layer shares with its first use are counted there.
    parameters = [0 if layer.first else layer.parameters for layer in layers]
    total = sum(parameters)
    st.markdown(f"**{count(len(layers))}** layers, **{mega(total)}** parameters.",
                help=f"{total:,} parameters.")
    whole = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        {"Layer": [layer.name for layer in layers], "What it is": [one.label for one in layers],
         "In": [" and ".join(map(shape_text, layer.input_shapes)) for layer in layers],
         "Out": [shape_text(layer.output_shape) for layer in layers],
         "Parameters": parameters,
         "From": [", ".join(layer.sources) for layer in layers]},
        hide_index=True, height="content" if len(layers) <= 40 else 600,
        alt="The layers of the network, from input to output",
        column_config={"Parameters": whole})
