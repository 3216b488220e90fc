"""Asking the engine what is inside a network: the server's side of `opening`.

Needs no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.models.specs import Shape
from cnn.prediction.client import EngineClient

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """One use of a layer of a saved model. Shapes leave out the batch."""

    name: str
    kind: str  # conv, max-pool, average-pool, norm, activation, softmax, dense ... or other
    label: str
    sources: tuple[str, ...]  # the layers whose outputs go in
    input_shapes: tuple[Shape, ...]
    output_shape: Shape  # empty if it gives something else than one array
    parameters: int
    trainable: int  # of these
    settings: dict[str, Any]
    open: bool  # whether its values can be asked for
    first: str = ""  # its first use, whose weights it shares, if this is a later one


@dataclass(frozen=True)
class OpenLayer:
    """What a layer did with one picture. Arrays that are too large are missing."""

    name: str
    seen: bytes  # PNG: the picture as the network got it
    then: tuple[str, ...]  # the layers after it that change each value by itself
    arrays: dict[str, Array]

    def inputs(self) -> list[Array | None]:
        """Return what went in, one for each source."""
        return [self.arrays.get(f"input/{place}") for place in range(self._count("input"))]

    @property
    def output(self) -> Array:
        """What came out."""
        return self.arrays["output"]

    def output_of(self, name: str) -> Array | None:
        """Return what came out of a layer of `then`."""
        return self.arrays.get(f"then/{self.then.index(name)}")

    def weight(self, key: str, name: str = "") -> Array | None:
        """Return a weight, such as kernel or bias, of this layer or of one of `then`."""
        return self.arrays.get(f"weight/{name or self.name}/{key}")

    def _count(self, group: str) -> int:
        places = [int(name.partition("/")[2]) for name in self.arrays
                  if name.startswith(f"{group}/")]
        return max(places, default=-1) + 1


def ask_layers(engine: EngineClient, model: str) -> tuple[Layer, ...]:
    """Return the layers of a saved model, in the order of the network.

    Raises:
        CnnError: What the engine answered, or that it does not work.
    """
    reply, _ = engine.call({"op": "anatomy", "model": model})
    return tuple(_layer(part) for part in reply["layers"])


def _layer(part: dict[str, Any]) -> Layer:
    shapes = tuple(tuple(shape) for shape in part["input_shapes"])
    return Layer(**{**part, "sources": tuple(part["sources"]), "input_shapes": shapes,
                    "output_shape": tuple(part["output_shape"])})


def ask_layer(
    engine: EngineClient, model: str, layer: str, picture: bytes, how: str = ""
) -> OpenLayer:
    """Return what a layer does with a picture.

    Args:
        engine: To ask.
        model: Name of a saved model.
        layer: Name of one of its layers that is open.
        picture: JPEG, PNG, WebP, BMP or GIF.
        how: crop, fit or stretch; empty for what the model's card says.

    Raises:
        CnnError: What the engine answered, or that it does not work.
    """
    reply, blobs = engine.call({"op": "layer", "model": model, "layer": layer, "how": how},
                               [picture])
    arrays = unpack(reply["arrays"], blobs[1:])
    return OpenLayer(layer, blobs[0], tuple(reply["then"]), arrays)


def unpack(facts: Sequence[dict[str, Any]], blobs: Sequence[bytes]) -> dict[str, Array]:
    """Return the arrays that `opening.pack` sent; they cannot be written to."""
    return {fact["name"]: np.frombuffer(blob, np.float32).reshape(fact["shape"])
            for fact, blob in zip(facts, blobs, strict=True)}
