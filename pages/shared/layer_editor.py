"""The layers of a draft as a list that is edited in place: drawn by a small script in the page.

Streamlit's own fields and buttons for one open layer would be thirty elements, and the browser took
a third of a second for them at every edit. The script knows no rules: it sends what a person did,
numbered, until the draft that comes back says that it was taken. So quick clicks are never lost,
and none counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cnn.models.editing import Draft
from cnn.models.kinds import KINDS, kind_of
from cnn.models.summary import Outline
from pages.shared.lab_rows import kinds_of_layers, rows_of_layers
from pages.shared.lab_state import Lab, edit
from pages.shared.scripted import scripted

KEY = "lab_layers"
MOST_AT_ONCE = 1000  # edits in one message; a person makes a few
Figure = tuple[str, str, str, str]  # label, value, change against the start, what it means
_component = scripted("layer_editor")


def show_editor(lab: Lab, outline: Outline, figures: Sequence[Figure], totals: str) -> None:
    """Draw what the network costs and all its layers, each with its settings folded away.

    Args:
        lab: What is worked on.
        outline: Of it, up to the layer that breaks.
        figures: Of the whole network.
        totals: What the whole network costs, said again beside an open layer.
    """
    _component(key=KEY, on_edits_change=_take, data={
        "session": lab.session, "taken": lab.taken, "newest": lab.newest, "totals": totals,
        "figures": list(figures), "kinds": kinds_of_layers(),
        "rows": rows_of_layers(lab.draft, outline)})


def _take() -> None:
    lab: Lab = st.session_state["lab"]
    apply_edits(lab, st.session_state[KEY].get("edits"))


def apply_edits(lab: Lab, sent: Any) -> None:
    """Make the edits that were not made before, in order; for callbacks.

    Args:
        lab: What is worked on.
        sent: From the browser: {"session": str, "list": [[number, what, ...], ...]}. Anything else,
            and what was meant for another session, changes nothing.
    """
    if not isinstance(sent, dict) or sent.get("session") != lab.session:
        return
    listed = sent.get("list")
    for item in listed[:MOST_AT_ONCE] if isinstance(listed, list) else []:
        match item:
            case [int(order), str(what), *rest] if order > lab.taken:
                lab.taken = order
                _apply(lab, what, rest)


def _apply(lab: Lab, what: str, rest: list[Any]) -> None:
    known = lab.draft.ids
    match what, rest:
        case "add", [str(kind), None] if kind in KINDS:
            edit(Draft.added, kind, opened=True)
        case "add", [str(kind), int(number)] if kind in KINDS and number in known:
            edit(Draft.added, kind, number, opened=True)
        case "up" | "down", [int(number)] if number in known:
            edit(Draft.moved, number, -1 if what == "up" else 1)
        case "copy", [int(number)] if number in known:
            edit(Draft.doubled, number)
        case "remove", [int(number)] if number in known:
            edit(Draft.without, number)
        case "set", [int(number), str(setting), value] if number in known:
            fields = {field.name: field for field in kind_of(lab.draft.layer(number)).fields}
            if setting in fields:
                whole = isinstance(value, int) and not isinstance(value, bool)
                as_number = fields[setting].kind == "number" and whole
                edit(Draft.changed, number, setting, float(value) if as_number else value)
