"""An engine for tests: speaks the wire, answers at once, and needs no TensorFlow.

    python -m tests.stub_engine LOG

Appends each request's header to LOG as a JSON line. Pictures go through the real decoder; the first
class of the model's card wins with 0.75, or 0.5 when views are averaged, and the others share the
rest in falling parts. A black picture is unlike the training images.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cnn.data.images import RESIZE_WAYS, decode_image, encode_jpeg, encode_png, thumbnail
from cnn.data.parts import cut
from cnn.errors import CnnError
from cnn.prediction.predictor import prepare
from cnn.prediction.saved import Card, read_card
from cnn.prediction.wire import receive, send

GREY = encode_png(np.full((8, 8, 3), 128, np.uint8))

OTHERS = {
    "figure": lambda header: ({}, [b"\x89PNG of " + header["figure"].encode()]),
    "graph": lambda header: ({"dot": "digraph { conv -> relu }"}, []),
}


def answer(header: dict[str, Any], parts: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    op = header["op"]
    if op == "predict":
        card = read_card(header["model"])
        results = [predict(part, header, card) for part in parts]
        return ({"results": [row for row, _ in results]},
                [blob for _, blobs in results for blob in blobs])
    if op == "ways":
        card = read_card(header["model"])
        found = {how: predict(parts[0], {**header, "how": how}, card)
                 for how in RESIZE_WAYS}
        return ({"results": {how: row for how, (row, _) in found.items()}},
                [blob for _, blobs in found.values() for blob in blobs])
    if op == "cut":
        return {}, [encode_png(cut(decode_image(parts[0]), header["part"]))]
    if op in ("explain", "feature-maps", "neighbours"):
        return explain(header, read_card(header["model"]))
    return OTHERS.get(op, lambda _: ({"tensorflow": "none"}, []))(header)


def explain(header: dict[str, Any], card: Card) -> tuple[dict[str, Any], list[bytes]]:
    if header["op"] == "feature-maps":
        layers = [{"name": name, "shape": [4, 3, 40]} for name in ("conv_1", "pool_1")]
        return {"layers": layers, "layer": header["layer"], "channels": list(range(32))}, [GREY]
    if header["op"] == "neighbours":
        found = [{"row": row, "class": name, "likeness": 0.9 - row / 10}
                 for row, name in enumerate(("ant", "ant", "bee"))]
        return {"done": 90, "total": 90, "neighbours": found}, [GREY] * len(found)
    cam = header["method"] == "grad-cam"
    coarse = cam and card.architecture == "coarse"
    maps = [{"class": name, "probability": 0.5, "blank": name == card.class_names[-1]}
            for name in header["classes"]]
    return ({"layer": "conv_1" if cam else "", "size": [2, 2] if coarse else [7, 7],
             "coarse": coarse, "maps": maps}, [GREY] * (1 + len(maps)))


def predict(
    data: bytes, header: dict[str, Any], card: Card
) -> tuple[dict[str, Any], list[bytes]]:
    try:
        picture = decode_image(data)
    except CnnError as error:
        return {"error": error.to_dict()}, []
    seen, inverted = prepare(picture, card, header["how"])
    first = 0.5 if header["average"] else 0.75
    shares = [(1 - first) / 2**i for i in range(1, len(card.class_names))]
    shares[-1] += 1 - first - sum(shares)
    top = [{"class": name, "probability": p}
           for name, p in zip(card.class_names, [first, *shares], strict=True)]
    blobs = [encode_png(thumbnail(picture, 512)), encode_png(seen)] if header["pictures"] else []
    blobs += [encode_jpeg(thumbnail(picture, 64))] if header["thumbnails"] else []
    black = not picture.any()  # a picture of nothing stands for one of something else
    return {"top": top, "inverted": inverted, "height": picture.shape[0],
            "width": picture.shape[1], "novelty": 0.99 if black else 0.4, "unlike": black}, blobs


def main(log: Path) -> None:
    while True:
        try:
            header, parts = receive(sys.stdin.buffer)
        except EOFError:
            return
        with log.open("a") as file:
            file.write(json.dumps(header) + "\n")
        try:
            reply, blobs = answer(header, parts)
        except CnnError as error:
            reply, blobs = {"error": error.to_dict()}, []
        send(sys.stdout.buffer, reply, blobs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
