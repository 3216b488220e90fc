"""Layers other than convolutions worked out: pooling, flattening, dense, softmax, norm, activation.

Everything is computed from what really went into the layer and from its real weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from cnn.models.convolving import Way, activated, normalised, pool, softmax
from cnn.prediction.opened import Array, Layer, OpenLayer
from pages.shared.charts import NEUTRAL, TRAINING, VALIDATION
from pages.shared.formats import amount, confidence, count, plain
from pages.shared.inside_conv import norm_numbers
from pages.shared.inside_pictures import map_png, row_png
from pages.shared.inside_place import choose_number, choose_place
from pages.shared.inside_words import number

MAP_SIDE = 190  # pixels
MOST_ROWS = 100  # of a table of products
CHART_HEIGHT = 240


def show_step(layer: Layer, found: OpenLayer, class_names: Sequence[str]) -> None:
    """Show how a layer comes to its values, if it is of a kind that is explained.

    Args:
        layer: The layer.
        found: What it did with a picture.
        class_names: Of the model, for its last layers.
    """
    inputs = found.inputs()
    draw = _KINDS.get(layer.kind)
    if draw is None or len(inputs) != 1 or inputs[0] is None:
        return
    names = class_names if found.output.shape == (len(class_names),) else ()
    draw(layer, found, inputs[0], names)


def _show_pool(layer: Layer, found: OpenLayer, values: Array, names: Sequence[str]) -> None:
    settings = layer.settings
    way = Way((settings["window"][0], settings["window"][1]),
              (settings["stride"][0], settings["stride"][1]), settings["padding"])
    st.subheader("Maximum against mean", anchor=False)
    with st.grid(4, min_column_width=150):
        channel = choose_number("Channel", "inside_filter", values.shape[2])
        place = choose_place((found.output.shape[0], found.output.shape[1]))
    one = values[..., channel:channel + 1]
    most, mean = (pool(one, way, kind)[..., 0] for kind in ("max", "average"))
    window = way.windows(one, fill=np.nan)[place][..., 0]
    with st.container(horizontal=True, vertical_alignment="top"):
        for name, picture in (("Before", values[..., channel]), ("Maximum", most), ("Mean", mean)):
            st.image(map_png(picture, MAP_SIDE), output_format="PNG", width=MAP_SIDE,
                     caption=name, alt=f"{name}: channel {channel}")
    cells = "; ".join(", ".join("padding" if np.isnan(value) else number(float(value))
                                for value in row) for row in window)
    kind = "maximum" if layer.kind == "max-pool" else "mean"
    own = found.output[(*place, channel)]
    st.markdown(f"Row {place[0]}, column {place[1]}: the window holds {cells}. Its maximum is "
                f"**{number(float(most[place]))}**, its mean **{number(float(mean[place]))}**. "
                f"This network takes the {kind}: {number(float(own))}.")
    st.caption("The maximum asks whether something is anywhere in the window; the mean asks how "
               "much of it there is on the whole, so that a single strong value fades.")


def _show_global(layer: Layer, found: OpenLayer, values: Array, names: Sequence[str]) -> None:
    st.subheader("Maximum against mean", anchor=False)
    kind = "maximum" if layer.kind == "global-max" else "mean"
    st.caption(f"Of each channel, over all {values.shape[0]} × {values.shape[1]} places. This "
               f"network takes the {kind}.")
    number_format = st.column_config.NumberColumn(format="%.5f")
    st.dataframe(
        {"channel": np.arange(values.shape[2]), "maximum": values.max((0, 1)),
         "mean": values.mean((0, 1), dtype=np.float64), "this layer gives": found.output},
        hide_index=True, alt="Maximum and mean of each channel", height=300,
        column_config=dict.fromkeys(("maximum", "mean", "this layer gives"), number_format))


def _show_flatten(layer: Layer, found: OpenLayer, values: Array, names: Sequence[str]) -> None:
    if values.ndim != 3:
        return
    height, width, channels = values.shape
    st.subheader("Where each value goes", anchor=False)
    with st.grid(4, min_column_width=150):
        row, column = choose_place((height, width))
        channel = choose_number("Channel", "inside_filter", channels)
    index = (row * width + column) * channels + channel
    st.latex(r"\text{place} = (\text{row} \cdot \text{width} + \text{column}) \cdot "
             rf"\text{{channels}} + \text{{channel}} = ({row} \cdot {width} + {column}) \cdot "
             rf"{channels} + {channel} = {index}")
    st.markdown(f"In the map stands {number(float(values[row, column, channel]))}, at place "
                f"{count(index)} of the row **{number(float(found.output[index]))}**.")
    st.image(row_png(found.output), output_format="PNG",
             alt=f"The row of {found.output.size} values")
    st.caption(f"All {count(found.output.size)} values in their order, dark to yellow.")


def _show_dense(layer: Layer, found: OpenLayer, values: Array, names: Sequence[str]) -> None:
    kernel, bias = found.weight("kernel"), found.weight("bias")
    if kernel is None or values.ndim != 1:
        return
    st.subheader("Worked out, one unit at a time", anchor=False)
    unit = _choose_unit(kernel.shape[1], found, names)
    products = values.astype(np.float64) * kernel[:, unit]
    offset = 0.0 if bias is None else float(bias[unit])
    total = float(products.sum())
    activation = layer.settings["activation"]
    words = (f"{amount(products.size, 'product')} add up to {number(total)}; with the bias "
             f"{number(offset)} that is **{number(total + offset)}**")
    if activation == "softmax":
        st.markdown(f"{words}: a logit, not yet a probability.")
        _show_softmax(layer, found, values @ kernel + (0 if bias is None else bias), names)
    else:
        st.markdown(f"{words}{_bent(activation, total + offset)}. The network's own value: "
                    f"**{number(float(found.output[unit]))}**.")
    order = np.argsort(-np.abs(products), kind="stable")[:MOST_ROWS]
    form = st.column_config.NumberColumn(format="%.5f")
    st.dataframe({"input": order, "value": values[order], "weight": kernel[order, unit],
                  "product": products[order]}, hide_index=True, height=260,
                 alt="The products that count most", column_config=dict.fromkeys(
                     ("value", "weight", "product"), form))
    if products.size > MOST_ROWS:
        st.caption(f"The {MOST_ROWS} that count most, of {count(products.size)}.")


def _choose_unit(units: int, found: OpenLayer, names: Sequence[str]) -> int:
    if not names:
        return choose_number("Unit", "inside_unit", units, int(found.output.argmax()))
    return int(st.selectbox("Class", range(units), index=int(found.output.argmax()),
                            format_func=lambda place: names[place], key="inside_class"))


def _bent(activation: str, value: float) -> str:
    if activation == "linear":
        return ""
    try:
        return f"; {activation} makes it **{number(float(activated(value, activation)))}**"
    except KeyError:  # one that is not worked out here
        return f"; then comes {activation}"


def _show_softmax(layer: Layer, found: OpenLayer, logits: Array, names: Sequence[str]) -> None:
    if logits.ndim != 1:
        return
    st.subheader("From logits to probabilities", anchor=False)
    shifted = logits.astype(np.float64) - float(logits.max())
    powers = np.exp(shifted)
    best = int(logits.argmax())
    shares = softmax(logits)
    st.latex(r"p_i = \frac{e^{z_i - \max z}}{\sum_j e^{z_j - \max z}} \qquad "
             rf"\frac{{{powers[best]:.4g}}}{{{powers.sum():.4g}}} = {shares[best]:.4g}")
    order = np.argsort(-logits, kind="stable")
    labels = [names[place] if names else str(place) for place in order]
    st.dataframe(
        {"class": labels, "logit z": logits[order], "z − largest": shifted[order],
         "power of e": powers[order], "probability": 100 * shares[order],
         "the network's own": 100 * found.output[order]},
        hide_index=True, height="content" if len(labels) <= 12 else 420,
        alt="Softmax worked out for each class", column_config={
            **dict.fromkeys(("logit z", "z − largest"),
                            st.column_config.NumberColumn(format="%.3f")),
            "power of e": st.column_config.NumberColumn(format="%.3g"),
            "probability": st.column_config.ProgressColumn(
                format="%.2f %%", min_value=0, max_value=100),
            "the network's own": st.column_config.NumberColumn(format="%.2f %%")})
    if names:
        st.markdown(f"Most likely: **{plain(names[best])}**, {confidence(float(shares[best]))}. "
                    "The largest logit is taken off first, so that no power of e grows too large; "
                    "that changes no probability.")


def _choose_value(values: Array) -> tuple[int, tuple[int, ...]]:
    """Show the choice of one value; return its channel, and its row and column if it has them."""
    with st.grid(4, min_column_width=150):
        channel = choose_number("Channel", "inside_filter", values.shape[-1])
        place = choose_place((values.shape[0], values.shape[1])) if values.ndim == 3 else ()
    return channel, place


def _show_norm(layer: Layer, found: OpenLayer, values: Array, names: Sequence[str]) -> None:
    st.subheader("Worked out, one value at a time", anchor=False)
    channel, place = _choose_value(values)
    before = float(values[(*place, channel)])
    numbers = norm_numbers(found, layer.name, channel)
    after = float(normalised(before, epsilon=layer.settings["epsilon"], **numbers))
    st.latex(r"\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \cdot \gamma + \beta = "
             rf"\frac{{{before:.4g} - ({numbers['mean']:.4g})}}"
             rf"{{\sqrt{{{numbers['variance']:.4g} + {layer.settings['epsilon']:.4g}}}}} \cdot "
             rf"{numbers['scale']:.4g} + ({numbers['offset']:.4g}) = {after:.4g}")
    st.markdown(f"The network's own value: **{number(float(found.output[(*place, channel)]))}**. "
                "Mean μ and variance σ² are those of the training images; γ and β were learned.")


def _show_activation(layer: Layer, found: OpenLayer, values: Array, names: Sequence[str]) -> None:
    st.subheader("The function, and one value", anchor=False)
    channel, place = _choose_value(values)
    before = float(values[(*place, channel)])
    after = float(activated(before, layer.settings["activation"]))
    off = float((found.output <= 0).mean())
    st.markdown(f"{number(before)} becomes **{number(after)}**; the network's own value: "
                f"**{number(float(found.output[(*place, channel)]))}**. Of all "
                f"{count(values.size)} values, {100 * off:.0f} % are zero or below afterwards.")
    reach = max(4.0, abs(before) * 1.1)
    points = np.linspace(-reach, reach, 81)
    curve = activated(points, layer.settings["activation"])
    st.echarts_chart({
        "animation": False,
        "grid": {"left": 8, "right": 16, "top": 12, "bottom": 8, "containLabel": True},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3f"},
        "xAxis": {"type": "value", "axisLine": {"lineStyle": {"color": NEUTRAL}}},
        "yAxis": {"type": "value"},
        "series": [{"type": "line", "name": "after", "symbol": "none",
                    "itemStyle": {"color": TRAINING},
                    "data": [[round(float(x), 3), round(float(y), 4)]
                             for x, y in zip(points, curve, strict=True)]},
                   {"type": "scatter", "name": "this value", "symbolSize": 12,
                    "itemStyle": {"color": VALIDATION},
                    "data": [[round(before, 4), round(after, 4)]]}]},
        height=CHART_HEIGHT, key="inside_activation",
        alt=f"The function {layer.label}, with the value {before:.3g} marked on it")


_KINDS: dict[str, Callable[[Layer, OpenLayer, Array, Sequence[str]], None]] = {
    "max-pool": _show_pool, "average-pool": _show_pool, "global-max": _show_global,
    "global-average": _show_global, "flatten": _show_flatten, "dense": _show_dense,
    "softmax": _show_softmax, "norm": _show_norm, "activation": _show_activation,
}
