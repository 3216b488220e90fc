"""`explain`: which parts of a picture speak for a class, as a figure."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn.cli_commands.output import Output, ProgressLine, percent, say, shape
from cnn.cli_commands.picture_files import read_picture
from cnn.data.images import RESIZE_WAYS
from cnn.data.urls import fetch_image_bytes
from cnn.errors import BadInput
from cnn.files import atomic_write_bytes
from cnn.hardware import start_tensorflow
from cnn.prediction.choice import default_model
from cnn.prediction.predictor import decode
from cnn.prediction.saved import read_card

if TYPE_CHECKING:
    from cnn.prediction.explaining import Explanation


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the picture, the file to write, and what to explain."""
    parser.add_argument("source", metavar="IMAGE|URL", help="a file or a link")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE",
                        help="where to write the figure, a PNG")
    parser.add_argument("--class", dest="classes", action="append", default=[], metavar="NAME",
                        help="a class to explain; can be given several times (default: the most "
                             "probable and the runner-up)")
    parser.add_argument("--model", help="name of a saved model (default: the best one for "
                                        "everyday pictures, else the best of any)")
    parser.add_argument("--how", choices=RESIZE_WAYS, default="",
                        help="how the picture comes to the network's size (default: as its card "
                             "says)")
    parser.add_argument("--saliency", action="store_true",
                        help="show how much each pixel matters, in place of Grad-CAM")


def run(options: argparse.Namespace) -> Output:
    """Draw the picture and a map for each class, and write them as one figure.

    Raises:
        NotFound: If there is no such file or model.
        BadInput: If the picture cannot be read, or a class is unknown.
        Unavailable: If the figure cannot be written.
    """
    if options.out.suffix.lower() != ".png":
        raise BadInput(f"The figure is a PNG. Received: --out {options.out}.",
                       f"Try --out {options.out.with_suffix('.png')}.")
    source, model = options.source, options.model or default_model()
    if not options.model:
        say(f"Model: {model}")
    data = fetch_image_bytes(source) if "://" in source else read_picture(source)
    picture, _ = decode(data, read_card(model).input_shape)
    with ProgressLine() as line:
        line.show("Starting TensorFlow")
        start_tensorflow()
        from cnn.evaluation.figures import draw_heat
        from cnn.prediction.explaining import GRAD_CAM, SALIENCY, explain
        from cnn.prediction.heat_pictures import shades
        from cnn.prediction.predictor import Predictor

        line.show("Looking at the picture")
        method = SALIENCY if options.saliency else GRAD_CAM
        found = explain(Predictor(model), picture, options.how, method, options.classes)
        titles = [f"{item.name} {percent(item.probability)}" for item in found.maps]
        figure = draw_heat(found.picture, [item.picture for item in found.maps], titles, shades())
    atomic_write_bytes(options.out, figure)
    record = _record(found, source, model, method, options.out)
    return Output(record, _text(record))


def _record(
    found: Explanation, source: str, model: str, method: str, out: Path
) -> dict[str, Any]:
    return {"source": source, "model": model, "method": method, "layer": found.layer or None,
            "map_size": list(found.size), "coarse": found.coarse, "written": str(out),
            "classes": [{"class": item.name, "probability": item.probability, "blank": item.blank}
                        for item in found.maps]}


def _text(record: dict[str, Any]) -> str:
    lines = [f"{item['class']} {percent(item['probability'])}"
             + (": nothing in the picture speaks for it" if item["blank"] else "")
             for item in record["classes"]]
    if record["layer"]:
        lines.append(f"Grad-CAM at the layer {record['layer']}, {shape(record['map_size'])} places")
    if record["coarse"]:
        lines.append("That is too coarse to say where in the picture something is.")
    return "\n".join([*lines, f"Written: {record['written']}"])
