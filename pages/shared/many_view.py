"""Many pictures at once on the page Predict: how far the server is, and the answers as a table.

The server asks (`cnn.prediction.many`) and knows what is chosen by which rule
(`cnn.prediction.answer_table`); this draws, and opens one picture of the table below it.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import streamlit as st

from cnn.data.jobs import JobState
from cnn.prediction.answer_table import (
    FLAGS,
    NO_ANSWER,
    NONE_OF_THESE,
    ORDERS,
    UNSURE,
    Choice,
    Row,
    choose,
    count_answers,
    count_flags,
)
from cnn.prediction.client import shared_engine
from cnn.prediction.many import Item, Question, Sheet
from pages.shared import cached
from pages.shared.answer_card import Asked, show_answer
from pages.shared.answers import ask_all, offer_csv
from pages.shared.charts import answers_option, answers_words, bars_height
from pages.shared.errors import error_text, errors_shown
from pages.shared.formats import amount, count, plain
from pages.shared.job_view import SECONDS_BETWEEN_LOOKS, draw_job
from pages.shared.picture_sources import MOST, Picture

FEW = 10  # pictures; from here on a table says more than one picture below the other
ROW_HEIGHT, TABLE_HEIGHT, BAR_HEIGHT = 48, 480, 24  # pixels
MOST_BARS = 10
ONE_BY_ONE, TABLE = "One by one", "As a table"
ANY = ""  # in the place of a flag or an answer
_SHEET = "predict_sheet"
_KEYS = "predict_many"
_FLAG_COLORS = {UNSURE: "orange", NONE_OF_THESE: "violet", NO_ANSWER: "red"}
_FLAG_HELP = (f"*{UNSURE}*: the confidence is below 50 %, so that the answer is more likely wrong "
              f"than right. *{NONE_OF_THESE}*: the picture looks stranger to the model than 95 % "
              f"of the pictures of its classes. *{NO_ANSWER}*: the file could not be used.")


def wants_table(pictures: int) -> bool:
    """Show the choice between pictures one by one and a table; a few are better one by one."""
    if pictures < 2:
        return False
    usual = TABLE if pictures > FEW else ONE_BY_ONE
    # A key for each default: who has not chosen gets the other way when more pictures come.
    return st.segmented_control(
        "How answers are shown", [ONE_BY_ONE, TABLE], default=usual, required=True,
        key=f"predict_layout_{usual}", label_visibility="collapsed") == TABLE


def draw_many(asked: Asked, pictures: list[Picture]) -> None:
    """Draw how far the server is with these pictures; once it has ended, the answers as a table.

    Args:
        asked: The model, and how it is asked.
        pictures: At least one.

    Raises:
        NotFound, Damaged: If the model cannot be used.
    """
    if len(pictures) > MOST:
        st.warning(f"These are {amount(len(pictures), 'picture')}; the first {count(MOST)} are "
                   "answered. For folders of pictures there is `python -m cnn predict`.",
                   icon=":material/filter_list:")
        pictures = pictures[:MOST]
    sheet = _sheet(Question(asked.card.name, asked.how, asked.average))
    state = _begun(sheet, pictures)
    if state and state.lives:
        _watch(sheet, pictures)
        return
    rows = _rows(sheet, pictures)
    _say_the_end(sheet, state, pictures, len(rows))
    if rows:
        shown = choose(rows, _draw_overview(rows))
        _draw_table(asked, {picture.key: picture for picture in pictures}, shown)


def _sheet(question: Question) -> Sheet:
    """Return the sheet of this visit, a new one where something else is asked."""
    stamp = cached.model_stamp(question.model)
    old_stamp, sheet = st.session_state.get(_SHEET, (None, None))
    if sheet is None or (old_stamp, sheet.question) != (stamp, question):
        if sheet is not None:
            sheet.cancel()
        sheet = Sheet(shared_engine(), question)
        st.session_state[_SHEET] = stamp, sheet
    return sheet


def _begun(sheet: Sheet, pictures: list[Picture]) -> JobState | None:
    """Begin with what is missing, unless the last work ended early: then a person decides."""
    state = sheet.look()
    if any(picture.key not in sheet.answers for picture in pictures) and (
            state is None or state.state == "done"):
        sheet.ask(_items(pictures))
    return sheet.look()


def _items(pictures: list[Picture]) -> dict[str, Item]:
    return {picture.key: Item(picture.source, picture.read) for picture in pictures}


def _rows(sheet: Sheet, pictures: list[Picture]) -> list[Row]:
    return [Row(picture.key, picture.source, answer) for picture in pictures
            if (answer := sheet.answers.get(picture.key))]


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _watch(sheet: Sheet, pictures: list[Picture]) -> None:
    """Show how far the server is, and what came so far; at the end, draw the whole page anew."""
    state = sheet.look()
    if state and state.lives:
        draw_job(state, sheet.cancel, f"{_KEYS}_cancel")
        _draw_distribution(_rows(sheet, pictures))
    else:
        st.rerun()


def _say_the_end(
    sheet: Sheet, state: JobState | None, pictures: list[Picture], answered: int
) -> None:
    """Say why answers are missing, if some are, and offer to go on."""
    missing = len(pictures) - answered
    if state is None or not missing:
        return
    if state.error:
        st.error(error_text(state.error), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{count(answered)} of {amount(len(pictures), 'picture')} are answered.",
                    width="content")
        if st.button("Go on", icon=":material/play_arrow:", key=f"{_KEYS}_go_on"):
            sheet.ask(_items(pictures))
            st.rerun()


def _draw_overview(rows: Sequence[Row]) -> Choice:
    """Draw how often each answer was given, and which answers are to be shown."""
    flags = {ANY: len(rows), **{flag: n for flag, n in count_flags(rows).items() if n}}
    flag = st.pills(
        "Show", list(flags), default=ANY, required=True, key=f"{_KEYS}_flag", help=_FLAG_HELP,
        format_func=lambda flag: f"{(flag or 'all').capitalize()} {count(flags[flag])}")
    bars, filters = st.columns([3, 2], gap="medium")
    with bars:
        _draw_distribution(rows)
    with filters:
        best = _choose_answer(rows)
        least, most = st.slider("Confidence", 0, 100, (0, 100), 5, format="%d %%",
                                key=f"{_KEYS}_confidence")
        order = st.selectbox("Order", list(ORDERS), key=f"{_KEYS}_order")
    return Choice(flag, best, least / 100, most / 100, order)


def _draw_distribution(rows: Sequence[Row]) -> None:
    counts = count_answers(rows)
    if counts:
        bars = min(len(counts), MOST_BARS + 1)
        st.echarts_chart(answers_option(counts, MOST_BARS), key=f"{_KEYS}_bars",
                         height=bars_height(bars, BAR_HEIGHT), alt=answers_words(counts))


def _choose_answer(rows: Sequence[Row]) -> str:
    counts = {ANY: 0, **{name: sure + flagged for name, sure, flagged in count_answers(rows)}}
    return st.selectbox(
        "Answer", list(counts), key=f"{_KEYS}_best",
        format_func=lambda name: f"{name} ({count(counts[name])})" if name else "Any answer")


def _draw_table(asked: Asked, pictures: dict[str, Picture], rows: list[Row]) -> None:
    """Draw the chosen answers; below them the one picture that a person selects."""
    if not rows:
        st.info("No answer is like that: choose others above.", icon=":material/filter_list_off:")
        return
    other = f", and what {plain(asked.other.name)} says" if asked.other else ""
    st.caption(f"{amount(len(rows), 'picture')}. Select a row to see its picture, all that the "
               f"model says of it, and why{other}.")
    # A key for just these rows: a selection is kept as the number of a row.
    digest = hashlib.sha256(repr([row.key for row in rows]).encode()).hexdigest()
    chosen = st.dataframe(
        _columns(rows), hide_index=True, placeholder="–", row_height=ROW_HEIGHT,
        height="content" if len(rows) <= FEW else TABLE_HEIGHT, column_config=_formats(),
        key=f"{_KEYS}_table_{digest[:12]}", selection_mode="single-row", on_select="rerun",
        alt="Pictures with their answers").selection.rows
    offer_csv([(row.source, row.answer) for row in rows], asked.card.name)
    if chosen:
        with errors_shown():
            picture = pictures[rows[chosen[0]].key]
            (ways,) = ask_all(asked.card.name, [picture], asked.average)
            show_answer(picture, ways, asked, Counter())


def _columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "Picture": [_data_url(row.answer.thumbnail) for row in rows],
        "Answer": [row.best or None for row in rows],
        "Confidence": [_tenths(row.confidence) if row.best else None for row in rows],
        "Beware": [list(row.flags) for row in rows],
        "File": [row.source for row in rows],
    }
    if any(row.answer.error for row in rows):
        columns["Problem"] = [str(row.answer.error or "") or None for row in rows]
    return columns


def _data_url(jpeg: bytes) -> str | None:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else None


def _tenths(probability: float) -> float:
    """Return a probability as per cent, never rounded to certainty."""
    return min(round(100 * probability, 1), 99.9)


def _formats() -> dict[str, Any]:
    config = st.column_config
    return {
        "Picture": config.ImageColumn(width=60),
        "Answer": config.TextColumn(width=120),
        "Confidence": config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100,
                                            width=120),
        "Beware": config.MultiselectColumn(
            options=list(FLAGS), color=[_FLAG_COLORS[flag] for flag in FLAGS], width=130,
            help=_FLAG_HELP),
        "File": config.TextColumn(width=220),
        "Problem": config.TextColumn(width=420),
    }
