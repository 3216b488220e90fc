"""How well each class is told from the rest at every threshold: curves, and their areas."""

from __future__ import annotations

import statistics

import streamlit as st

from cnn.evaluation.curves import Ranking
from cnn.evaluation.results import Evaluation
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.confusion import column_names
from pages.shared.curve_charts import CHART_HEIGHT, MOST, precision_option, roc_option
from pages.shared.formats import NOTHING, percent
from pages.shared.results_view import offer_table

FIRST = 3  # classes that are shown until others are chosen
_MEANING = (
    "Each class against all others: an image is called its class when the class's probability is "
    "at least a threshold, which falls along the curve. **Average precision** is the area under "
    "the left curve and suffers when a rare class drowns in false alarms. **AUC**, the area under "
    "the right one, is how often an image of the class gets more than an image of another; half "
    "would be a guess.")


def show_curves(card: Card, found: Evaluation) -> None:
    """Show both curves of some classes, and the areas of all."""
    names = column_names(found.class_names)
    every = dict(zip(names, cached.rankings(card.name, cached.model_stamp(card.name)),
                     strict=True))
    known = {name: one for name, one in every.items() if one is not None}
    if not known:
        st.info("There are test images of one class only: there is nothing to tell it from.",
                icon=":material/info:")
        return
    worst = sorted(known, key=lambda name: known[name].average_precision)
    chosen = st.multiselect(
        "Classes", list(known), default=worst[:FIRST], max_selections=MOST, key="classes",
        bind="query-params", help="First those with the lowest average precision.",
        placeholder="Choose classes")
    _show_charts({name: known[name] for name in chosen})
    st.markdown(
        f"Mean of all classes: average precision "
        f"**{percent(statistics.fmean(one.average_precision for one in known.values()))}**, "
        f"AUC **{percent(statistics.fmean(one.area for one in known.values()), 2)}**.")
    rows = [{"class": name, "average precision": None if one is None else one.average_precision,
             "AUC": None if one is None else one.area, "test images": int(images)}
            for (name, one), images in zip(
                every.items(), found.confusion.sum(axis=1), strict=True)]
    share = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(rows, hide_index=True, alt="Average precision and AUC of each class",
                 placeholder=NOTHING, column_config={
                     "average precision": share, "AUC": share,
                     "test images": st.column_config.NumberColumn(format="localized")})
    st.caption(_MEANING)
    offer_table(card, "curves", rows)


def _show_charts(chosen: dict[str, Ranking]) -> None:
    if not chosen:
        st.caption("Choose at least one class.")
        return
    words = "; ".join(f"{name}: average precision {percent(one.average_precision)}, AUC "
                      f"{percent(one.area, 2)}" for name, one in chosen.items())
    left, right = st.columns(2)
    with left:
        st.subheader("Precision and recall", anchor=False)
        st.echarts_chart(precision_option(chosen), key="evaluate_precision", height=CHART_HEIGHT,
                         alt=f"Precision by recall. {words}")
    with right:
        st.subheader("ROC", anchor=False)
        st.echarts_chart(roc_option(chosen), key="evaluate_roc", height=CHART_HEIGHT,
                         alt=f"ROC curves. {words}")
