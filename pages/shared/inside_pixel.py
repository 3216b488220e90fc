"""A convolution under the cursor: a small script in the page that needs no server to follow it.

Both maps, the kernel and what each channel adds come ready from here; the script multiplies what
lies below the cursor, so that a person sees each product. Knows nothing of networks.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn.models.convolving import Pair, Way
from pages.shared.inside_pictures import map_url
from pages.shared.scripted import scripted

KEY = "inside_pixel"
_component = scripted("inside_pixel")
Map = NDArray[np.float64] | NDArray[np.float32]  # (h, w)


@dataclass(frozen=True)
class Pixels:
    """What the script shows. Maps of the output are all of one size."""

    values: Map  # one channel of the input, (H, W)
    kernel: Map  # of one filter for this channel
    share: Map  # what this channel adds to each value of the output
    before: Map  # sum over all channels, and the bias
    bias: float
    steps: Sequence[tuple[str, Map]]  # what follows: its name, and what it makes of each value
    way: Way
    channels: int  # of the input

    def data(self, place: Pair) -> dict[str, Any]:
        """Return all of it for the script."""
        size = (self.values.shape[0], self.values.shape[1])
        top, left = self.way.corner((0, 0), size)
        last = self.steps[-1][1] if self.steps else self.before
        return {
            "input": {"size": size, "picture": map_url(self.values),
                      "values": _packed(self.values)},
            "output": {"size": last.shape, "picture": map_url(last)},
            "kernel": self.kernel.round(6).tolist(), "share": _packed(self.share),
            "before": _packed(self.before), "bias": self.bias,
            "steps": [{"name": name, "values": _packed(values)} for name, values in self.steps],
            "stride": self.way.stride, "dilation": self.way.dilation, "corner": (top, left),
            "others": self.channels - 1, "place": place,
        }


def _packed(values: Map) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def show_pixels(pixels: Pixels, place: Pair, on_place: Callable[[Pair], None]) -> None:
    """Show the maps and work out what is under the cursor; a click or the arrow keys keep a place.

    Args:
        pixels: What to show.
        place: Row and column that is shown while the cursor is elsewhere.
        on_place: Called with row and column when a person keeps another place.
    """
    def kept() -> None:
        found = st.session_state[KEY].get("place")
        if found:
            row, column = found
            on_place((int(row), int(column)))

    _component(key=KEY, data=pixels.data(place), on_place_change=kept)
