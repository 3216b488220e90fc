"""A convolution worked out: its filters, one value from its products, stride and padding by hand.

Everything is computed from the layer's real weights and what really went into it. Drawn by the
script of `inside_pixel`, and in words and tables for everybody who does not use a mouse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn.models.convolving import (
    ACTIVATIONS,
    SAME,
    VALID,
    Pair,
    Way,
    activated,
    convolve,
    normalised,
    share_of_channel,
    work_out,
)
from cnn.models.specs import readable
from cnn.prediction.opened import Array, Layer, OpenLayer
from pages.shared.formats import amount, count, plain
from pages.shared.inside_pictures import filters_png
from pages.shared.inside_pixel import Pixels, show_pixels
from pages.shared.inside_place import choose_number, choose_place, keep_place
from pages.shared.inside_words import number, short
from pages.shared.tables import csv_bytes

AS_IT_IS, BY_HAND = "as in the network", "by hand"
MOST_FILTERS = 64  # shown side by side
LARGEST_STRIDE = 4
Maps = list[tuple[str, NDArray[np.float64]]]


@dataclass(frozen=True)
class Opened:
    """A convolution with all that is needed to work it out."""

    layer: Layer
    values: Array  # what went in, (H, W, C)
    kernel: Array  # (h, w, C, filters)
    found: OpenLayer
    following: tuple[Layer, ...]

    @property
    def way(self) -> Way:
        """How the network itself moves the kernel."""
        settings = self.layer.settings
        return Way(_pair(settings["window"]), _pair(settings["stride"]), settings["padding"],
                   _pair(settings["dilation"]))

    def bias(self, filter_number: int) -> float:
        """The bias of a filter; 0 where there is none."""
        found = self.found.weight("bias")
        return 0.0 if found is None else float(found[filter_number])


def _pair(sizes: list[int]) -> Pair:
    return sizes[0], sizes[1]


def show_convolution(layer: Layer, found: OpenLayer, following: tuple[Layer, ...]) -> None:
    """Show how a convolution comes to its values.

    Args:
        layer: Of the kind conv.
        found: What it did with a picture.
        following: The layers of `found.then`.
    """
    values, kernel = found.inputs()[0], found.weight("kernel")
    if values is None or kernel is None:
        st.info("Its weights or its input are too large to be worked out here.",
                icon=":material/info:")
        return
    opened = Opened(layer, values, kernel, found, following)
    st.subheader("Worked out, one value at a time", anchor=False)
    filter_number, channel = _choose_filter(opened)
    way = _choose_way(opened)
    size = (values.shape[0], values.shape[1])
    _show_size(way, size)
    place = _show_place(opened, filter_number, channel, way)
    _say_value(opened, filter_number, way, place)
    st.subheader("Its filters", anchor=False)
    _show_filters(opened, filter_number, channel)


def _choose_filter(opened: Opened) -> tuple[int, int]:
    channels, filters = opened.kernel.shape[2:]
    with st.grid(4, min_column_width=150):
        chosen = choose_number("Filter", "inside_filter", filters, help_text=(
            "Each filter makes one channel of the output."))
        weight = np.abs(opened.kernel[..., chosen]).sum((0, 1)) * np.abs(opened.values).mean((0, 1))
        channel = choose_number(
            "Channel of the input", f"inside_channel_{opened.layer.name}", channels,
            int(weight.argmax()),
            "The products of one channel fit on the screen; those of the others are added up. "
            "At first it is the one that counts most.")
    return chosen, channel


def _choose_way(opened: Opened) -> Way:
    """Show stride and padding, as the network has them at first; return how the kernel moves."""
    way = opened.way
    with st.expander("Change stride and padding by hand", icon=":material/tune:",
                     key="inside_by_hand"), st.grid(3, min_column_width=170):
        stride = int(st.number_input(
            "Stride", 1, max(LARGEST_STRIDE, *way.stride), way.stride[0],
            key=f"inside_stride_{opened.layer.name}",
            help="How many places the filter moves from one value to the next."))
        kind = st.selectbox("Padding", [AS_IT_IS, VALID, SAME, BY_HAND],
                            key=f"inside_padding_{opened.layer.name}",
                            help="Zeros around the input. valid: none. same: so many that with "
                                 "stride 1 the output is as large as the input.")
        if kind == BY_HAND:
            zeros = st.number_input("Rows and columns of zeros", 0, max(way.span), 1,
                                    key=f"inside_zeros_{opened.layer.name}")
            kind = int(zeros)
    if stride != way.stride[0]:  # a network's own may differ between rows and columns
        way = replace(way, stride=(stride, stride))
    return way if kind == AS_IT_IS else replace(way, padding=kind)


def _show_size(way: Way, size: Pair) -> None:
    """Show the formula of the output's size, and below it the same with its numbers.

    Raises:
        BadInput: If no window fits.
    """
    out = way.output_size(size)
    lines = [_formula(way, axis, size[axis], out[axis]) for axis in (0, 1)]
    st.caption("**Size of the output**: (input + padding − kernel) ÷ stride, rounded down, and 1 "
               "more.")
    if lines[0] == lines[1]:
        st.latex(lines[0])
    else:
        for what, line in zip(("rows", "columns"), lines, strict=True):
            st.latex(rf"\text{{{what}: }} {line}")


def _formula(way: Way, axis: int, size: int, out: int) -> str:
    before, after = way.padded(axis, size)
    return (rf"\left\lfloor \frac{{{size} + ({before} + {after}) - {way.span[axis]}}}"
            rf"{{{way.stride[axis]}}} \right\rfloor + 1 = {out}")


def _show_place(opened: Opened, filter_number: int, channel: int, way: Way) -> Pair:
    kernel, bias = opened.kernel[..., filter_number], opened.bias(filter_number)
    before = convolve(opened.values, kernel, bias, way)
    with st.grid(4, min_column_width=150):
        place = choose_place((before.shape[0], before.shape[1]))
    st.caption("Move over the output: its value is worked out from what the filter lies on. A "
               "click keeps a place; so do the arrow keys, and the two fields above. Zeros in "
               "italics are padding.")
    steps = [(plain_name, values) for plain_name, values
             in follow(opened, filter_number, before) if plain_name]
    show_pixels(Pixels(opened.values[..., channel], kernel[..., channel],
                       share_of_channel(opened.values, kernel, way, channel), before, bias,
                       steps, way, opened.kernel.shape[2]), place, keep_place)
    return place


def follow(opened: Opened, filter_number: int, values: Any) -> list[tuple[str, Any]]:
    """Return what the layer's own activation and the layers after it make of values, step by step.

    Ends before the first that cannot be worked out.

    Args:
        opened: The convolution.
        filter_number: Whose values they are.
        values: A value before the activation, or a map of them.
    """
    steps: list[tuple[str, Any]] = []
    own = opened.layer.settings["activation"]
    if own not in ACTIVATIONS:
        return steps
    if own != "linear":
        values = activated(values, own)
        steps.append((readable(own), values))
    for layer in opened.following:
        if layer.kind == "dropout":  # does nothing when a network answers
            continue
        values = _stepped(opened, layer, filter_number, values)
        steps.append((layer.label, values))
    return steps


def _stepped(opened: Opened, layer: Layer, filter_number: int, values: Any) -> Any:
    if layer.kind == "activation":
        return activated(values, layer.settings["activation"])
    if layer.kind == "rescaling":
        return values * layer.settings["scale"] + layer.settings["offset"]
    return normalised(values, epsilon=layer.settings["epsilon"],
                      **norm_numbers(opened.found, layer.name, filter_number))


def norm_numbers(found: OpenLayer, name: str, channel: int) -> dict[str, float]:
    """Return what batch normalisation knows of a channel, as `normalised` takes it."""
    usual = {"mean": ("moving_mean", 0.0), "variance": ("moving_variance", 1.0),
             "scale": ("gamma", 1.0), "offset": ("beta", 0.0)}
    weights = {key: (found.weight(stored, name), default)
               for key, (stored, default) in usual.items()}
    return {key: default if values is None else float(values[channel])
            for key, (values, default) in weights.items()}


def _say_value(opened: Opened, filter_number: int, way: Way, place: Pair) -> None:
    """Say in words what the script draws, with the network's own value, and give all products."""
    kernel = opened.kernel[..., filter_number]
    worked = work_out(opened.values, kernel, opened.bias(filter_number), way, place)
    words = (f"Row {place[0]}, column {place[1]} of filter {filter_number}: "
             f"{amount(worked.products.size, 'product')} add up to {number(worked.sum)}; with the "
             f"bias {number(worked.bias)} that is **{number(worked.value)}**")
    for name, value in follow(opened, filter_number, worked.value):
        words += f"; {name} makes it **{number(float(value))}**"
    st.markdown(f"{words}.{_own_value(opened, filter_number, way, place)}")
    with st.expander(f"All {count(worked.products.size)} products as a table",
                     icon=":material/table:", key="inside_products", on_change="rerun") as table:
        if table.open:
            _show_products(opened, worked.patch, worked.kernel, worked.products)


