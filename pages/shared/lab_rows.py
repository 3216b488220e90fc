"""What the list of the architecture lab says: rows, settings and their bounds, as plain values.

Draws nothing: `layer_editor` hands these values to a script in the page.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cnn.models.editing import Draft
from cnn.models.kinds import KINDS, Field, Kind, kind_of, spoken
from cnn.models.specs import LayerSpec
from cnn.models.summary import Outline, Row
from pages.shared.formats import amount, mega

_ICONS = {
    "conv": "grid_on", "max_pool": "compress", "average_pool": "compress",
    "global_max_pool": "center_focus_strong", "global_average_pool": "center_focus_strong",
    "batch_norm": "balance", "activation": "show_chart", "dropout": "blur_on", "flatten": "reorder",
    "dense": "hub", "residual": "alt_route", "inception": "call_split", "skip": "redo",
    "scale": "straighten", "whitening": "filter_b_and_w"}
_STEP = 0.05  # of a number that need not be whole


@cache
def kinds_of_layers() -> list[dict[str, Any]]:
    """Return what may be added and set, in the order of the registry of kinds."""
    return [_kind(kind) for kind in KINDS.values()]


def _kind(kind: Kind) -> dict[str, Any]:
    return {"key": kind.key, "title": kind.title, "help": kind.help,
            "fields": [_field(field) for field in kind.fields]}


def _field(field: Field) -> dict[str, Any]:
    whole = field.kind == "whole"
    return {"name": field.name, "title": field.title, "kind": field.kind, "low": field.low,
            "high": field.high, "step": 1 if whole else _STEP, "empty": field.empty,
            "help": field.help, "seldom": field.seldom,
            "choices": [[choice, spoken(field, choice)] for choice in field.choices]}


def rows_of_layers(draft: Draft, outline: Outline) -> list[dict[str, Any]]:
    """Return all layers, from the image to the probabilities.

    Args:
        draft: What is worked on.
        outline: Of it, up to the layer that breaks.
    """
    known = {row.name: row for row in outline.summary.rows}
    first, *body, head, last = _names(draft)
    units = outline.summary.classes
    lines = [
        (first, "input", "Rescale 0–255 to 0–1", {}),
        *((name, _ICONS[kind_of(layer).key], layer.label, _editable(number, layer))
          for (number, layer), name in zip(draft.rows, body, strict=True)),
        (head, "hub", f"Dense, {units}: one value for each class", {}),
        (last, "output", "Softmax: values become probabilities", {}),
    ]
    return [{"icon": icon, "words": words, **more, **_said(known.get(name), name, words, outline)}
            for name, icon, words, more in lines]


def _names(draft: Draft) -> list[str]:
    architecture = draft.document.architecture("draft")
    return [name for name, _ in architecture.layers((1, 1, 1), 2)]


def _editable(number: int, layer: LayerSpec) -> dict[str, Any]:
    kind = kind_of(layer)
    return {"number": number, "kind": kind.key,
            "values": {field.name: getattr(layer, field.name) for field in kind.fields}}


def _said(row: Row | None, name: str, words: str, outline: Outline) -> dict[str, Any]:
    """Return what a row says beside its name: what comes out, or why it breaks."""
    if name == outline.broken:
        return {"problem": outline.problem.removeprefix(f"“{words}” ")}
    if row is None:
        return {}
    return {"size": "×".join(map(str, row.output_shape)),
            "parameters": mega(row.parameters) if row.parameters else "",
            "cost": f"{name}: {amount(row.parameters, 'parameter')}, {mega(row.multiply_adds)} "
                    f"multiply-adds, {mega(row.values)} values come out."}
