"""What a model says of the picture on the page Look inside, beside what it sees of it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnn.prediction.client import Prediction, shared_engine
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.formats import confidence, plain
from pages.shared.inside_picture import Subject
from pages.shared.pictures import enlarged_png

PICTURE = 128  # pixels
TOP = 3  # classes shown


@st.cache_data(max_entries=32, max_size="16MB", show_spinner="Asking the model")
def _ask(model: str, stamp: cached.Stamp, digest: str, _data: bytes) -> Prediction:
    (answer,) = shared_engine().predict(model, [_data], pictures=True)
    if answer.error:
        raise answer.error
    return answer


def show_answer(card: Card, subject: Subject) -> None:
    """Show the picture as the network sees it, and the likeliest classes.

    Raises:
        CnnError: If the picture cannot be read or the engine does not work.
    """
    answer = _ask(card.name, cached.model_stamp(card.name), subject.digest, subject.data)
    picture, shares = st.columns([2, 3], vertical_alignment="center")
    with picture:
        st.image(enlarged_png(answer.seen, PICTURE), output_format="PNG", width=PICTURE,
                 alt="The picture as the network sees it")
    with shares:
        st.markdown(subject.name)
        show_shares(answer.top[:TOP])


def show_shares(top: Sequence[tuple[str, float]]) -> None:
    """Show classes and their probabilities as bars."""
    for name, share in top:
        st.progress(min(share, 1.0), text=f"{plain(name)} · {confidence(share)}")
