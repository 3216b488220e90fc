"""An architecture that a person made, as plain data: read strictly, written in full.

    {"format": 1, "name": "mine", "description": "…", "based_on": "vgg",
     "layers": [{"type": "conv", "filters": 32, "kernel": 3}, …],
     "head": {"bias": true, "unit": false}, "recipe": {"learning_rate": 0.0003}}

`layers` are those between rescaling and the last dense layer, of which `head` tells what is
unusual; `recipe` has settings of a run. Knows no files; where they lie is said in `own`.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from cnn.config import Augmentation, RunConfig, config_from_dict
from cnn.errors import BadInput
from cnn.models.kinds import layer_from_dict, layer_to_dict
from cnn.models.registry import Architecture
from cnn.models.specs import LayerSpec, Shape
from cnn.models.weighted import Dense, Whitening

FORMAT = 1
FAMILY = "own"  # of architectures that a person made
MOST_LAYERS = 200
LONGEST_DESCRIPTION = 200  # characters
_KEYS = ("format", "name", "description", "based_on", "layers", "head", "recipe")
_HEAD = ("bias", "unit")
_NAMED = {"dataset": "any", "architecture": "any", "name": "any"}  # what a recipe leaves open


@dataclass(frozen=True)
class Document:
    """What a person made; valid in itself, but not yet tried on images."""

    layers: tuple[LayerSpec, ...]
    description: str = ""  # one line
    based_on: str = ""  # the architecture it was begun from
    head: Dense = field(default_factory=lambda: Dense(0))
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self, name: str) -> dict[str, Any]:
        """Return the document as JSON-ready values, under a name."""
        recipe = {key: asdict(value) if isinstance(value, Augmentation) else value
                  for key, value in self.recipe.items()}
        return {"format": FORMAT, "name": name, "description": self.description,
                "based_on": self.based_on,
                "layers": [layer_to_dict(layer) for layer in self.layers],
                "head": {key: getattr(self.head, key) for key in _HEAD}, "recipe": recipe}

    def architecture(self, name: str) -> Architecture:
        """Return the architecture that this describes, under a name."""
        data = self.to_dict(name)
        parts = {key: data[key] for key in ("layers", "head", "recipe")}
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
        return Architecture(
            name, self.description or (f"Made here, from {self.based_on}." if self.based_on
                                        else "Made here."), FAMILY,
            self.recipe, "keras", self.head, self._body, document=data, key=f"{name}@{digest}")

    def _body(self, input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
        return tuple(layer.fitted(input_shape[-1]) if isinstance(layer, Whitening) else layer
                     for layer in self.layers)


def document_of(
    architecture: Architecture, input_shape: tuple[int, int, int], classes: int
) -> Document:
    """Return a document that begins as an architecture is for some images."""
    body = architecture.body(input_shape, classes)
    layers = tuple(Whitening(layer.kernel) if isinstance(layer, Whitening) else layer
                   for layer in body)  # whose filters follow from the images
    return Document(layers, "", architecture.name, replace(architecture.head, units=0),
                    architecture.recipe)


def document_from_dict(data: Mapping[str, Any]) -> Document:
    """Rebuild what `Document.to_dict` gave, or what a person wrote.

    Raises:
        BadInput: If anything in it is unknown, of the wrong type or out of bounds.
    """
    _known(data, _KEYS, "The architecture")
    if data.get("format") != FORMAT:
        raise BadInput(f"The architecture has the format {_short(data.get('format'))}, "
                       f"not {FORMAT}.", "It may come from a newer version: update, and try again.")
    layers = data.get("layers")
    if not isinstance(layers, list) or not 1 <= len(layers) <= MOST_LAYERS:
        said = f"{len(layers):,} layers" if isinstance(layers, list) else _short(layers)
        raise BadInput(f"An architecture has a list of 1 to {MOST_LAYERS} layers. "
                       f"Received: {said}.", "Take a block for layers that repeat.")
    made = []
    for number, entry in enumerate(layers, start=1):
        try:
            made.append(layer_from_dict(entry))
        except BadInput as error:
            raise BadInput(f"Layer {number} {error.message}") from error
    return Document(tuple(made), line_of_text(data.get("description", "")),
                    line_of_text(data.get("based_on", "")), _head(data.get("head", {})),
                    _recipe(data.get("recipe", {})))


def line_of_text(text: Any) -> str:
    """Return a description if it is one short line of text.

    Raises:
        BadInput: If it is not.
    """
    if not isinstance(text, str) or len(text) > LONGEST_DESCRIPTION or any(
            unicodedata.category(sign)[0] == "C" or unicodedata.category(sign) in ("Zl", "Zp")
            for sign in text):
        raise BadInput(f"A description is one line of at most {LONGEST_DESCRIPTION} characters. "
                       f"Received: {_short(text)}.", "Shorten it.")
    return text.strip()


def _head(data: Any) -> Dense:
    _known(data, _HEAD, "The head")
    wrong = [key for key, value in data.items() if not isinstance(value, bool)]
    if wrong:
        raise BadInput(f"The head's {wrong[0]} must be true or false. "
                       f"Received: {_short(data[wrong[0]])}.")
    return Dense(0, **data)


def _recipe(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping) or set(data) & set(_NAMED):
        raise BadInput(f"The recipe must be an object with settings of a run. "
                       f"Received: {_short(data)}.", "Leave it out to train as usual.")
    try:
        config: RunConfig = config_from_dict({**data, **_NAMED})
    except BadInput as error:
        raise BadInput(f"The recipe cannot be used: {error.message}", error.hint) from error
    return {key: getattr(config, key) for key in data}


def _known(data: Any, keys: tuple[str, ...], what: str) -> None:
    if not isinstance(data, Mapping):
        raise BadInput(f"{what} must be a JSON object. Received: {_short(data)}.")
    unknown = [key for key in data if key not in keys]
    if unknown:
        raise BadInput(f"{what} has the unknown entry {_short(unknown[0])}.",
                       f"Known entries: {', '.join(keys)}.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
