"""The layers of a draft as a list that opens where one is edited. Draws; knows no totals."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn.models.editing import Draft
from cnn.models.kinds import KINDS, Field, Kind, kind_of, spoken
from cnn.models.specs import LayerSpec
from cnn.models.summary import Outline, Row
from pages.shared.formats import amount, mega, plain
from pages.shared.lab_state import Lab, edit

_ICONS = {
    "conv": "grid_on", "max_pool": "compress", "average_pool": "compress",
    "global_max_pool": "center_focus_strong", "global_average_pool": "center_focus_strong",
    "batch_norm": "balance", "activation": "show_chart", "dropout": "blur_on", "flatten": "reorder",
    "dense": "hub", "residual": "alt_route", "inception": "call_split", "skip": "redo",
    "scale": "straighten", "whitening": "filter_b_and_w"}
_FIELD_WIDTH = 125  # pixels, at least: two beside each other on a phone


def show_rows(lab: Lab, outline: Outline, totals: str) -> None:
    """Draw all layers, from the image to the probabilities.

    Args:
        lab: What is worked on.
        outline: Of it, up to the layer that breaks.
        totals: What the whole network costs, said again beside an open layer.
    """
    known = {row.name: row for row in outline.summary.rows}
    first, *body, head, last = outline_names(lab.draft)
    with st.container(border=True, gap="xsmall"):
        st.caption("Layer → height × width × channels of what comes out · parameters")
        _fixed(first, "input", "Rescale 0–255 to 0–1", known, outline)
        for (number, layer), name in zip(lab.draft.rows, body, strict=True):
            _layer(lab, number, layer, name, known.get(name), outline)
            if number in lab.opened:
                _open(lab.draft, number, layer, name, known.get(name), totals)
        st.selectbox(
            "Add a layer at the end", list(KINDS), index=None, format_func=_title, key="lab_add",
            placeholder="Add a layer at the end", label_visibility="collapsed", on_change=_add,
            args=("lab_add",))
        units = outline.summary.classes
        _fixed(head, "hub", f"Dense, {units}: one value for each class", known, outline)
        _fixed(last, "output", "Softmax: values become probabilities", known, outline)


def outline_names(draft: Draft) -> list[str]:
    """Return the names of all layers, as tables and Keras call them."""
    architecture = draft.document.architecture("draft")
    return [name for name, _ in architecture.layers((1, 1, 1), 2)]


def _fixed(name: str, icon: str, words: str, known: dict[str, Row], outline: Outline) -> None:
    """Draw a layer that every network has."""
    st.markdown(f":small[{_line(icon, words, known.get(name), name, outline)}]")  # as buttons are


def _layer(
    lab: Lab, number: int, layer: LayerSpec, name: str, row: Row | None, outline: Outline
) -> None:
    """Draw a row that opens with a click: one element, since all of them are drawn at each edit."""
    words = _line(_ICONS[kind_of(layer).key], layer.label, row, name, outline)
    st.button(f"{words} :gray[:material/edit:]", key=f"lab_edit_{number}", type="tertiary",
              on_click=lab.toggle, args=(number,), wrap=True)


def _open(
    draft: Draft, number: int, layer: LayerSpec, name: str, row: Row | None, totals: str
) -> None:
    """Draw what can be changed in a layer, and what it costs."""
    with st.container(border=True, key=f"lab_open_{number}"):
        _form(draft, number, layer, kind_of(layer))
        st.caption(f"{plain(name)}: {_cost(row)}. The whole network: {plain(totals)}." if row else
                   "Its cost is known when it fits.")


def _line(icon: str, words: str, row: Row | None, name: str, outline: Outline) -> str:
    """Return what a row says of itself: red where it breaks, grey behind."""
    if name == outline.broken:
        problem = outline.problem.removeprefix(f"“{words}” ")
        return f":red[:material/error: **{plain(words)}** {plain(problem)}]"
    if row is None:
        return f":gray[:material/{icon}: {plain(words)}]"
    size = "×".join(map(str, row.output_shape))
    cost = f" :gray[· {mega(row.parameters)}]" if row.parameters else ""
    return f":gray[:material/{icon}:] **{plain(words)}** → {size}{cost}"


def _cost(row: Row) -> str:
    return (f"{amount(row.parameters, 'parameter')}, {mega(row.multiply_adds)} multiply-adds, "
            f"{mega(row.values)} values come out")


def _form(draft: Draft, number: int, layer: LayerSpec, kind: Kind) -> None:
    st.caption(plain(kind.help))
    usual = [field for field in kind.fields if not field.seldom]
    seldom = [field for field in kind.fields if field.seldom]
    if usual:
        _fields(usual, number, layer)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        place, last = draft.ids.index(number), len(draft.ids) - 1
        _button("Up", "arrow_upward", number, place == 0, Draft.moved, number, -1)
        _button("Down", "arrow_downward", number, place == last, Draft.moved, number, 1)
        _button("Copy", "content_copy", number, False, Draft.doubled, number)
        _button("Remove", "delete", number, last == 0, Draft.without, number)
        key = f"lab_below_{number}"
        st.selectbox("Add below", list(KINDS), index=None, placeholder="Add below",
                     format_func=_title, key=key, label_visibility="collapsed", width=190,
                     on_change=_add, args=(key, number))
        if seldom:
            with st.popover("More", icon=":material/tune:"):
                _fields(seldom, number, layer)


def _fields(fields: list[Field], number: int, layer: LayerSpec) -> None:
    with st.grid("auto", min_column_width=_FIELD_WIDTH):
        for field in fields:
            _field(field, number, getattr(layer, field.name))


def _field(field: Field, number: int, value: Any) -> None:
    key = f"lab_{number}_{field.name}"
    st.session_state[key] = value  # the draft is what counts, after an undo as well
    more: dict[str, Any] = {"key": key, "help": field.help or None, "on_change": _take,
                            "args": (key, number, field.name)}
    if field.kind == "switch":
        st.checkbox(field.title, **more)
    elif field.kind == "choice":
        st.selectbox(field.title, list(field.choices), **more,
                     format_func=lambda choice: spoken(field, choice))
    else:
        whole = field.kind == "whole"
        number_type = int if whole else float
        st.session_state[key] = None if value is None else number_type(value)
        st.number_input(field.title, number_type(field.low), number_type(field.high), **more,
                        step=1 if whole else 0.05, format=None if whole else "%g",
                        placeholder="as the window" if field.empty else None)


def _button(label: str, icon: str, number: int, disabled: bool, change: Any, *args: Any) -> None:
    st.button(label, icon=f":material/{icon}:", key=f"lab_{icon}_{number}", disabled=disabled,
              on_click=edit, args=(change, *args))


def _take(key: str, number: int, setting: str) -> None:
    edit(Draft.changed, number, setting, st.session_state[key])


def _add(key: str, after: int | None = None) -> None:
    """Add the kind that was chosen, open it, and let the field be empty again."""
    kind, st.session_state[key] = st.session_state[key], None
    if kind:
        edit(Draft.added, kind, after, opened=True)


def _title(key: str) -> str:
    return KINDS[key].title
