"""The formats that a saved model can be exported to, and whether that is possible here.

Needs no TensorFlow, so pages and CLI ask it. Knows neither how a format is written nor checked.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass

from cnn.errors import BadInput, Refused, Unavailable
from cnn.prediction.saved import Card


@dataclass(frozen=True)
class Format:
    """One kind of file that holds a network."""

    name: str  # in commands and file names
    title: str
    file: str  # or folder, inside an export
    runtime: tuple[str, ...]  # packages that use an export, besides NumPy and Pillow
    writers: tuple[str, ...]  # more packages that are needed here to write it
    purpose: str  # what it is good for, in a few words

    @property
    def missing(self) -> list[str]:
        """Packages that writing and checking it would need and that are not installed."""
        return [name for name in (*self.runtime, *self.writers) if not _installed(name)]


FORMATS = {form.name: form for form in (
    Format("keras", "Keras", "model.keras", ("tensorflow", "keras"), (),
           "further training, or a look inside, with Keras"),
    Format("savedmodel", "TensorFlow SavedModel", "saved_model", ("tensorflow",), (),
           "servers such as TensorFlow Serving, and TensorFlow in other languages"),
    Format("tflite", "LiteRT (TFLite)", "model.tflite", ("ai-edge-litert",), (),
           "telephones and small computers; a runtime of a few megabytes"),
    Format("onnx", "ONNX", "model.onnx", ("onnxruntime",), ("onnx", "tf2onnx"),
           "other frameworks and languages, and the browser, through ONNX Runtime"),
)}
INSTALL = "python -m pip install -r requirements-export.txt"


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def get_format(name: str) -> Format:
    """Return the format of this name.

    Raises:
        BadInput: If there is none; lists those there are.
    """
    if name not in FORMATS:
        raise BadInput(f"format must be one of {', '.join(FORMATS)}. Received: {name!r}.")
    return FORMATS[name]


def check_possible(form: Format, card: Card) -> None:
    """Find out, before any work, whether a model can be exported here.

    Raises:
        Refused: If the file would be of no use elsewhere, or the model came from there.
        Unavailable: If packages are missing.
    """
    if card.uploaded:
        raise Refused(f"{card.name} was brought from elsewhere: what the program that goes with an "
                      "export says of data and accuracy is not known.",
                      "Use its own file.")
    if form.name == "keras" and card.needs_cnn:
        others = ", ".join(name for name in FORMATS if name != form.name)
        raise Refused(
            f"{card.name} is a network written by hand ({card.architecture}): its Keras file loads "
            "only where this project is installed.",
            f"Choose one of {others}: they hold the calculation itself.")
    if form.missing:
        raise Unavailable(f"{form.title} needs packages that are not installed: "
                          f"{', '.join(form.missing)}.", f"Install them: {INSTALL}")
