"""A small network in NumPy and an engine that answers for it: tests of pages need no TensorFlow.

Has a layer of every kind that the page Look inside explains, and names with markup.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cnn.data.images import decode_image, encode_png
from cnn.errors import BadInput
from cnn.models.convolving import Way, activated, convolve, normalised, pool, softmax
from cnn.prediction.client import Prediction
from cnn.prediction.opening import pack
from cnn.prediction.predictor import to_input
from cnn.training.snapshots import Snapshots

SHAPE, CLASSES = (8, 8, 1), tuple("0123456789")
MARKUP = '<b>x</b>"; a -> b'
_random = np.random.default_rng(5)


def _weights(*shape: int) -> np.ndarray:
    return _random.normal(0, 0.5, shape).astype(np.float32)


WEIGHTS = {
    "conv_1": {"kernel": _weights(3, 3, 1, 4), "bias": _weights(4)},
    "norm_1": {"gamma": 1 + _weights(4) ** 2, "beta": _weights(4), "moving_mean": _weights(4),
               "moving_variance": 1 + _weights(4) ** 2},
    "conv_2": {"kernel": _weights(2, 2, 4, 5), "bias": _weights(5)},
    "dense_1": {"kernel": _weights(20, 6), "bias": _weights(6)},
    "logits": {"kernel": _weights(6, 10), "bias": _weights(10)},
    "answer": {"kernel": _weights(6, 10), "bias": _weights(10)},
}
_CONV = {"stride": [1, 1], "padding": "same", "dilation": [1, 1], "activation": "linear"}
_POOL = {"window": [2, 2], "stride": [2, 2], "padding": "valid"}
# name: kind, label, sources, settings
LAYERS: dict[str, tuple[str, str, tuple[str, ...], dict[str, Any]]] = {
    "image": ("input", "Input", (), {}),
    "rescaling": ("rescaling", "Rescale 0–255 to 0–1", ("image",),
                  {"scale": 1 / 255, "offset": 0.0}),
    "conv_1": ("conv", "Conv 3×3, 4", ("rescaling",), {**_CONV, "window": [3, 3], "filters": 4}),
    "norm_1": ("norm", "Batch normalisation", ("conv_1",), {"epsilon": 0.001}),
    "relu_1": ("activation", "ReLU", ("norm_1",), {"activation": "relu"}),
    "pool_1": ("max-pool", "Max pool 2×2", ("relu_1",), _POOL),
    "conv_2": ("conv", "Conv 2×2, 5, ReLU", ("pool_1",),
               {**_CONV, "window": [2, 2], "filters": 5, "activation": "relu"}),
    MARKUP: ("average-pool", "Average pool 2×2", ("conv_2",), _POOL),
    "most": ("global-max", "Global max pool", (MARKUP,), {}),
    "sum": ("add", "Add", ("conv_2", "conv_2"), {}),
    "flatten_1": ("flatten", "Flatten", (MARKUP,), {}),
    "dense_1": ("dense", "Dense 6, ReLU", ("flatten_1",), {"activation": "relu"}),
    "logits": ("dense", "Dense 10", ("dense_1",), {"activation": "linear"}),
    "probabilities": ("softmax", "Softmax", ("logits",), {"activation": "softmax"}),
    "answer": ("dense", "Dense 10, Softmax", ("dense_1",), {"activation": "softmax"}),
    "odd": ("other", "Thing", ("relu_1",), {}),
    "closed": ("other", "Thing", ("relu_1",), {}),
}
FOLLOWING = {"conv_1": ["norm_1", "relu_1"], "norm_1": ["relu_1"]}


def outputs(picture: np.ndarray) -> dict[str, np.ndarray]:
    """Return what comes out of each layer for a picture, uint8 (8, 8, 1)."""
    found: dict[str, np.ndarray] = {"image": picture.astype(np.float32)}
    for name, (kind, _, sources, settings) in list(LAYERS.items())[1:]:
        values = _one(name, kind, [found[source] for source in sources], settings)
        found[name] = np.asarray(values, np.float32)
    return found


def _one(name: str, kind: str, inputs: list[np.ndarray], settings: dict[str, Any]) -> Any:
    values, weights = inputs[0], WEIGHTS.get(name, {})
    activation = settings.get("activation", "linear")
    if kind == "conv":
        maps = [convolve(values, weights["kernel"][..., number], weights["bias"][number],
                         _way(settings)) for number in range(settings["filters"])]
        return activated(np.stack(maps, -1), activation)
    if kind in ("max-pool", "average-pool"):
        return pool(values, _way(settings), kind.split("-", maxsplit=1)[0])
    if kind == "norm":
        return normalised(values, weights["moving_mean"], weights["moving_variance"],
                          settings["epsilon"], weights["gamma"], weights["beta"])
    if kind == "dense":
        values = values @ weights["kernel"] + weights["bias"]
    return {"rescaling": lambda: values / 255, "global-max": lambda: values.max((0, 1)),
            "add": lambda: inputs[0] + inputs[1], "flatten": values.ravel,
            "softmax": lambda: softmax(values), "other": lambda: values,
            }.get(kind, lambda: softmax(values) if activation == "softmax"
                  else activated(values, activation))()


def _way(settings: dict[str, Any]) -> Way:
    return Way(tuple(settings["window"]), tuple(settings["stride"]), settings["padding"])


def part(name: str) -> dict[str, Any]:
    """Return a layer as the engine tells it."""
    kind, label, sources, settings = LAYERS[name]
    shapes = {key: values.shape for key, values in outputs(np.zeros(SHAPE, np.uint8)).items()}
    count = sum(values.size for values in WEIGHTS.get(name, {}).values())
    return {"name": name, "kind": kind, "label": label, "sources": sources,
            "input_shapes": [shapes[source] for source in sources], "output_shape": shapes[name],
            "parameters": count, "trainable": count, "settings": settings,
            "open": name != "closed"}


class NumpyEngine:
    """Answers as `EngineClient` does, for any model's name."""

    ready = True

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def predict(self, model: str, images: list[bytes], **options: Any) -> list[Prediction]:
        seen = _seen(images[0])
        shares = outputs(seen)["probabilities"]
        top = tuple((CLASSES[place], float(shares[place])) for place in np.argsort(-shares))
        return [Prediction(top, SHAPE[:2], preview=encode_png(seen), seen=encode_png(seen))]

    def call(self, header: dict[str, Any], parts: Any = ()) -> tuple[dict[str, Any], list[bytes]]:
        self.asked.append(header)
        if header["op"] == "anatomy":
            return {"layers": [part(name) for name in LAYERS]}, []
        return (_layer if header["op"] == "layer" else _moment)(header, _seen(parts[0]))


