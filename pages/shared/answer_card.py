"""One picture with its answer: the region used, what the model sees, and how sure it is.

Beside the answer for the whole picture stand those for the other ways to bring it to size, for a
part that the person chooses, and of a second model. Asking is done by `answers`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import streamlit as st

from cnn.data.images import RESIZE_WAYS
from cnn.data.parts import centred_part
from cnn.prediction.client import Prediction
from cnn.prediction.saved import Card
from pages.shared.answers import TOP, Ways, ask, cut
from pages.shared.cached import digest_of
from pages.shared.crop_box import choose_part
from pages.shared.errors import error_text
from pages.shared.formats import amount, confidence, percent, plain
from pages.shared.picture_sources import Picture, remove
from pages.shared.pictures import enlarged_png, with_part
from pages.shared.request_code import draw_request
from pages.shared.tables import as_percent
from pages.shared.why_view import draw_why

PART = "part"
LARGEST = 160  # pixels, of a picture: two beside each other still fit on a phone
LARGEST_BOX = 320  # of a picture on which a part is chosen
SEEN = 144
SMALL = 56  # of what the model sees in another way
LONGEST_TITLE = 60  # characters; links can have thousands


@dataclass(frozen=True)
class Asked:
    """What is the same for all pictures of a page."""

    card: Card
    how: str  # crop, fit or stretch
    average: bool
    other: Card | None = None  # a second model


@dataclass(frozen=True)
class Shown:
    """What the card of a picture shows as its answer."""

    answer: Prediction
    other: Prediction | None = None  # of the second model


def show_answer(picture: Picture, ways: Ways, asked: Asked, drawn: Counter[str]) -> Shown:
    """Show one picture, what the model saw of it, and its answer.

    Args:
        picture: What was asked.
        ways: The answers of the first model.
        asked: The models, and how they are asked.
        drawn: How often each picture is on the page already, to tell the widgets apart; counts on.

    Raises:
        NotFound, Damaged: If the second model cannot be used.
        Unavailable: If the engine does not survive the part, or the second model.
    """
    with st.container(border=True):
        _draw_title(picture, _count(picture.key.encode(), drawn))
        answer = ways[asked.how]
        if answer.error:
            st.error(error_text(answer.error), icon=":material/error:")
            return Shown(answer)
        return _show_good(picture, ways, asked, drawn)


def _draw_title(picture: Picture, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(short(picture.source)), width="stretch", anchor=False)
        if picture.kept:
            st.button("Remove", icon=":material/close:", key=f"{key}_remove",
                      type="tertiary", on_click=remove, args=(picture,),
                      help=f"Remove {plain(short(picture.source))}")


def short(name: str) -> str:
    """Return a name that fits a heading."""
    return name if len(name) <= LONGEST_TITLE else f"{name[:35]}…{name[-24:]}"


def _show_good(picture: Picture, ways: Ways, asked: Asked, drawn: Counter[str]) -> Shown:
    data = picture.read()
    key = _count(data, drawn)
    pictures, bars = st.columns(2, gap="medium", vertical_alignment="center")
    with pictures:
        part = _draw_pictures(picture, data, ways[asked.how], asked, key)
    with bars:
        shown = _answers_of(part or data, ways if part is None else None, asked)
        _draw_models(shown, asked)
    _draw_ways(ways, asked.how, shown.answer if part else None)
    with st.container(horizontal=True):
        _draw_classes(shown.answer)
        draw_request(picture, data, asked.card.name, asked.how, asked.average)
    draw_why(part or data, asked.card.name, shown.answer, "stretch" if part else asked.how, key)
    return shown


def _count(data: bytes, drawn: Counter[str]) -> str:
    """Return a key for the widgets of a picture; the same picture may be given twice."""
    digest = digest_of(data)[:16]
    drawn[digest] += 1
    return f"predict_{digest}_{drawn[digest]}"


def _answers_of(data: bytes, ways: Ways | None, asked: Asked) -> Shown:
    """Return the answers of both models; for a part, the way of resizing makes no difference."""
    how = asked.how if ways else "stretch"
    first = (ways or ask(asked.card.name, data, asked.average))[how]
    return Shown(first, ask(asked.other.name, data, asked.average)[how] if asked.other else None)


def _draw_pictures(
    picture: Picture, data: bytes, answer: Prediction, asked: Asked, key: str
) -> bytes | None:
    """Draw the picture and what the model sees; return the part that was chosen, as PNG."""
    chooses = st.session_state.get(f"{key}_chooses", False)
    height, width = answer.size
    png = None
    if chooses:
        down, across = asked.card.input_shape[:2]
        # Before the box was moved it lies where `choose_part` draws it: in the middle.
        part = choose_part(answer.preview, _scaled(answer.size, LARGEST_BOX), across / down,
                           picture.source, f"{key}_part") or centred_part(
                               answer.size, (down, across))
        png = cut(digest_of(data), part, data)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if not chooses:
            # As PNG: Streamlit would turn it into a JPEG, which blends pixels.
            st.image(_region(answer, asked), output_format="PNG", alt=picture.source,
                     width=_scaled(answer.size, LARGEST)[1],
                     caption=f"{width} × {height}")
        seen = ask(asked.card.name, png, asked.average)["stretch"].seen if png else answer.seen
        st.image(enlarged_png(seen, SEEN), output_format="PNG", caption="What the model sees",
                 alt=f"{picture.source} as the model sees it, each pixel a square block")
    st.toggle("Choose a part", key=f"{key}_chooses", value=False,
              help="Put a box around what the model is to look at.")
    return png


def _scaled(size: tuple[int, int], most: int) -> tuple[int, int]:
    """Return height and width whose longer one is `most`."""
    height, width = size
    scale = most / max(size)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _region(answer: Prediction, asked: Asked) -> bytes:
    if asked.how != "crop":
        return enlarged_png(answer.preview, LARGEST)
    height, width = asked.card.input_shape[:2]
    return with_part(answer.preview, LARGEST, centred_part(answer.size, (height, width)))


def _draw_models(shown: Shown, asked: Asked) -> None:
    if shown.other is None or asked.other is None:
        _draw_bars(shown.answer)
        return
    for side, card, answer in zip(st.columns(2), (asked.card, asked.other),
                                  (shown.answer, shown.other), strict=True):
        with side:
            st.markdown(f"**{plain(short(card.name))}**")
            _draw_bars(answer)
    first, second = shown.answer.top[0], shown.other.top[0]
    if first[0] == second[0]:
        st.caption(f":material/check: Both say {plain(first[0])}.")
    else:
        st.caption(f":material/call_split: They differ: {plain(first[0])} ({confidence(first[1])}) "
                   f"and {plain(second[0])} ({confidence(second[1])}).")


def _draw_bars(answer: Prediction) -> None:
    if answer.unlike:
        _say_none_of_these(answer)
    for name, probability in answer.top[:TOP]:
        said = plain(name) if answer.unlike else f"**{plain(name)}**"
        st.progress(probability, text=f"{said} · {confidence(probability)}")
    if answer.inverted:
        st.caption(":material/invert_colors: Dark on light: light and dark were exchanged, "
                   "because this model learned light strokes on black.")


def _say_none_of_these(answer: Prediction) -> None:
    st.warning("**Probably none of these.** To the model this picture looks stranger than "
               f"{percent(answer.novelty)} of the pictures of its classes that it was tried on.",
               icon=":material/question_mark:")
    st.caption("If it is one of its classes after all, these are the likeliest:")


def _draw_ways(ways: Ways, how: str, part: Prediction | None) -> None:
    """Draw the answers for all ways to bring the picture to size, the one in use marked."""
    tiles = {**ways, **({PART: part} if part else {})}
    used = PART if part else how
    names = {name: name.capitalize() for name in RESIZE_WAYS} | {PART: "Your part"}
    with st.grid("auto", min_column_width=150, gap="small"):
        for name, answer in tiles.items():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.image(enlarged_png(answer.seen, SMALL), width=SMALL, output_format="PNG",
                         alt=f"What the model sees: {names[name]}")
                title = f"**{names[name]}** :material/check:" if name == used else names[name]
                st.caption(f"{title}  \n{plain(answer.top[0][0])} · "
                           f"{'unlike' if answer.unlike else confidence(answer.top[0][1])}",
                           width="content")


def _draw_classes(answer: Prediction) -> None:
    title = f"All {amount(len(answer.top), 'class')}"
    with st.popover(title, icon=":material/list:", type="tertiary", width="content"):
        rows = [{"Class": name, "Confidence": share} for name, share in answer.top]
        st.dataframe(as_percent(rows, "Confidence"), hide_index=True, column_config={
            "Confidence": st.column_config.ProgressColumn(
                format="%.2f %%", min_value=0, max_value=100)})
