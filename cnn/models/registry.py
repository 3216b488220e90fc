"""Which architectures there are, by name: the one list of them.

An architecture of this program is registered by a decorator on the function that describes its
body; one that a person made is a file (`own`). Nothing here
imports TensorFlow or Keras, and nothing here knows how a description becomes a model.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from cnn.errors import NotFound
from cnn.models.specs import Activation, LayerSpec, Rescaling, Shape, named_layers
from cnn.models.weighted import Dense

Body = Callable[[Shape, int], tuple[LayerSpec, ...]]
Engine = Literal["keras", "tf.nn"]
_ARCHITECTURES: dict[str, Architecture] = {}
_HELD: dict[str, Architecture] = {}


@dataclass(frozen=True)
class Architecture:
    """A network for any image size and number of classes."""

    name: str
    description: str  # one line
    family: str  # the module that describes it
    recipe: Mapping[str, Any]  # settings of `RunConfig` for it, where they are not the usual ones
    engine: Engine  # what executes it: Keras layers or our own code on tf.nn
    head: Dense  # the last layer with weights; its units are the classes
    body: Body  # (input shape, classes) to the layers between rescaling and head
    source: str = ""  # the publication it comes from, if from one
    document: Mapping[str, Any] | None = None  # the data it was made of, if a person made it
    key: str = ""  # tells networks of one name apart; measured speeds are kept under it

    def layers(self, input_shape: Shape, classes: int) -> tuple[tuple[str, LayerSpec], ...]:
        """Return all layers from rescaling to probabilities, each with its name."""
        body = named_layers(self.body(input_shape, classes))
        head = (("logits", replace(self.head, units=classes)),
                ("probabilities", Activation("softmax")))
        return (("rescaling", Rescaling()), *body, *head)


def register(
    name: str,
    description: str,
    recipe: Mapping[str, Any] = MappingProxyType({}),
    engine: Engine = "keras",
    head: Dense = Dense(0),  # noqa: B008 - frozen, so it can be shared
    source: str = "",
) -> Callable[[Body], Body]:
    """Register the decorated function as the body of an architecture.

    Args:
        name: What people choose it by.
        description: One line that says what it is good for.
        recipe: Settings of `RunConfig` that its training uses unless told otherwise.
        engine: What executes it.
        head: Description of the last layer with weights, for any number of units.
        source: The publication it comes from.

    Raises:
        ValueError: If the name is taken.
    """
    def add(body: Body) -> Body:
        if name in _ARCHITECTURES:
            raise ValueError(f"The architecture {name!r} is registered twice.")
        family = body.__module__.rpartition(".")[2]
        _ARCHITECTURES[name] = Architecture(
            name, description, family, recipe, engine, head, body, source, key=name)
        return body

    return add


def built_in_names() -> list[str]:
    """Return the names of the architectures of this program, from the simplest on."""
    return list(_ARCHITECTURES)


def architecture_names() -> list[str]:
    """Return the names of all architectures: those of this program, then those made here."""
    return [*_ARCHITECTURES, *(name for name in own.own_names() if name not in _ARCHITECTURES)]


def get_architecture(name: str) -> Architecture:
    """Return the architecture called `name`.

    Raises:
        NotFound: If there is none; the hint names the nearest.
        Damaged: If it was made here and its file cannot be read.
    """
    if name in _HELD or name in _ARCHITECTURES:
        return _HELD.get(name) or _ARCHITECTURES[name]
    try:
        return own.read_own(name)
    except NotFound as error:
        names = architecture_names()
        near = difflib.get_close_matches(name, names, n=1)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        raise NotFound(f"There is no architecture {name!r}.",
                       f"{guess}Choose one of: {', '.join(names)}.") from error


def hold(architecture: Architecture) -> None:
    """Let its name mean this very architecture in this process, whatever files say.

    For a trainer: its run goes on with what it began with.
    """
    _HELD[architecture.name] = architecture


# These modules need `register`, so they come last; their order is the order of the list.
from cnn.models import dense, ladder, vgg, by_hand, lenet, classics, speedrun  # noqa: E402, F401, I001
from cnn.models import own  # noqa: E402  made of what is defined above
