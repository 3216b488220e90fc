"""What a person takes along: the report, the model card, and the model in other formats.

An export is made by a process that the server starts; this only begins, shows and ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cnn.errors import CnnError
from cnn.exports.asking import (
    Export,
    cancel_export,
    known_export,
    look_export,
    start_export,
)
from cnn.exports.formats import FORMATS, Format, check_possible
from cnn.exports.usage import usage_text
from cnn.prediction.saved import Card
from cnn.reports.html_report import html_report
from cnn.reports.model_card import model_card
from pages.shared.errors import errors_shown, show_error
from pages.shared.formats import count, plain
from pages.shared.job_view import SECONDS_BETWEEN_LOOKS, draw_job

_DOWNLOAD = {"on_click": "ignore"}  # a download changes nothing on the page


def offer_report(names: Sequence[str], key: str) -> None:
    """Offer a report of these models or runs as one HTML file, made when somebody clicks.

    Args:
        names: Of models, or ids of runs, of one data set.
        key: Of the button.
    """
    st.download_button(
        "Report", lambda: html_report(names).encode(), f"{'-and-'.join(names)[:120]}.html",
        "text/html", icon=":material/article:", key=key, **_DOWNLOAD,
        help="Curves, test results, settings and the command, as one HTML file that opens and "
             "prints anywhere.")


def show_export(card: Card) -> None:
    """Show the section in which a saved model is taken along."""
    st.header("Report and export", anchor=False)
    with st.container(horizontal=True):
        offer_report([card.name], "evaluate_report")
        st.download_button(
            "Model card", lambda: model_card(card.name).encode(), f"{card.name}-card.md",
            "text/markdown", icon=":material/badge:", key="evaluate_card", **_DOWNLOAD,
            help="What the model is for, how good it is and where its limits are, in Markdown: "
                 "what belongs beside a model that is given away.")
    # Drawn when it is opened, or has something to show: else each visit would pay for it.
    place = st.expander("Use it in other programs", icon=":material/output:", on_change="rerun",
                        key="evaluate_export", expanded=_begun(card))
    if place.open:
        with place:
            _draw_formats(card)


def _begun(card: Card) -> bool:
    return any(look_export(card.name, form) for form in FORMATS)


def _draw_formats(card: Card) -> None:
    st.caption("A zip with the network, its labels, what is done to a picture first, and a short "
               "program that classifies a picture file. Each is compared with the model here "
               "before it is offered.")
    with st.grid(2, min_column_width=300):
        for form in FORMATS.values():
            with st.container(border=True, height="stretch"):
                _draw_format(card, form)


def _draw_format(card: Card, form: Format) -> None:
    st.markdown(f"**{plain(form.title)}**: for {plain(form.purpose)}.")
    state = look_export(card.name, form.name)
    if state and state.lives:
        _watch(card.name, form.name)
        return
    with errors_shown():
        known = known_export(card.name, form.name)
        if known:
            _offer(card, form, known)
            return
        if state and state.error:
            show_error(state.error)
        _draw_start(card, form)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _watch(name: str, format_name: str) -> None:
    """Show an export that is under way; when it ends, draw the whole page anew."""
    state = look_export(name, format_name)
    if state and state.lives:
        draw_job(state, partial(cancel_export, name, format_name), f"export_cancel_{format_name}")
    else:
        st.rerun()


def _draw_start(card: Card, form: Format) -> None:
    try:
        check_possible(form, card)
    except CnnError as error:
        st.caption(plain(str(error)))
        return
    if st.button(f"Export as {form.title}", icon=":material/output:", key=f"export_{form.name}",
                 help="Takes about half a minute, most of it to start TensorFlow."):
        start_export(card.name, form.name)
        st.rerun()


def _offer(card: Card, form: Format, export: Export) -> None:
    compared = export.record["compared"]
    st.caption(plain(
        f"Compared on {count(compared['count'])} inputs: the same answer on all, and no "
        f"probability differs by more than {100 * compared['largest']:.2g} percentage points."))
    st.download_button(
        f"Download {form.title} ({export.record['bytes'] / 2**20:.1f} MB)", export.path.read_bytes,
        f"{card.name}-{form.name}.zip", "application/zip", icon=":material/download:",
        key=f"export_download_{form.name}", **_DOWNLOAD)
    with st.expander("The program that goes with it", icon=":material/code:"):
        st.code(usage_text(card, form), language="python")
