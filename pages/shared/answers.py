"""What a model says of pictures: asked once for each picture, and written as CSV.

Drawing is done by `answer_card`.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnn.data.images import RESIZE_WAYS
from cnn.data.parts import Box
from cnn.errors import CnnError, Unavailable
from cnn.prediction.answer_table import csv_row
from cnn.prediction.client import Prediction, shared_engine
from pages.shared import cached
from pages.shared.picture_sources import Picture
from pages.shared.tables import csv_bytes

TOP = 3
Ways = dict[str, Prediction]  # crop, fit and stretch, or any of them with the same error


def ask(name: str, data: bytes, average: bool) -> Ways:
    """Return what a model says of a picture brought to size in each way, or its error in each.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine does not survive the question.
    """
    return _ask(name, cached.model_stamp(name), average, cached.digest_of(data), data)


def ask_all(name: str, pictures: list[Picture], average: bool) -> list[Ways]:
    """Return what a model says of each picture; one that cannot be used has its own error.

    Args:
        name: Of the model.
        pictures: What to ask about.
        average: Whether to average over several views of each picture.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine does not work at all.
    """
    answers, deaths = [], 0
    for picture in pictures:
        try:
            answers.append(_ask_about(name, picture, average))
        except Unavailable as error:
            deaths += 1
            if deaths > 1:  # one picture may kill the engine; two: it is not the pictures
                raise
            answers.append(failed(error))
    return answers


def _ask_about(name: str, picture: Picture, average: bool) -> Ways:
    try:
        data = picture.read()
    except CnnError as error:
        return failed(error)
    return ask(name, data, average)


def failed(error: CnnError) -> Ways:
    """Return what stands for the answers where there are none."""
    return dict.fromkeys(RESIZE_WAYS, Prediction(error=error))


@st.cache_data(max_entries=256, max_size="48MB", show_spinner=False)
def _ask(name: str, stamp: cached.Stamp, average: bool, digest: str, _data: bytes) -> Ways:
    return shared_engine().ways(name, _data, average)


@st.cache_data(max_entries=64, max_size="16MB", show_spinner=False)
def cut(digest: str, part: Box, _data: bytes) -> bytes:
    """Return a part of a picture as PNG.

    Raises:
        CnnError: As `EngineClient.cut` does.
    """
    return shared_engine().cut(_data, part)


def offer_csv(answers: Sequence[tuple[str, Prediction]], model: str) -> None:
    """Offer answers as a CSV file: what each picture is called, and what is said of it."""
    st.download_button(
        "Answers as CSV", lambda: csv_bytes([csv_row(*answer, TOP) for answer in answers]),
        f"{model}-answers.csv", "text/csv", icon=":material/table:", on_click="ignore")
