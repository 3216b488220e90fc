"""Asking the engine why: the server's side of `explaining`. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnn.prediction.client import EngineClient


@dataclass(frozen=True)
class HeatMap:
    """Which parts of a picture speak for one class."""

    name: str  # of the class
    probability: float
    blank: bool  # no part of the picture speaks for it
    png: bytes


@dataclass(frozen=True)
class HeatMaps:
    """Heat maps of one picture, for some classes."""

    picture: bytes  # PNG: what the maps were laid over
    maps: tuple[HeatMap, ...]
    layer: str  # whose feature map was used; "" for saliency
    size: tuple[int, int]  # height and width of that map, or of what the network sees
    coarse: bool  # too few places to tell where in the picture something is


@dataclass(frozen=True)
class FeatureMaps:
    """The strongest feature maps of one layer for one picture."""

    layer: str
    channels: tuple[int, ...]  # which they are, the strongest first, as they lie on the sheet
    sheet: bytes  # PNG
    layers: tuple[tuple[str, tuple[int, ...]], ...]  # all that have feature maps, with their shape


@dataclass(frozen=True)
class NearestImage:
    """A training image that is like a picture to the network."""

    row: int  # in the training split
    name: str  # of its class
    likeness: float  # -1 to 1
    png: bytes


@dataclass(frozen=True)
class Nearest:
    """The training images most like a picture; none before all have been looked at."""

    done: int  # training images looked at so far
    total: int
    images: tuple[NearestImage, ...]


def ask_heat(
    engine: EngineClient, model: str, picture: bytes, how: str = "", method: str = "grad-cam",
    classes: Sequence[str] = (),
) -> HeatMaps:
    """Return which parts of a picture speak for some classes.

    Args:
        engine: To ask.
        model: Name of a saved model.
        picture: JPEG, PNG, WebP, BMP or GIF.
        how: crop, fit or stretch; empty for what the model's card says.
        method: grad-cam or saliency.
        classes: Their names. Defaults to the most probable and the runner-up.

    Raises:
        CnnError: What the engine answered, or that it does not work.
    """
    reply, blobs = engine.call(
        {"op": "explain", "model": model, "how": how, "method": method, "classes": list(classes)},
        [picture])
    maps = tuple(HeatMap(item["class"], item["probability"], item["blank"], png)
                 for item, png in zip(reply["maps"], blobs[1:], strict=True))
    height, width = reply["size"]
    return HeatMaps(blobs[0], maps, reply["layer"], (height, width), reply["coarse"])


def ask_feature_maps(
    engine: EngineClient, model: str, picture: bytes, how: str = "", layer: str = ""
) -> FeatureMaps:
    """Return the strongest feature maps of a layer; of the first that has any, if none is named.

    Raises:
        CnnError: What the engine answered, or that it does not work.
    """
    reply, blobs = engine.call(
        {"op": "feature-maps", "model": model, "how": how, "layer": layer}, [picture])
    layers = tuple((item["name"], tuple(item["shape"])) for item in reply["layers"])
    return FeatureMaps(reply["layer"], tuple(reply["channels"]), blobs[0], layers)


def ask_nearest(
    engine: EngineClient, model: str, picture: bytes, how: str = "", count: int = 8
) -> Nearest:
    """Return the training images most like a picture.

    The first time for a model they have to be looked at. Each call does some seconds of that and
    comes back; call again until `done` is `total`.

    Raises:
        CnnError: What the engine answered, or that it does not work.
    """
    reply, blobs = engine.call(
        {"op": "neighbours", "model": model, "how": how, "count": count}, [picture])
    images = tuple(NearestImage(item["row"], item["class"], item["likeness"], png)
                   for item, png in zip(reply["neighbours"], blobs, strict=True))
    return Nearest(reply["done"], reply["total"], images)
