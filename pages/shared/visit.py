"""What a person asked in this visit: each picture with its last answer, to be looked at again.

Lives in the session and ends with it; nothing is written to disk.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from cnn.prediction.client import Prediction
from pages.shared.cached import digest_of
from pages.shared.formats import amount, confidence, plain
from pages.shared.picture_sources import Picture, keep
from pages.shared.pictures import enlarged_png

MOST = 30  # pictures
MOST_BYTES = 60 * 2**20  # of them together
THUMBNAIL = 72  # pixels
_VISIT = "predict_visit"


@dataclass(frozen=True)
class Visited:
    """A picture and what was said of it last."""

    source: str
    key: str  # of the picture that was given
    data: bytes  # not the file, which goes when its picture is removed
    model: str
    said: str  # as Markdown
    thumbnail: bytes  # PNG


def remember(picture: Picture, model: str, answer: Prediction) -> None:
    """Put a picture that has an answer first in the history of this visit."""
    before: dict[str, Visited] = st.session_state.get(_VISIT, {})
    said = "none of these" if answer.unlike else \
        f"{plain(answer.top[0][0])} · {confidence(answer.top[0][1])}"
    data = picture.read()
    key = digest_of(data)
    old = before.get(key)
    if old and (old.said, old.model) == (said, model):
        return
    entry = Visited(picture.source, picture.key, data, model, said,
                    enlarged_png(answer.seen, THUMBNAIL))
    others = {other: one for other, one in before.items() if other != key}
    st.session_state[_VISIT] = _within_limits({key: entry, **others})


def _within_limits(visited: dict[str, Visited]) -> dict[str, Visited]:
    kept, size = {}, 0
    for key, one in list(visited.items())[:MOST]:
        size += len(one.data)
        if size <= MOST_BYTES:
            kept[key] = one
    return kept


def draw_visit(shown: list[Picture]) -> None:
    """Show the history: pictures that are not on the page can be brought back.

    Args:
        shown: The pictures on the page.
    """
    here = {picture.key for picture in shown}
    visited: dict[str, Visited] = st.session_state.get(_VISIT, {})
    gone = {key: one for key, one in visited.items() if not {key, one.key} & here}
    if not gone:
        return
    with st.expander(f"Earlier in this visit: {amount(len(gone), 'picture')}",
                     icon=":material/history:"):
        with st.grid("auto", min_column_width=140, gap="small"):
            for key, one in gone.items():
                with st.container(gap="xxsmall", horizontal_alignment="center"):
                    st.image(one.thumbnail, output_format="PNG", alt=one.source)
                    st.caption(f"{one.said}  \n{plain(one.model)}", text_alignment="center")
                    st.button("Show again", key=f"predict_again_{key[:16]}", type="tertiary",
                              help=plain(one.source[:200]), on_click=_again, args=(one,))
        st.caption("Kept until this tab is closed or reloaded, and nowhere else.")


def _again(one: Visited) -> None:
    keep(Picture(one.source, one.data, kept=True))
