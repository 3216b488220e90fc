"""`predict`: what a saved model says of pictures, from files, folders and links.

It asks an engine of its own, the child process that the dashboard uses as well: one way from a
picture to an answer, and a picture that breaks TensorFlow does not end the command.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from cnn.api_records import Record, answer_record
from cnn.cli_commands.output import Output, ProgressLine, percent, say
from cnn.cli_commands.picture_files import find_pictures, read_picture
from cnn.data.images import RESIZE_WAYS
from cnn.data.urls import fetch_image_bytes
from cnn.errors import BadInput
from cnn.prediction.answer_table import csv_row
from cnn.prediction.choice import default_model
from cnn.prediction.client import EngineClient, Prediction
from cnn.prediction.many import Item, Question, answers_of
from cnn.prediction.saved import read_card
from cnn.tables import csv_text

Answered = tuple[str, Prediction]  # where a picture comes from, and what is said of it


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the pictures, the model and how to show the answers."""
    parser.add_argument("sources", nargs="+", metavar="IMAGE|FOLDER|URL",
                        help="files, folders (with those below) and links")
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
    parser.add_argument("--csv", action="store_true",
                        help="print the answers as CSV, one line for each picture")


def run(options: argparse.Namespace) -> Output:
    """Classify each picture; one that cannot be read does not stop the others.

    Raises:
        BadInput: If no class at all is asked for, or two formats.
        NotFound, Damaged: If the model cannot be used.
        Unavailable: If the engine cannot be started, or does not survive one picture after another.
    """
    if options.top < 1:
        raise BadInput(f"top must be at least 1. Received: {options.top}.", "Try --top 3.")
    if options.csv and options.json:
        raise BadInput("--csv and --json are two formats.", "Choose one of them.")
    model = options.model or default_model()
    read_card(model)  # what is wrong with it is said before TensorFlow starts
    if not options.model:
        say(f"Model: {model}")
    with ProgressLine() as line:
        answers = _answers(options, model, line)
    records = [_record(source, answer, options.top) for source, answer in answers]
    text = _csv(answers, options.top) if options.csv else "\n".join(map(_line, records))
    return Output(records, text, failed=all(answer.error for _, answer in answers))


def _answers(options: argparse.Namespace, model: str, line: ProgressLine) -> list[Answered]:
    items = list(_spread(options.sources))
    line.show("Starting TensorFlow")
    question = Question(model, options.how, options.average)
    found: list[Answered] = []
    with closing(EngineClient()) as engine:
        engine.call({"op": "ready", "model": model})
        begin = time.monotonic()
        with closing(answers_of(engine, question, items)) as answers:
            for item, answer in zip(items, answers, strict=True):
                found.append((item.source, answer))
                line.show(_progress(len(found), len(items), time.monotonic() - begin))
    return found


def _spread(sources: list[str]) -> Iterator[Item]:
    """Yield files and links, with those of folders in place of the folders."""
    for source in sources:
        if "://" in source:
            yield Item(source, partial(fetch_image_bytes, source))
        elif Path(source).is_dir():
            yield from _pictures_in(source)
        else:
            yield Item(source, partial(read_picture, source))


def _pictures_in(folder: str) -> Iterator[Item]:
    try:
        found, others = find_pictures(folder)
    except BadInput as error:  # keeps its place among the answers, and stops none of them
        yield Item(folder, partial(_fail, error))
        return
    if others:
        say(f"{folder}: passed over {others} other file{'' if others == 1 else 's'}.")
    yield from (Item(path, partial(read_picture, path)) for path in found)


def _fail(error: BadInput) -> bytes:
    raise error


def _progress(done: int, total: int, seconds: float) -> str:
    if total < 2:
        return "Asking the model"
    return f"{done:,} of {total:,} pictures, {done / max(seconds, 0.01):.0f} per second"


def _record(source: str, answer: Prediction, top: int) -> Record:
    if answer.error:
        return {"source": source, "error": str(answer.error)}
    return answer_record(source, answer, top)


def _csv(answers: list[Answered], top: int) -> str:
    rows = [csv_row(source, answer, top) for source, answer in answers]
    return csv_text(rows).replace("\r\n", "\n").rstrip()  # the terminal's own ends of lines


def _line(answer: Record) -> str:
    said = answer.get("error") or ", ".join(
        f"{item['class']} {percent(item['probability'])}" for item in answer["top"])
    none = "probably none of these: " if answer.get("unlike") else ""
    return f"{answer['source']}: {none}{said}"