def _own_value(opened: Opened, filter_number: int, way: Way, place: Pair) -> str:
    if way != opened.way:
        return " With this stride or padding the network itself would have another output."
    found: Array | None = opened.found.output
    if opened.following:
        found = opened.found.output_of(opened.following[-1].name)
    if found is None:
        return ""
    return f" The network's own value there: **{number(float(found[(*place, filter_number)]))}**."


def _show_products(opened: Opened, *parts: NDArray[np.float64]) -> None:
    rows, columns, channels = np.indices(parts[0].shape).reshape(3, -1)
    patch, kernel, products = (part.ravel() for part in parts)
    table = {"row": rows, "column": columns, "channel": channels, "value": patch,
             "weight": kernel, "product": products}
    order = np.argsort(-np.abs(products), kind="stable")
    value = st.column_config.NumberColumn(format="%.5f")
    st.dataframe({key: column[order] for key, column in table.items()}, hide_index=True,
                 alt="All products of this value, the largest first", height=260,
                 column_config={"value": value, "weight": value, "product": value})
    st.download_button(
        "Table as CSV", lambda: csv_bytes([
            {key: column[place].item() for key, column in table.items()} for place in order]),
        "products.csv", "text/csv", icon=":material/table:", on_click="ignore",
        key="inside_products_csv")


def _show_filters(opened: Opened, filter_number: int, channel: int) -> None:
    name = plain(short(opened.layer.name))
    filters = opened.kernel.shape[3]
    shown = min(filters, MOST_FILTERS)
    first, second = st.columns(2, gap="medium")
    with first:
        st.image(filters_png(opened.kernel[:, :, channel, :shown]), output_format="PNG",
                 alt=f"Weights of {shown} filters of {name} for channel {channel} of the input")
        st.caption(f"The weights of {'all' if shown == filters else 'the first'} "
                   f"{amount(shown, 'filter')} for channel {channel} of the input, from filter 0 "
                   "on. Blue adds, orange takes off.")
    with second:
        channels = min(opened.kernel.shape[2], MOST_FILTERS)
        st.image(filters_png(opened.kernel[:, :, :channels, filter_number]), output_format="PNG",
                 alt=f"Weights of filter {filter_number} of {name}, channel by channel")
        st.caption(f"Filter {filter_number} for "
                   f"{'each' if channels == opened.kernel.shape[2] else f'the first {channels}'} "
                   "of the channels of the input.")
