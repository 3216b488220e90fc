"""The engine's answers to "why?": heat maps, feature maps and the nearest training images.

Handlers of the requests that `reasons` sends, and the same for the command line, which needs no
engine. Needs TensorFlow; knows no pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from cnn.data.dataset import Dataset, Images
from cnn.data.images import encode_png, resize
from cnn.errors import BadInput
from cnn.prediction.handlers import Reply, handles
from cnn.prediction.heat import FINEST_NEEDED, Heat, feature_maps, grad_cam, map_layer, saliency
from cnn.prediction.heat_pictures import overlay, sheet
from cnn.prediction.neighbours import Gallery, open_gallery
from cnn.prediction.predictor import Predictor, decode, prepare
from cnn.prediction.saved import Card

if TYPE_CHECKING:
    from cnn.prediction.engine import Engine

GRAD_CAM, SALIENCY = "grad-cam", "saliency"
METHODS = (GRAD_CAM, SALIENCY)
MOST_CLASSES = 4  # explained in one request
MOST_MAPS = 32  # of a layer, on one sheet
MOST_NEIGHBOURS = 24
SLICE_SECONDS = 3.0  # of work on the gallery, before others who wait have their turn
_COLUMNS, _MAP_SIDE = 8, 64
_SIDE = 288  # pixels, about, of the longer side of a heat map's picture

_galleries: WeakKeyDictionary[Predictor, tuple[Gallery, Dataset]] = WeakKeyDictionary()


@dataclass(frozen=True)
class ClassMap:
    """What speaks for one class."""

    name: str
    probability: float
    picture: Images  # uint8 (H, W, 3), the heat laid over the picture
    blank: bool  # no part of the picture speaks for it


@dataclass(frozen=True)
class Explanation:
    """Heat maps of one picture."""

    picture: Images  # uint8 (H, W, C), what the maps were laid over
    maps: tuple[ClassMap, ...]
    layer: str  # whose feature map was used; "" for saliency
    size: tuple[int, int]  # of that map, or of what the network sees

    @property
    def coarse(self) -> bool:
        """Whether the map has too few places to tell where in the picture something is."""
        return min(self.size) < FINEST_NEEDED


def explain(
    predictor: Predictor, picture: Images, how: str = "", method: str = GRAD_CAM,
    classes: Sequence[str] = (),
) -> Explanation:
    """Return which parts of a picture speak for some classes.

    Args:
        predictor: The model.
        picture: uint8 (H, W, 3), of any size.
        how: crop, fit or stretch; empty for what the model's card says.
        method: grad-cam or saliency.
        classes: Their names. Defaults to the most probable and the runner-up.

    Raises:
        BadInput: If the method or a class is unknown, or the network has no feature map.
    """
    if method not in METHODS:
        raise BadInput(f"method must be one of {', '.join(METHODS)}. Received: {method!r}.",
                       "Choose one of these.")
    seen, _ = prepare(picture, predictor.card, how)
    probabilities = predictor.predict([picture], how)[0].probabilities
    numbers = _numbers(predictor.card, classes, probabilities)
    heats, layer = _heats(predictor.inside, seen, numbers, method)
    shown = _legible(picture, seen, how or predictor.card.resize)
    maps = tuple(
        ClassMap(predictor.card.class_names[number], float(probabilities[number]),
                 overlay(shown, heat), not heat.any())
        for number, heat in zip(numbers, heats, strict=True))
    height, width = heats[0].shape
    return Explanation(shown, maps, layer, (height, width))


def _heats(inside: Any, seen: Images, numbers: list[int], method: str) -> tuple[list[Heat], str]:
    if method == SALIENCY:
        return [saliency(inside, seen, number) for number in numbers], ""
    layer = map_layer(inside.maps())
    return grad_cam(inside, seen, numbers, layer), layer


def _numbers(card: Card, names: Sequence[str], probabilities: Any) -> list[int]:
    if not names:
        return [int(place) for place in np.argsort(-probabilities, kind="stable")[:2]]
    unknown = [name for name in names if name not in card.class_names]
    if unknown:
        raise BadInput(f"The model {card.name} has no class {unknown[0]!r}.",
                       f"Its classes: {', '.join(card.class_names)}.")
    if len(names) > MOST_CLASSES:
        raise BadInput(f"At most {MOST_CLASSES} classes can be explained at a time. "
                       f"Received: {len(names)}.", "Ask for fewer.")
    return [card.class_names.index(name) for name in names]


def _legible(picture: Images, seen: Images, how: str) -> Images:
    """Return what the network sees, larger: from the picture itself where that has more detail."""
    height, width = seen.shape[:2]
    factor = max(1, _SIDE // max(height, width))
    if min(picture.shape[:2]) >= 2 * max(height, width):
        return resize(picture, (height * factor, width * factor), how)
    return seen.repeat(factor, axis=0).repeat(factor, axis=1)


@handles("explain")
def _explain(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Return the picture and one heat map for each class."""
    predictor = engine.model(header["model"])
    picture, _ = decode(parts[0], predictor.card.input_shape)
    found = explain(predictor, picture, header.get("how", ""), header.get("method", GRAD_CAM),
                    header.get("classes", ()))
    facts = {"layer": found.layer, "size": found.size, "coarse": found.coarse,
             "maps": [{"class": item.name, "probability": item.probability, "blank": item.blank}
                      for item in found.maps]}
    return facts, [encode_png(found.picture), *(encode_png(item.picture) for item in found.maps)]


@handles("feature-maps")
def _feature_maps(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Return the strongest feature maps of a layer on one sheet, and which layers there are."""
    predictor = engine.model(header["model"])
    shapes = predictor.inside.maps()
    layer = header.get("layer") or next(iter(shapes), "")
    if layer not in shapes:
        raise BadInput(f"The model {predictor.card.name} has no feature maps"
                       f"{f' of a layer {layer!r}' if layer else ''}.",
                       f"Layers with feature maps: {', '.join(shapes) or 'none'}.")
    picture, _ = decode(parts[0], predictor.card.input_shape)
    seen, _ = prepare(picture, predictor.card, header.get("how", ""))
    maps = feature_maps(predictor.inside, seen, layer)
    strongest = np.argsort(-np.abs(maps).mean((0, 1)), kind="stable")[:MOST_MAPS]
    facts = {"layers": [{"name": name, "shape": shape} for name, shape in shapes.items()],
             "layer": layer, "channels": [int(channel) for channel in strongest]}
    return facts, [encode_png(sheet(maps[..., strongest], _COLUMNS, _MAP_SIDE))]


@handles("neighbours")
def _neighbours(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Return the training images most like a picture, or how far the preparation is."""
    predictor = engine.model(header["model"])
    if predictor not in _galleries:
        _galleries[predictor] = open_gallery(predictor.card, predictor.looker.features)
    gallery, dataset = _galleries[predictor]
    facts: dict[str, Any] = {"done": gallery.done, "total": len(gallery.rows), "neighbours": []}
    if not gallery.grow(SLICE_SECONDS):
        return {**facts, "done": gallery.done}, []
    picture, _ = decode(parts[0], predictor.card.input_shape)
    seen, _ = prepare(picture, predictor.card, header.get("how", ""))
    found = gallery.nearest(seen, min(int(header.get("count", 8)), MOST_NEIGHBOURS))
    facts["neighbours"] = [
        {"row": item.row, "class": dataset.class_names[dataset.train_labels[item.row]],
         "likeness": item.likeness} for item in found]
    return {**facts, "done": gallery.done}, [
        encode_png(np.asarray(dataset.train_images[item.row])) for item in found]
