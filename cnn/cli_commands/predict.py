"""`predict`: what a saved model says of pictures, from files and links."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from cnn.cli_commands.output import Output, ProgressLine, percent, say
from cnn.cli_commands.picture_files import read_picture
from cnn.data.images import RESIZE_WAYS, decode_image
from cnn.data.urls import fetch_image_bytes
from cnn.errors import BadInput, CnnError
from cnn.hardware import start_tensorflow
from cnn.prediction.choice import default_model

AT_ONCE = 8  # pictures in memory: a decoded photo can have 120 MB


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the pictures, the model and how to show the answers."""
    parser.add_argument("sources", nargs="+", metavar="IMAGE|URL", help="files and links")
    parser.add_argument("--model", help="name of a saved model (default: the best one for "
                                        "everyday pictures, else the best of any)")
    parser.add_argument("--top", type=int, default=3, help="how many classes (default: 3)")
    parser.add_argument("--how", choices=RESIZE_WAYS, default="",
                        help="how a picture comes to the network's size (default: as its card "
                             "says)")
    parser.add_argument("--average", action="store_true",
                        help="average over views moved by one pixel, and mirrored where the model "
                             "learned from mirrored images: three or six times the work; "
                             "`python -m cnn models NAME` says what it gains")


def run(options: argparse.Namespace) -> Output:
    """Classify each picture; one that cannot be read does not stop the others.

    Raises:
        BadInput: If no class at all is asked for.
        NotFound, Damaged: If the model cannot be used.
    """
    if options.top < 1:
        raise BadInput(f"top must be at least 1. Received: {options.top}.", "Try --top 3.")
    with ProgressLine() as line:
        answers = list(_answers(options, line))
    return Output(answers, "\n".join(_line(answer) for answer in answers),
                  failed=all("error" in answer for answer in answers))


def _answers(options: argparse.Namespace, line: ProgressLine) -> Iterator[dict[str, Any]]:
    from cnn.prediction.predictor import Predictor

    sources, model = options.sources, options.model or default_model()
    if not options.model:
        say(f"Model: {model}")
    line.show("Starting TensorFlow")
    start_tensorflow()
    predictor = Predictor(model)
    for begin in range(0, len(sources), AT_ONCE):
        line.steps("Reading pictures", begin, len(sources))
        part = sources[begin:begin + AT_ONCE]
        pictures = [_picture(source) for source in part]
        good = [picture for picture in pictures if not isinstance(picture, CnnError)]
        said = iter(predictor.predict(good, options.how, options.average))
        for source, picture in zip(part, pictures, strict=True):
            if isinstance(picture, CnnError):
                yield {"source": source, "error": str(picture)}
            else:
                top = next(said).top(predictor.card.class_names, options.top)
                yield {"source": source, "top": top}


def _picture(source: str) -> Any:
    """Return RGB pixels, uint8 (H, W, 3), or the error that stands for them."""
    try:
        return decode_image(fetch_image_bytes(source) if "://" in source else read_picture(source))
    except CnnError as error:
        return error


def _line(answer: dict[str, Any]) -> str:
    said = answer.get("error") or ", ".join(
        f"{item['class']} {percent(item['probability'])}" for item in answer["top"])
    return f"{answer['source']}: {said}"
