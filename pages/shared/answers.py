"""What a model says of pictures: asked once for each picture, and written as CSV.

Drawing is done by `answer_card`.
"""

from __future__ import annotations

import hashlib
from typing import Any

import streamlit as st

from cnn.data.images import RESIZE_WAYS, Box
from cnn.errors import CnnError, Unavailable
from cnn.prediction.client import Prediction, shared_engine
from pages.shared import cached
from pages.shared.picture_sources import Picture

TOP = 3
Ways = dict[str, Prediction]  # crop, fit and stretch, or any of them with the same error


def digest_of(data: bytes) -> str:
    """Return what tells a picture from others: the key of caches, which only sample large bytes."""
    return hashlib.sha256(data).hexdigest()


def ask(name: str, data: bytes, average: bool) -> Ways:
    """Return what a model says of a picture brought to size in each way, or its error in each.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine does not survive the question.
    """
    return _ask(name, cached.model_stamp(name), average, digest_of(data), data)


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
            answers.append(failed(picture.error) if picture.error
                           else ask(name, picture.data, average))
        except Unavailable as error:
            deaths += 1
            if deaths > 1:  # one picture may kill the engine; two: it is not the pictures
                raise
            answers.append(failed(error))
    return answers


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
