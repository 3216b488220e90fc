"""Compare: trainings side by side; which is better, by how much, and whether that is chance.

The address says what is compared, so a link shows the same comparison again.
"""

from __future__ import annotations

import streamlit as st

from cnn.reports.subject import MOST as MOST_IN_REPORT
from cnn.runs.contenders import Contender
from pages.shared import cached
from pages.shared.compare_charts import MOST
from pages.shared.compare_view import (
    show_cost,
    show_curves,
    show_figures,
    show_repeats,
    show_settings,
)
from pages.shared.duel_view import show_duel
from pages.shared.errors import errors_shown
from pages.shared.export_view import offer_report
from pages.shared.formats import amount, plain
from pages.shared.layout import TRAIN
from pages.shared.unmeasured import how_to_measure

KEY, DATA = "with", "data"  # in the address too


def choose_dataset(found: list[Contender]) -> str:
    """Return the data set whose trainings are compared: others answer another question."""
    names = sorted({one.dataset for one in found},
                   key=lambda name: -sum(one.dataset == name for one in found))
    asked = asked_in_address(found)
    if asked and DATA not in st.session_state and DATA not in st.query_params:
        # The one that comes first may be another than when the link was made.
        st.session_state[DATA] = asked[0].dataset
    return names[0] if len(names) == 1 else st.selectbox(
        "Data set", names, key=DATA, bind="query-params")


def asked_in_address(found: list[Contender]) -> list[Contender]:
    """Return what the address asks to be compared, of what there is."""
    known = {one.name: one for one in found}
    return [known[name] for name in st.query_params.get_all(KEY) if name in known]


def say_left_out(found: list[Contender], dataset: str) -> None:
    """Say why something that the address asks for is not compared."""
    gone = set(st.query_params.get_all(KEY)) - {one.name for one in found}
    others = [one for one in asked_in_address(found) if one.dataset != dataset]
    for name in sorted(gone):
        st.warning(f"There is no model or run {plain(repr(name[:80]))}.",
                   icon=":material/search_off:")
    for one in others:
        st.warning(f"{plain(one.name)} is left out: it was trained on {plain(one.dataset)}. Only "
                   "what answered the same test images can be compared.",
                   icon=":material/difference:")


def choose(found: list[Contender]) -> list[Contender]:
    """Return the chosen ones, in the order in which they were chosen."""
    place = st.container()
    if st.button("The best three", icon=":material/trophy:", key="compare_best",
                 help="Of those that were tested."):
        st.session_state[KEY] = best_names(found)
    names = place.multiselect(
        "Compare", [one.name for one in found], key=KEY, bind="query-params", max_selections=MOST,
        placeholder="Choose two or more models or runs")
    known = {one.name: one for one in found}
    return [known[name] for name in names]


def best_names(found: list[Contender]) -> list[str]:
    """Return the names of the three with the highest test accuracy."""
    tested = [one for one in found if one.test_accuracy is not None]
    best = sorted(tested, key=lambda one: -(one.test_accuracy or 0))[:3]
    return [one.name for one in best]


def draw_chosen(chosen: list[Contender]) -> None:
    """Draw the chosen trainings side by side."""
    if len(chosen) <= MOST_IN_REPORT:
        offer_report([one.name for one in chosen], "compare_report")
    else:
        st.caption(f"A report holds {MOST_IN_REPORT} trainings at most.")
    st.header("What they reached")
    show_figures(chosen)
    st.header("How they got there")
    show_curves(chosen)
    st.header("What differs in their settings")
    show_settings(chosen)
    tested = [one for one in chosen if one.is_model]
    if len(tested) > 1:
        st.header("On the same test images")
        with errors_shown():
            show_duel(tested)


def without_those_not_measured(found: list[Contender]) -> list[Contender]:
    """Return what can be compared, naming the models from elsewhere that cannot be yet."""
    unknown = [one.name for one in found if not one.dataset]
    if unknown:
        st.caption(f"Not here, because there are no test answers of theirs: "
                   f"{plain(', '.join(unknown))}. {how_to_measure(unknown[0])}")
    return [one for one in found if one.dataset]


def main() -> None:
    """Draw the page."""
    found = without_those_not_measured(cached.contenders())
    if not found:
        st.markdown("There is nothing to compare yet: neither a saved model nor a run.")
        st.page_link(TRAIN, label="Train a network", icon=":material/model_training:")
        return
    name = choose_dataset(found)
    say_left_out(found, name)
    found = [one for one in found if one.dataset == name]
    chosen = choose(found)
    if len(chosen) > 1:
        draw_chosen(chosen)
    else:
        st.caption(f"{amount(len(found), 'training')} of this data set can be compared. Choose two "
                   "or more.")
    tested = [one for one in found if one.test_accuracy is not None]
    if tested:
        st.header("What accuracy costs")
        with errors_shown():
            show_cost(tested)
        st.header("How much is luck")
        show_repeats(found)


main()
