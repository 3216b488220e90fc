"""What a visitor of the architecture lab works on: the draft, what it was before, and the address.

The address holds the whole draft, so a reload, a link and the browser's way back show the same.
Changes are made in callbacks, so that the page is drawn once and in one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import streamlit as st

from cnn.data.catalogue import DatasetInfo
from cnn.errors import CnnError
from cnn.models.documents import Document, document_of
from cnn.models.editing import Draft, draft_of, packed, unpacked
from cnn.models.registry import architecture_names, get_architecture

DRAFT = "draft"  # in the address: the document, packed
FROM = "from"  # in the address, once: the architecture to start from
FIRST = "base"
MOST_STEPS_BACK = 100
_STATE = "lab"


@dataclass
class Lab:
    """The work of one visitor."""

    draft: Draft
    text: str  # the draft as the address has it
    before: list[Draft] = field(default_factory=list)
    problem: CnnError | None = None  # why the last click did nothing
    newest: int = 0  # the layer that was added last: its settings are shown
    taken: int = 0  # number of the last edit that came from the browser
    session: str = field(default_factory=lambda: uuid4().hex)  # whose numbers these are

    def show(self, draft: Draft) -> None:
        """Make `draft` the one that is worked on; the one before can be brought back."""
        if draft.document == self.draft.document:
            return
        self.before = [*self.before[1 - MOST_STEPS_BACK:], self.draft]
        self._set(draft)

    def undo(self) -> None:
        """Bring back what was before the last change."""
        if self.before:
            self._set(self.before.pop())

    def _set(self, draft: Draft) -> None:
        self.draft, self.text = draft, packed(draft.document)
        st.query_params[DRAFT] = self.text


def current(info: DatasetInfo) -> Lab:
    """Return the work of this visitor, as the address says where that was changed.

    Raises:
        NotFound: If the address names an architecture that does not exist.
        BadInput: If the draft in the address is damaged. What was there before stays.
    """
    lab: Lab | None = st.session_state.get(_STATE)
    if lab is None:
        draft = draft_of(begun_from(FIRST, info))
        lab = st.session_state[_STATE] = Lab(draft, packed(draft.document))
    text, name = st.query_params.get(DRAFT, ""), st.query_params.pop(FROM, "")
    try:
        if name:
            start_from(name, info)
        elif text and text != lab.text:  # a link, a reload, or the browser's way back
            lab.show(_renumbered(unpacked(text), lab.draft))
    finally:
        st.query_params[DRAFT] = lab.text
    return lab


def begun_from(name: str, info: DatasetInfo) -> Document:
    """Return a document that begins as an architecture is for the images of a data set.

    Raises:
        NotFound: If there is no such architecture.
        Damaged: If its file cannot be read.
    """
    assert info.image_shape is not None  # noqa: S101  the data set is ready
    return document_of(get_architecture(name), info.image_shape, len(info.classes))


def start_from(name: str, info: DatasetInfo) -> None:
    """Put an architecture in the place of the draft.

    Raises:
        NotFound: If there is no such architecture.
        Damaged: If its file cannot be read.
    """
    open_document(begun_from(name, info))


def open_document(document: Document) -> None:
    """Put a document in the place of the draft."""
    lab: Lab = st.session_state[_STATE]
    lab.show(_renumbered(document, lab.draft))


def _renumbered(document: Document, old: Draft) -> Draft:
    # Numbers of their own: widgets of other layers must not be taken for these.
    return draft_of(document, old.newest + 1)


def edit(change: Callable[..., Draft], *args: Any, opened: bool = False) -> None:
    """Apply one method of `Draft`; for callbacks. What cannot be done is said on the page.

    Args:
        change: The method.
        args: Its arguments.
        opened: Whether to show the settings of the layer that is made.
    """
    lab: Lab = st.session_state[_STATE]
    try:
        lab.show(change(lab.draft, *args))
        if opened:
            lab.newest = lab.draft.newest
    except CnnError as error:
        lab.problem = error


def describe_as(text: str) -> None:
    """Give the draft one line that says what it is."""
    lab: Lab = st.session_state[_STATE]
    lab.show(replace(lab.draft, document=replace(lab.draft.document, description=text)))


def known_start(document: Document) -> str:
    """Return the architecture that a document was begun from; "" if there is none by now."""
    return document.based_on if document.based_on in architecture_names() else ""
