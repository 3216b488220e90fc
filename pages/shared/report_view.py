"""The classification report on the Evaluate page: each class with what chance leaves open."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn.evaluation.class_scores import ClassScores, Score, class_scores
from cnn.evaluation.results import Evaluation
from cnn.prediction.saved import Card
from pages.shared.charts import bars_height
from pages.shared.formats import NOTHING, amount, percent
from pages.shared.interval_chart import MOST_LINES, interval_text, intervals_option
from pages.shared.results_view import offer_table

SCORES = {"Recall": "recall", "Precision": "precision", "F1": "f1"}
_MEANING = {
    "Recall": "Of the images of a class, how many got its answer.",
    "Precision": "Of the images that got an answer, how many are of that class.",
    "F1": "Precision and recall in one, their harmonic mean."}
LONGEST_NAME = 20  # letters of a class that the table has room for, beside its scores
_INTERVALS = (
    "The intervals are of 95 %: another set of as many test images would probably give a figure in "
    "them. For precision and recall they are Wilson's (1927); for F1 they are Wilson's too, by way "
    "of the share that F1 grows with ([Wilson indirect](https://arxiv.org/abs/2309.14621)). Two "
    "classes whose intervals overlap may be equally good.")


def show_report(card: Card, found: Evaluation) -> None:
    """Show precision, recall and F1 of each class, with their intervals."""
    scores = class_scores(found.class_names, found.confusion)
    name = st.segmented_control("Score", list(SCORES), default="Recall", required=True,
                                key="score", bind="query-params")
    st.caption(_MEANING[name])
    _show_chart(scores, name)
    rows = [_row(one) for one in scores] + [_mean(row) for row in found.report[-2:]]
    share = st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100)
    st.dataframe(
        rows, hide_index=True, height="content" if len(rows) <= MOST_LINES else 480,
        alt="Classification report", placeholder=NOTHING, column_config={
            "precision": share, "recall": share, "F1": share,
            "class": st.column_config.TextColumn(pinned=True, width=_name_width(rows)),
            "test images": st.column_config.NumberColumn(format="localized")})
    st.caption(_INTERVALS)
    offer_table(card, "report", [_plain_row(one) for one in scores])


def _show_chart(scores: tuple[ClassScores, ...], name: str) -> None:
    """Show a score of each class, the lowest first; of many classes the lowest only."""
    known = [(one.name, score) for one in scores
             if (score := getattr(one, SCORES[name])) is not None]
    if not known:
        return
    lowest = sorted(known, key=lambda one: one[1].value)[:MOST_LINES]
    words = "; ".join(f"{of} {percent(score.value)}, {interval_text(score)}"
                      for of, score in lowest[:5])
    st.echarts_chart(
        intervals_option([of for of, _ in lowest], [score for _, score in lowest], name),
        key="evaluate_scores", height=bars_height(len(lowest), 26),
        alt=f"{name} by class, the lowest first: {words}")
    if len(lowest) < len(known):
        st.caption(f"The {len(lowest)} lowest of {amount(len(known), 'class')}; all are in the "
                   "table.")


def _name_width(rows: list[dict[str, Any]]) -> int:
    """Return pixels for the names: left alone, the table cuts "weighted avg" to "weigh"."""
    return min(max(len(row["class"]) for row in rows), LONGEST_NAME) * 8 + 24


def _row(one: ClassScores) -> dict[str, Any]:
    row: dict[str, Any] = {"class": one.name}
    for name, score in (("precision", one.precision), ("recall", one.recall), ("F1", one.f1)):
        row[name] = None if score is None else 100 * score.value
        row[f"{name}, 95 %"] = None if score is None else interval_text(score)
    return row | {"test images": one.images}


def _mean(row: dict[str, Any]) -> dict[str, Any]:
    return {"class": row["name"], "precision": 100 * row["precision"],
            "recall": 100 * row["recall"], "F1": 100 * row["f1"], "test images": row["support"]}


def _plain_row(one: ClassScores) -> dict[str, Any]:
    """Return a row of the file: shares from 0 to 1, the ends of intervals as numbers."""
    row: dict[str, Any] = {"class": one.name}
    for name, score in (("precision", one.precision), ("recall", one.recall), ("F1", one.f1)):
        row |= _ends(name, score)
    return row | {"test images": one.images}


def _ends(name: str, score: Score | None) -> dict[str, float | str]:
    columns = name, f"{name} from", f"{name} to"
    if score is None:
        return dict.fromkeys(columns, "")
    values = score.value, score.low, score.high
    return {column: round(value, 5) for column, value in zip(columns, values, strict=True)}
