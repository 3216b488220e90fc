"""Edits of a draft, each a new draft; and a draft as text that anybody may have written."""

import base64
import zlib
from dataclasses import replace

import pytest

from cnn.errors import BadInput
from cnn.models.documents import MOST_LAYERS, document_of
from cnn.models.editing import draft_of, packed, unpacked
from cnn.models.kinds import KINDS
from cnn.models.registry import built_in_names, get_architecture
from cnn.models.weighted import Conv


@pytest.fixture
def draft():
    return draft_of(document_of(get_architecture("base"), (8, 8, 1), 10))


def labels(draft):
    return [layer.label for _, layer in draft.rows]


def test_a_change_touches_one_layer_and_leaves_the_draft_before_it(draft):
    after = draft.changed(3, "filters", 48)
    assert labels(after)[2] == "Conv 4×4, 48, ReLU"
    assert labels(after)[:2] + labels(after)[3:] == labels(draft)[:2] + labels(draft)[3:]
    assert draft.layer(3) == Conv(32, 4, "relu")
    assert after.ids == draft.ids


@pytest.mark.parametrize(("setting", "value"), [
    ("filters", 0), ("filters", None), ("kernel", 2.5), ("activation", "softmax"), ("bias", None)])
def test_a_value_that_is_not_allowed_is_refused(draft, setting, value):
    with pytest.raises(BadInput, match="must be"):
        draft.changed(1, setting, value)


@pytest.mark.parametrize(("number", "by", "ids"), [
    (1, 1, (2, 1, 3, 4, 5, 6)), (6, -1, (1, 2, 3, 4, 6, 5)), (1, -1, (1, 2, 3, 4, 5, 6)),
    (6, 1, (1, 2, 3, 4, 5, 6)), (2, 3, (1, 3, 4, 5, 2, 6))])
def test_a_layer_moves_and_keeps_its_number(draft, number, by, ids):
    assert draft.moved(number, by).ids == ids


def test_adding_copying_and_removing(draft):
    added = draft.added("dropout", 2)
    assert added.ids == (1, 2, 7, 3, 4, 5, 6)
    assert added.layer(7) == KINDS["dropout"].new()
    doubled = added.doubled(1)
    assert doubled.ids[:2] == (1, 8)
    assert doubled.layer(8) == draft.layer(1)
    assert doubled.without(8).without(7) == draft
    assert draft.added("flatten").ids[-1] == 7


def test_the_last_layer_stays_and_there_is_a_most(draft):
    alone = draft_of(replace(draft.document, layers=draft.document.layers[:1]))
    with pytest.raises(BadInput, match="at least one"):
        alone.without(1)
    full = draft_of(replace(draft.document, layers=draft.document.layers[:1] * MOST_LAYERS))
    for edit in (lambda: full.added("conv"), lambda: full.doubled(1)):
        with pytest.raises(BadInput, match=f"at most {MOST_LAYERS}"):
            edit()


@pytest.mark.parametrize("name", built_in_names())
def test_a_draft_survives_the_address(name):
    document = document_of(get_architecture(name), (32, 32, 3), 10)
    text = packed(document)
    assert len(text) < 1500
    assert unpacked(text) == document


def squeezed(data):
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


@pytest.mark.parametrize("text", [
    "x", "nonsense", "ä", "A" * 9, squeezed(b"{"), squeezed(b"[" * 100_000),
    squeezed(b" " * 10_000_000), squeezed(b"{}")[:-4], squeezed(b'"text"'), squeezed(b"{}")])
def test_a_hostile_address_is_refused_in_words(text):
    with pytest.raises(BadInput):
        unpacked(text)
