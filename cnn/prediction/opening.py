"""The engine's side of the page Look inside: the layers of a saved model, and what each one does.

Handlers of the requests that `opened` sends. Needs TensorFlow; knows no pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cnn.data.images import encode_png
from cnn.errors import BadInput
from cnn.prediction.handlers import Reply, handles
from cnn.prediction.predictor import Predictor, decode, prepare

if TYPE_CHECKING:
    from cnn.models.anatomy import Anatomy
    from cnn.prediction.engine import Engine

MOST_BYTES = 16 * 2**20  # of one array: larger ones are no longer for looking at
_anatomies: WeakKeyDictionary[Predictor, Anatomy] = WeakKeyDictionary()


def _anatomy(predictor: Predictor) -> Anatomy:
    from cnn.models.anatomy import Anatomy

    if predictor not in _anatomies:
        _anatomies[predictor] = Anatomy(predictor.network)
    return _anatomies[predictor]


@handles("anatomy")
def _list_layers(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Return the layers of a saved model."""
    anatomy = _anatomy(engine.model(header["model"]))
    return {"layers": [asdict(part) for part in anatomy.parts.values()]}, []


@handles("layer")
def _open_layer(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Return what a layer did with a picture: the picture as it was seen, and arrays.

    The arrays are inputs, output, the outputs of the layers that follow it value by value, and the
    weights of all of these; one that is too large is left out.
    """
    predictor = engine.model(header["model"])
    anatomy, name = _anatomy(predictor), header["layer"]
    picture, _ = decode(parts[0], predictor.card.input_shape)
    seen, _ = prepare(picture, predictor.card, header.get("how", ""))
    flow, then = anatomy.flow(name, seen), anatomy.following(name)
    arrays = {f"input/{place}": values for place, values in enumerate(flow.inputs)}
    arrays["output"] = flow.output
    arrays |= {f"then/{place}": values for place, values in enumerate(flow.then)}
    for one in (name, *then):
        arrays |= {f"weight/{one}/{key}": values
                   for key, values in anatomy.weights(one).items()}
    if flow.output.nbytes > MOST_BYTES:
        raise BadInput(f"The layer {name} gives {flow.output.size:,} values, too many to be shown.",
                       f"Up to {MOST_BYTES // 4:,} can be. Choose another layer.")
    facts, blobs = pack(arrays)
    return {"then": then, "arrays": facts}, [encode_png(seen), *blobs]


def pack(arrays: dict[str, NDArray[np.float32]]) -> tuple[list[dict[str, Any]], Sequence[bytes]]:
    """Return names and shapes of arrays that are not too large, and their float32 bytes."""
    kept = {name: np.ascontiguousarray(values, np.float32) for name, values in arrays.items()
            if values.nbytes <= MOST_BYTES}
    return ([{"name": name, "shape": values.shape} for name, values in kept.items()],
            [values.tobytes() for values in kept.values()])
