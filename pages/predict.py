"""Predict: give pictures, see what a saved model makes of each, and what it saw.

Pictures are decoded and classified in the prediction engine, a child process of the server.
"""

from __future__ import annotations

from collections import Counter

import streamlit as st

from cnn.data.images import RESIZE_WAYS
from cnn.data.views import view_count
from cnn.prediction.client import shared_engine
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.answer_card import Asked, show_answer
from pages.shared.answers import Ways, ask_all, offer_csv
from pages.shared.errors import errors_shown
from pages.shared.formats import amount, count, percent
from pages.shared.many_view import draw_many, wants_table
from pages.shared.model_picker import choose_model, origin_text
from pages.shared.own_model import choose_added, offer_own_model
from pages.shared.picture_sources import Picture, choose_pictures
from pages.shared.unmeasured import accuracy_text
from pages.shared.visit import draw_visit, remember

MOST_PICTURES = 50
ANSWERS_PER_PAGE = 10


def choose_how(card: Card) -> str:
    """Show how a picture is brought to the model's size, as it learned first; return the choice."""
    ways = sorted(RESIZE_WAYS, key=lambda way: way != card.resize)
    how = st.segmented_control(
        "How a picture is brought to size", ways, default=card.resize, required=True,
        key=f"predict_how_{card.name}", format_func=str.capitalize)
    learned = " This is the model's own way." if how == card.resize else ""
    st.caption(f"{RESIZE_WAYS[how]}{learned}")
    return how


def choose_average(card: Card) -> bool:
    """Show whether several views of each picture are averaged; return the choice."""
    views = "mirrored and shifted" if card.mirrored else "shifted"
    return st.toggle(f"Average over {views} views", key="predict_average", help=average_help(card))


def average_help(card: Card) -> str:
    """Return what averaging does, what it costs and what it gains."""
    looks = view_count(card.mirrored)
    views = "as it is, and moved by one pixel in two ways" + (
        ", each once more mirrored" if card.mirrored else "")
    gain = "What it gains was not measured for this model; some lose" \
        if card.averaged_test_accuracy is None else \
        (f"Right answers on this model's test images: {percent(card.test_accuracy)} → "
         f"{percent(card.averaged_test_accuracy)} of {count(card.test_n)}")
    return (f"The network looks at each picture {looks} times: {views}. Where it has twice "
            "the pixels that the network sees, or more, it looks at the inner 85 % likewise. The "
            "answer is the weighted mean, and takes the network as many times as long. "
            f"{gain}.")


def choose_other(card: Card) -> Card | None:
    """Show the choice of a second model for the same pictures; return it, if there is one."""
    others = {model.name: model.card for model in cached.models()
              if model.card and model.name != card.name}
    if not others:
        return None
    name = st.selectbox(
        "Compare with", list(others), index=None, placeholder="No second model",
        key="other", bind="query-params",
        help="A second model answers the same pictures, and you see where the two differ.")
    return others.get(name)


def wait_for_answers(asked: Asked, pictures: list[Picture]) -> list[Ways]:
    """Return the answers, saying meanwhile what takes so long.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine does not work.
    """
    message = "Asking the model" if shared_engine().ready else \
        "Starting the prediction engine (TensorFlow): about 10 seconds, once"
    with st.spinner(message, show_time=True):
        return ask_all(asked.card.name, pictures, asked.average)


def draw_answers(asked: Asked, pictures: list[Picture]) -> None:
    """Draw the answers, a page of them at a time, and offer all as a table.

    Raises:
        NotFound, Damaged: If a model cannot be used.
        Unavailable: If the engine does not work.
    """
    if len(pictures) > MOST_PICTURES:
        st.warning(f"These are {amount(len(pictures), 'picture')}; the first {MOST_PICTURES} are "
                   "answered. As a table, all are.",
                   icon=":material/filter_list:")
        pictures = pictures[:MOST_PICTURES]
    ways = wait_for_answers(asked, pictures)
    answers = [one[asked.how] for one in ways]
    st.caption("The confidence is the model's own, and it can be sure and wrong. It knows only its "
               "classes: " + ("of a picture of anything else it often, but not always, says that "
                              "it is probably none of these." if knows_strangers(ways) else
                              "a picture of anything else gets one of them as well."))
    pages = -(-len(pictures) // ANSWERS_PER_PAGE)
    page = min(st.session_state.get("predict_page", 1), pages)
    drawn: Counter[str] = Counter()
    for place in range((page - 1) * ANSWERS_PER_PAGE, min(page * ANSWERS_PER_PAGE, len(pictures))):
        picture = pictures[place]
        answers[place] = show_answer(picture, ways[place], asked, drawn).answer
        if not answers[place].error:
            remember(picture, asked.card.name, answers[place])
    if pages > 1:
        st.pagination(pages, key="predict_page", max_visible_pages=5)
    if len(pictures) > 1:
        offer_csv([(picture.source, answer) for picture, answer in zip(
            pictures, answers, strict=True)], asked.card.name)


def knows_strangers(ways: list[Ways]) -> bool:
    """Whether the model can tell what is unlike its training images."""
    return any(answer.novelty is not None for one in ways for answer in one.values())


def draw_empty() -> None:
    """Say what will be here."""
    st.info("Give a picture above. It appears here beside what the model sees of it, with the "
            "three most likely classes and how sure the model is of each.",
            icon=":material/image_search:")


def main() -> None:
    """Draw the page."""
    choose_added()
    left, right = st.columns([3, 2], gap="medium")
    with left, errors_shown():
        card = choose_model()
    with left:
        if card:
            st.caption(f"{accuracy_text(card)} · {origin_text(card)}")
        other = choose_other(card) if card else None
        offer_own_model()
    if card is None:
        return
    with right:
        asked = Asked(card, choose_how(card), choose_average(card), other)
    pictures = choose_pictures(card)
    st.header("Answers")
    with errors_shown():
        if wants_table(len(pictures)):
            draw_many(asked, pictures)
        elif pictures:
            draw_answers(asked, pictures)
        else:
            draw_empty()
    draw_visit(pictures)


main()