def _seen(data: bytes) -> np.ndarray:
    return to_input(decode_image(data), SHAPE, "crop", False)[0]


def _layer(header: dict[str, Any], seen: np.ndarray) -> tuple[dict[str, Any], list[bytes]]:
    name, found = header["layer"], outputs(seen)
    then = FOLLOWING.get(name, [])
    arrays = {f"input/{place}": found[source] for place, source in enumerate(LAYERS[name][2])}
    arrays["output"] = found[name]
    arrays |= {f"then/{place}": found[one] for place, one in enumerate(then)}
    for one in (name, *then):
        arrays |= {f"weight/{one}/{key}": value for key, value in WEIGHTS.get(one, {}).items()}
    facts, blobs = pack(arrays)
    return {"then": then, "arrays": facts}, [encode_png(seen), *blobs]


def _moment(header: dict[str, Any], seen: np.ndarray) -> tuple[dict[str, Any], list[bytes]]:
    about, weights = Snapshots(Path(header["folder"])).read(header["epoch"])
    if about.architecture == "changed":
        raise BadInput("The snapshot is of another network.")
    shares = np.full(len(about.class_names), 0.05)
    shares[int(weights[0][0, 0])] = 0.55
    layers = {} if about.architecture == "dense" else {"conv_1": [8, 8, 4], "conv_2": [4, 4, 50]}
    layer = header["layer"] if header["layer"] in layers else next(iter(layers), "")
    picture = encode_png(seen + np.uint8(header["epoch"]))
    return ({"probabilities": shares.tolist(), "layer": layer,
             "layers": [{"name": name, "shape": shape} for name, shape in layers.items()],
             "heat_layer": "conv_2" if layers else "", "size": [4, 4] if layers else [0, 0],
             "coarse": False, "blank": header["class"] == "9"},
            [encode_png(seen), picture if layers else b"", picture if layers else b""])
