"""What a model says of pictures: asked once for each picture, shown, and written as CSV."""

from __future__ import annotations

import hashlib
from typing import Any

import streamlit as st

from cnn.errors import Unavailable
from cnn.prediction.client import Prediction, shared_engine
from pages.shared import cached
from pages.shared.errors import error_text
from pages.shared.formats import confidence, percent, plain
from pages.shared.picture_sources import Picture, remove
from pages.shared.pictures import enlarged_png

TOP = 3
LARGEST = 160  # pixels, of a picture: two beside each other still fit on a phone
SEEN = 144
LONGEST_TITLE = 60  # characters; links can have thousands


def ask(name: str, picture: Picture, how: str, average: bool) -> Prediction:
    """Return what a model says of a picture; a picture that cannot be used has its own error.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine does not survive the question.
    """
    if picture.error:
        return Prediction(error=picture.error)
    digest = hashlib.sha256(picture.data).hexdigest()
    return _ask(name, cached.model_stamp(name), how, average, digest, picture.data)


def ask_all(name: str, pictures: list[Picture], how: str, average: bool) -> list[Prediction]:
    """Return what a model says of each picture.

    Args:
        name: Of the model.
        pictures: What to ask about.
        how: crop, fit or stretch.
        average: Whether to average over several views of each picture.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine does not work at all.
    """
    answers, deaths = [], 0
    for picture in pictures:
        try:
            answers.append(ask(name, picture, how, average))
        except Unavailable as error:
            deaths += 1
            if deaths > 1:  # one picture may kill the engine; two: it is not the pictures
                raise
            answers.append(Prediction(error=error))
    return answers


@st.cache_data(max_entries=256, max_size="48MB", show_spinner=False)
def _ask(
    name: str, stamp: cached.Stamp, how: str, average: bool, digest: str, _data: bytes
) -> Prediction:
    # The digest is the key: Streamlit would hash only a sample of large values.
    return shared_engine().predict(name, [_data], how, pictures=True, average=average)[0]


def show_answer(picture: Picture, answer: Prediction, place: int) -> None:
    """Show one picture, what the model saw of it, and its answer.

    Args:
        picture: What was asked.
        answer: What came back.
        place: In the list of pictures, to tell the buttons apart.
    """
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(_short(picture.source)), width="stretch", anchor=False)
            if picture.kept:
                st.button("Remove", icon=":material/close:", key=f"predict_remove_{place}",
                          type="tertiary", on_click=remove, args=(picture,),
                          help=f"Remove {plain(_short(picture.source))}")
        if answer.error:
            st.error(error_text(answer.error), icon=":material/error:")
        else:
            _show_good(picture, answer)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_TITLE else f"{name[:35]}…{name[-24:]}"


def _show_good(picture: Picture, answer: Prediction) -> None:
    pictures, bars = st.columns(2, gap="medium", vertical_alignment="center")
    with pictures, st.container(horizontal=True, vertical_alignment="bottom"):
        height, width = answer.size
        shown = max(1, round(width * LARGEST / max(width, height)))
        # As PNG: Streamlit would turn it into a JPEG, which blends pixels.
        st.image(enlarged_png(answer.preview, LARGEST), width=shown, output_format="PNG",
                 alt=picture.source, caption=f"{width} × {height}")
        st.image(enlarged_png(answer.seen, SEEN), output_format="PNG",
                 caption="What the model sees",
                 alt=f"{picture.source} as the model sees it, each pixel a square block")
    with bars:
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


def csv_rows(pictures: list[Picture], answers: list[Prediction], name: str) -> list[dict[str, Any]]:
    """Return one row per picture: the first answers with their confidence, or the error."""
    rows = []
    for picture, answer in zip(pictures, answers, strict=True):
        row: dict[str, Any] = {"picture": picture.source, "model": name}
        for place in range(TOP):
            known = answer.top[place] if place < len(answer.top) else ("", "")
            row[f"answer_{place + 1}"], row[f"confidence_{place + 1}"] = known
        rows.append(row | {"none_of_these": answer.unlike, "error": str(answer.error or "")})
    return rows
