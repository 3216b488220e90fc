"""`evaluate`: how good a saved model is on the test images of its data set."""

from __future__ import annotations

import argparse
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnn.api_records import finite
from cnn.cli_commands.output import (
    Output,
    ProgressLine,
    duration,
    facts,
    number,
    percent,
    say,
    table,
)
from cnn.data import catalogue
from cnn.errors import BadInput, Damaged, NotFound
from cnn.evaluation.results import (
    Evaluation,
    evaluate_predictions,
    read_evaluation,
    write_evaluation,
)
from cnn.files import atomic_write_bytes
from cnn.hardware import start_tensorflow
from cnn.prediction.saved import Card, model_folder, read_card, read_history


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which model to evaluate, and where to put figures."""
    parser.add_argument("name", metavar="NAME", help="of a saved model: python -m cnn models")
    parser.add_argument("--figures", type=Path, metavar="FOLDER",
                        help="write confusion matrices and curves to this folder, as PNG")


def run(options: argparse.Namespace) -> Output:
    """Evaluate the model again, or show its stored results where the data are not available.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        BadInput: If the data set of that name is not the one that the model was trained on.
        Unavailable: If a figure cannot be written.
    """
    start = time.monotonic()
    card = read_card(options.name)
    missing = _what_is_missing(card)
    if missing:
        say(f"Not measured again, these are the stored results: {missing}")
        evaluation = read_evaluation(model_folder(options.name))
    else:
        with ProgressLine() as line:
            evaluation = _measure(options.name, card, line)
        _restore_stored(options.name, evaluation)
    seconds = round(time.monotonic() - start, 1)
    figures = _write_figures(options.name, evaluation, options.figures) if options.figures else []
    record = {
        "name": options.name, "dataset": card.dataset, "architecture": card.architecture,
        "test_accuracy": finite(evaluation.accuracy), "test_loss": finite(evaluation.loss),
        "test_n": evaluation.count, "seconds": seconds, "measured_again": not missing,
        "report": list(evaluation.report), "class_names": list(evaluation.class_names),
        "confusion": evaluation.confusion.tolist(), "figures": figures}
    return Output(record, _text(record))


def _what_is_missing(card: Card) -> str:
    """Return why the test images are not at hand, or nothing."""
    try:
        info = catalogue.describe(card.dataset)
    except NotFound as error:
        return error.message
    return "" if info.available else f"The data set {card.dataset} is not here. {info.note}"


def _measure(name: str, card: Card, line: ProgressLine) -> Evaluation:
    dataset = catalogue.load(card.dataset, line.steps)
    if dataset.fingerprint != card.dataset_fingerprint:
        raise BadInput(
            f"The data set {card.dataset} here is not the one that {name} was trained on: "
            "its images, labels or class names differ.",
            "Bring the original data back under this name; the results stored at training time "
            f"are in: python -m cnn models {name}")
    line.show("Starting TensorFlow")
    start_tensorflow()
    from cnn.prediction.predictor import predict_arrays
    from cnn.prediction.saved import load_network

    network = load_network(name)
    line.show(f"Looking at {len(dataset.test_images):,} test images")
    return evaluate_predictions(
        predict_arrays(network, dataset.test_images), dataset.test_labels, dataset.class_names)


def _restore_stored(name: str, evaluation: Evaluation) -> None:
    """Store the results only where they are missing or damaged: a saved model does not change."""
    folder = model_folder(name)
    with suppress(NotFound, Damaged):
        read_evaluation(folder)
        return
    write_evaluation(folder, evaluation)


def _write_figures(name: str, evaluation: Evaluation, folder: Path) -> list[str]:
    from cnn.evaluation.figures import FIGURES, draw

    history, written = read_history(name), []
    for figure in FIGURES:
        path = folder / f"{name}-{figure}.png"
        atomic_write_bytes(path, draw(figure, name, evaluation, history))
        written.append(str(path))
    return written


def _text(record: dict[str, Any]) -> str:
    report = table(
        ("Class", ">Precision", ">Recall", ">F1", ">Images"),
        [(row["name"], percent(row["precision"]), percent(row["recall"]), percent(row["f1"]),
          number(row["support"])) for row in record["report"]])
    return facts((
        ("Model", record["name"]),
        ("Data", record["dataset"]),
        ("Test accuracy", f"{percent(record['test_accuracy'])} of "
                          f"{number(record['test_n'])} images"),
        ("Test loss", number(record["test_loss"])),
        ("Time", duration(record["seconds"])),
    )) + f"\n\n{report}" + "".join(f"\nWritten: {path}" for path in record["figures"])
