"""An architecture under work: single edits of its layers, and the whole of it as one line of text.

Each edit gives a new draft, so undoing one is keeping the draft before it. Layers have numbers that
stay theirs wherever they move. Knows nothing of pages.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass, replace
from typing import Any

from cnn.errors import BadInput
from cnn.models.documents import MOST_LAYERS, Document, document_from_dict
from cnn.models.kinds import KINDS, kind_of
from cnn.models.specs import LayerSpec

_MOST_UNPACKED = 2**18  # bytes: 200 layers written in full have a fifth of it


@dataclass(frozen=True)
class Draft:
    """A document whose layers can be named."""

    document: Document
    ids: tuple[int, ...]  # of the layers, in their order

    @property
    def rows(self) -> tuple[tuple[int, LayerSpec], ...]:
        """Each layer with its number, first to last."""
        return tuple(zip(self.ids, self.document.layers, strict=True))

    def layer(self, number: int) -> LayerSpec:
        """Return a layer by its number."""
        return self.document.layers[self.ids.index(number)]

    def changed(self, number: int, setting: str, value: Any) -> Draft:
        """Return the draft with one setting of a layer changed.

        Raises:
            BadInput: If the value is not allowed.
        """
        layer = self.layer(number)
        kind = kind_of(layer)
        field = next(field for field in kind.fields if field.name == setting)
        if not field.accepts(value):
            raise BadInput(f"{field.title} of “{kind.title}” must be {field.allowed}. "
                           f"Received: {str(value)[:40]}.")
        edited = replace(layer, **{setting: value})
        return self._with([(n, edited if n == number else old) for n, old in self.rows])

    def moved(self, number: int, by: int) -> Draft:
        """Return the draft with a layer some places further down, or up where `by` is negative."""
        rows = list(self.rows)
        place = self.ids.index(number)
        row = rows.pop(place)
        rows.insert(min(max(place + by, 0), len(rows)), row)
        return self._with(rows)

    def without(self, number: int) -> Draft:
        """Return the draft without a layer.

        Raises:
            BadInput: If it is the only one.
        """
        if len(self.ids) == 1:
            raise BadInput("An architecture has at least one layer.", "Add another one first.")
        return self._with([row for row in self.rows if row[0] != number])

    def doubled(self, number: int) -> Draft:
        """Return the draft with a copy of a layer below it.

        Raises:
            BadInput: If there are too many.
        """
        return self._inserted(number, self.layer(number))

    def added(self, kind: str, after: int | None = None) -> Draft:
        """Return the draft with a new layer of a kind, below a layer or as the last.

        Raises:
            BadInput: If there are too many.
        """
        return self._inserted(self.ids[-1] if after is None else after, KINDS[kind].new())

    @property
    def newest(self) -> int:
        """The number of the layer that was made last."""
        return max(self.ids)

    def _inserted(self, after: int, layer: LayerSpec) -> Draft:
        if len(self.ids) >= MOST_LAYERS:
            raise BadInput(f"An architecture has at most {MOST_LAYERS} layers.",
                           "Remove one, or take a block for layers that repeat.")
        rows = list(self.rows)
        rows.insert(self.ids.index(after) + 1, (self.newest + 1, layer))
        return self._with(rows)

    def _with(self, rows: list[tuple[int, LayerSpec]]) -> Draft:
        return Draft(replace(self.document, layers=tuple(layer for _, layer in rows)),
                     tuple(number for number, _ in rows))


def draft_of(document: Document, first: int = 1) -> Draft:
    """Return a draft of a document, its layers numbered from `first` on."""
    return Draft(document, tuple(range(first, first + len(document.layers))))


def packed(document: Document) -> str:
    """Return a document as text for an address: letters, digits, dashes and underscores."""
    text = json.dumps(document.to_dict(""), separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpacked(text: str) -> Document:
    """Rebuild what `packed` gave; for text that anybody may have written.

    Raises:
        BadInput: If it is anything else, or unpacks to more than an architecture has.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(data, _MOST_UNPACKED)
        if not unpacker.eof:
            raise ValueError("too long")
        value = json.loads(plain)
    except (ValueError, binascii.Error, zlib.error, RecursionError) as error:
        raise BadInput("The architecture in the address is damaged.",
                       "Copy the whole link, or start from another architecture.") from error
    return document_from_dict(value)
