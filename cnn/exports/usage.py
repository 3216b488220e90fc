"""The program in an export that classifies a picture with nothing but Pillow, NumPy and a runtime.

It is put together from pieces, so that it holds only what this model and this format need. What it
does to a picture is what `cnn.data.images` and `cnn.prediction.predictor.to_input` do; `checking`
holds the two together whenever something is exported. No name of a class or a person gets into the
program: names are data, in labels.json beside it.
"""

from __future__ import annotations

from typing import Any

from cnn.data.images import RESIZE_WAYS
from cnn.exports.formats import Format
from cnn.prediction.saved import Card

USAGE_FILE, LABELS_FILE = "usage.py", "labels.json"
_IMPORTS = {
    "keras": "import keras",
    "savedmodel": "import tensorflow as tf",
    "tflite": "from ai_edge_litert.interpreter import Interpreter",
    "onnx": "import onnxruntime",
}
_OPEN = {
    "keras": 'network = keras.models.load_model(here / "{file}", compile=False)',
    "savedmodel": 'network = tf.saved_model.load(str(here / "{file}"))',
    "tflite": 'network = Interpreter(model_path=str(here / "{file}"))\n'
              "network.allocate_tensors()",
    "onnx": "network = onnxruntime.InferenceSession(\n"
            '    str(here / "{file}"), providers=["CPUExecutionProvider"])',
}
_ASK = {
    "keras": "    return np.asarray(network(x, training=False))[0]",
    "savedmodel": "    return network.serve(x).numpy()[0]",
    "tflite": '    network.set_tensor(network.get_input_details()[0]["index"], x)\n'
              "    network.invoke()\n"
              '    return network.get_tensor(network.get_output_details()[0]["index"])[0]',
    "onnx": "    return network.run(None, {network.get_inputs()[0].name: x})[0][0]",
}
_SCALE = "resize(({width}, {height}), Image.Resampling.BICUBIC, {box}, 3.0)"
_RESIZE = {
    "stretch": ("    image = picture." + _SCALE.replace("{box}", "None"),),
    "crop": (
        "    w = min(picture.width, picture.height * {width} / {height})",
        "    h = min(picture.height, picture.width * {height} / {width})",
        "    left, top = (picture.width - w) / 2, (picture.height - h) / 2",
        "    box = (left, top, left + w, top + h)",
        "    image = picture." + _SCALE.replace("{box}", "box")),
    "fit": (
        "    scale = min({width} / picture.width, {height} / picture.height)",
        "    w, h = (max(1, round(side * scale)) for side in picture.size)",
        "    small = picture.resize((w, h), Image.Resampling.BICUBIC, None, 3.0)",
        '    image = Image.new("RGB", ({width}, {height}), "#808080")',
        "    image.paste(small, (({width} - w) // 2, ({height} - h) // 2))"),
}
_INVERT = (
    "    edge = np.asarray({ground})",
    "    edge = np.concatenate([part.ravel() for part in (edge[0], edge[-1], edge[:, 0], "
    "edge[:, -1])])",
    "    if np.median(edge) > 127:  # it learned from light strokes on black",
    "        x = 255 - x")
_PROGRAM = '''"""Says what a picture shows: python usage.py PICTURE

Needs: python -m pip install {packages}
"""

import json
import sys
from pathlib import Path

import numpy as np
{runtime}
from PIL import Image, ImageOps

here = Path(__file__).resolve().parent
names = json.loads((here / "labels.json").read_text(encoding="utf-8"))
{open}


def probabilities(x):
    """x: float32 (1, {height}, {width}, {channels}), values 0 to 255."""
{ask}


def classify(file):
    picture = ImageOps.exif_transpose(Image.open(file)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    picture = Image.alpha_composite(white, picture).convert("RGB")
{prepare}
    return list(zip(names, probabilities(x).tolist()))


if __name__ == "__main__":
    for name, probability in sorted(classify(sys.argv[1]), key=lambda pair: -pair[1])[:3]:
        print(f"{{probability:7.2%}}  {{name}}")
'''


def usage_text(card: Card, form: Format) -> str:
    """Return the program that uses an export of this model in this format."""
    height, width, channels = card.input_shape
    sizes = {"height": height, "width": width, "channels": channels}
    return _PROGRAM.format(
        **sizes, packages=" ".join(("numpy", "pillow", *form.runtime)),
        runtime=_IMPORTS[form.name], open=_OPEN[form.name].format(file=form.file),
        ask=_ASK[form.name], prepare="\n".join(_prepare_lines(card)).format(**sizes))


def _prepare_lines(card: Card) -> list[str]:
    colour = ".convert(\"L\")" if card.input_shape[2] == 1 else ""
    lines = [*_RESIZE[card.resize],
             f"    x = np.asarray(image{colour}, np.float32).reshape"
             "(1, {height}, {width}, {channels})"]
    if card.dark_background:
        # The bars of "fit" say nothing about the ground of the picture.
        ground = "picture." + _SCALE.replace("{box}", "None") if card.resize == "fit" \
            else f"image{colour}"
        lines += [line.replace("{ground}", ground) for line in _INVERT]
    return lines


def preprocessing(card: Card) -> dict[str, Any]:
    """Return what has to be done to a picture before the network gets it, for other languages."""
    height, width, channels = card.input_shape
    ground = ("If the median of the border is above 127, every value v becomes 255 - v: the "
              "network learned from light strokes on black." if card.dark_background else "")
    return {
        "input": {"layout": "batch, height, width, channels", "type": "float32", "height": height,
                  "width": width, "channels": channels, "lowest": 0, "highest": 255,
                  "rescaling": "none: the first layer of the network does it"},
        "steps": [step for step in (
            "Turn the picture upright as its EXIF data says.",
            "Lay it on white where it is transparent.",
            "Make it RGB, 8 bits.",
            f"Resize by {card.resize!r} to {width} wide and {height} high: "
            f"{RESIZE_WAYS[card.resize]} Bicubic and antialiased: Pillow's "
            "Image.resize(..., BICUBIC, reducing_gap=3.0).",
            "Make it grey: 0.299 red + 0.587 green + 0.114 blue (Pillow's mode L)."
            if channels == 1 else "",
            ground) if step],
        "resize": card.resize, "filter": "bicubic",
        "colour": "grey" if channels == 1 else "RGB",
        "output": {"layout": "batch, classes", "type": "float32", "classes": len(card.class_names),
                   "values": "probabilities that sum to 1, in the order of the labels",
                   "calibrated": card.calibration_error is not None,
                   "temperature": "none to apply: it is in the weights"}}
