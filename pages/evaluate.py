"""Evaluate: how good a saved model is, what it mixes up, where it is weak, and why.

Opens from what is stored in the model's folder, without the data set; pictures appear where the
data set is on this computer. Model, part, cell and image are in the address.
"""

from __future__ import annotations

import streamlit as st

from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.curves_view import show_curves
from pages.shared.errors import errors_shown
from pages.shared.evaluate_choice import fit_to
from pages.shared.export_view import show_export
from pages.shared.layout import PREDICT
from pages.shared.matrix_view import show_confusion
from pages.shared.model_bin import BIN, offer_delete
from pages.shared.model_details import show_details
from pages.shared.model_picker import choose_model, origin_text
from pages.shared.past_link import link_to_past_of
from pages.shared.report_view import show_report
from pages.shared.results_view import show_confidence, show_history, show_metrics
from pages.shared.second_look import show_images
from pages.shared.slices_view import show_slices
from pages.shared.unmeasured import show_unmeasured

FROM_THE_TEST = {"Confusion matrix": show_confusion, "Report": show_report, "Curves": show_curves,
                 "Confidence": show_confidence, "Images": show_images, "Slices": show_slices}
FROM_THE_RUN = {"History": show_history, "Details": show_details}
VIEWS = [*FROM_THE_TEST, *FROM_THE_RUN]


def draw_view(card: Card) -> None:
    """Draw the part that is chosen, and only that.

    Raises:
        NotFound: If the model was never evaluated.
        Damaged: If its stored results cannot be read.
    """
    view = st.segmented_control("Show", VIEWS, default=VIEWS[0], required=True, key="view",
                                bind="query-params", label_visibility="collapsed")
    st.header(view, anchor=False)
    if view in FROM_THE_RUN:
        FROM_THE_RUN[view](card)
    else:
        found = cached.evaluation(card.name, cached.model_stamp(card.name))
        FROM_THE_TEST[view](card, found)


def main() -> None:
    """Draw the page."""
    BIN.show_messages()
    with errors_shown():
        card = choose_model()
        if card is not None:
            fit_to(card.class_names, card.dataset_fingerprint)
            st.caption(origin_text(card))
            with st.container(horizontal=True, vertical_alignment="center"):
                st.page_link(PREDICT, label="Use it on a picture", icon=":material/image_search:",
                             query_params={"model": card.name})
                link_to_past_of(card)
                offer_delete(card.name)
            if card.test_accuracy is None:
                show_unmeasured(card)
            else:
                show_metrics(card)
                draw_view(card)
            if not card.uploaded:
                show_export(card)


main()
