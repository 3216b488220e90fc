"""The pictures pinned to a run: what the network makes of each now, and how that came about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from cnn.data.images import decode_image, thumbnail
from cnn.errors import CnnError
from cnn.runs.pins import MOST_PINS, read_pins
from pages.shared.charts import shares_option
from pages.shared.formats import confidence, plain
from pages.shared.pictures import enlarged
from pages.shared.run_log import RunView

TOP = 3  # classes shown
PICTURE = 96  # pixels
CHART_HEIGHT = 120
NARROWEST = 136  # pixels, of a card: two beside each other on a phone
LONGEST_NAME = 15  # characters: a card is narrow
MOST_POINTS = 60  # of a line: a chart this small shows no more


def draw_pins(run: Path, view: RunView, end: int, active: bool) -> None:
    """Draw a card for each pinned picture, if there are any.

    Args:
        run: The run's folder.
        view: What the run has told.
        end: Where the axis of epochs ends; 0 for the last epoch.
        active: Whether the run may still tell more.
    """
    try:
        pictures = _pictures(run)
    except CnnError as error:
        st.caption(f":material/broken_image: {plain(str(error))}")
        return
    if not pictures:
        return
    st.subheader("Your pictures", anchor=False,
                 help="Classified after every epoch by the network as it was then. The saved "
                      "model's confidences are calibrated in the end, so they may differ.")
    with st.grid(MOST_PINS, min_column_width=NARROWEST, gap="medium"):
        for number, (name, image) in enumerate(pictures):
            with st.container(gap="xsmall"):
                _draw_pin(number, name, image, view, end, active)


def _draw_pin(
    number: int, name: str, image: bytes, view: RunView, end: int, active: bool
) -> None:
    with st.container(height=PICTURE + 16, border=False, vertical_alignment="bottom"):
        st.image(image, output_format="PNG", alt=name)
    st.markdown(f"**{plain(short(name))}**")
    told = [(record["epoch"], record["tops"][number]) for record in view.pins
            if number < len(record["tops"])]
    if not told:
        st.caption("First answer after the first epoch." if active else "Never classified.")
        return
    now = sorted(told[-1][1].items(), key=lambda share: -share[1])[:TOP]
    for label, share in now:
        st.progress(min(share, 1.0), text=f"{plain(label)} · {confidence(share)}")
    st.echarts_chart(shares_option(_courses(told, [label for label, _ in now]), end),
                     height=CHART_HEIGHT, key=f"run_pin_{number}", alt=_alt(name, told))


def short(name: str) -> str:
    """Return a name of a picture that fits below it."""
    return name if len(name) <= LONGEST_NAME else f"{name[:7]}…{name[-7:]}"


def _courses(
    told: Sequence[tuple[int, dict[str, float]]], labels: Sequence[str]
) -> dict[str, list[tuple[float, float]]]:
    """Return the probability of each class by epoch, thinned; the last epoch always stays."""
    every = -(-len(told) // MOST_POINTS)
    kept = told[(len(told) - 1) % every::every]
    return {label: [(epoch, top[label]) for epoch, top in kept if label in top]
            for label in labels}


def _alt(name: str, told: Sequence[tuple[int, dict[str, float]]]) -> str:
    (first, before), (last, now) = told[0], told[-1]
    return (f"{name}: {_best(before)} after epoch {first}, {_best(now)} after epoch {last}.")


def _best(top: dict[str, float]) -> str:
    label = max(top, key=lambda name: top[name], default="nothing")
    return f"{label} {confidence(top.get(label, 0.0))}"


def _pictures(run: Path) -> list[tuple[str, bytes]]:
    """Return names and small pictures as PNG; they never change once a run has begun."""
    try:
        stamp = (run / "pins" / "names.json").stat().st_mtime_ns
    except OSError:
        return []
    return _read(str(run), stamp)


@st.cache_data(max_entries=32, show_spinner=False)
def _read(run: str, stamp: int) -> list[tuple[str, bytes]]:
    return [(pin.name, small(pin.data)) for pin in read_pins(Path(run))]


def small(data: bytes) -> bytes:
    """Return a picture as a small PNG, of an image file that `decode_image` reads.

    Raises:
        BadInput: If it cannot be read.
    """
    return enlarged(thumbnail(decode_image(data), PICTURE), PICTURE)

