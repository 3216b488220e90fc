"""Evaluate: how good a saved model is, what it mixes up, which images it got wrong.

Opens from what is stored in the model's folder, without the data set.
"""

from __future__ import annotations

import streamlit as st

from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.errors import errors_shown
from pages.shared.export_view import show_export
from pages.shared.layout import PREDICT
from pages.shared.mistakes import show_mistakes
from pages.shared.model_details import show_details
from pages.shared.model_picker import choose_model, origin_text
from pages.shared.results_view import (
    show_confidence,
    show_confusion,
    show_history,
    show_metrics,
    show_report,
)

VIEWS = ["History", "Confusion matrix", "Report", "Confidence", "Mistakes", "Details"]
FROM_THE_TEST = {"Confusion matrix": show_confusion, "Report": show_report,
                 "Confidence": show_confidence, "Mistakes": show_mistakes}


def draw_view(card: Card) -> None:
    """Draw the part that is chosen, and only that.

    Raises:
        NotFound: If the model was never evaluated.
        Damaged: If its stored results cannot be read.
    """
    view = st.segmented_control("Show", VIEWS, default=VIEWS[0], required=True, key="view",
                                bind="query-params", label_visibility="collapsed")
    st.header(view, anchor=False)
    if view == "History":
        show_history(card)
    elif view == "Details":
        show_details(card)
    else:
        found = cached.evaluation(card.name, cached.model_stamp(card.name))
        FROM_THE_TEST[view](card, found)


def main() -> None:
    """Draw the page."""
    with errors_shown():
        card = choose_model()
        if card is not None:
            st.caption(origin_text(card))
            st.page_link(PREDICT, label="Use it on a picture", icon=":material/image_search:",
                         query_params={"model": card.name})
            show_metrics(card)
            draw_view(card)
            show_export(card)


main()
