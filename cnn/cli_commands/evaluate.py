"""`evaluate`: how good a saved model is on the test images of its data set."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from cnn.data.dataset import Images
from cnn.data.views import view_count
from cnn.errors import Damaged, NotFound, Unavailable
from cnn.evaluation.calibration import expected_calibration_error
from cnn.evaluation.novelty import FILE_NAME, write_novelty
from cnn.evaluation.results import (
    Evaluation,
    evaluate_predictions,
    read_evaluation,
    write_evaluation,
)
from cnn.files import atomic_write_bytes
from cnn.hardware import start_tensorflow
from cnn.prediction.averaging import average_views
from cnn.prediction.learned_from import split_of, training_data
from cnn.prediction.measuring import as_in, keep_measured, named, open_test
from cnn.prediction.saved import Card, model_folder, read_card, read_history

COMPARED = ("test_accuracy", "test_loss", "averaged_test_accuracy", "calibration_error")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which model to evaluate, and where to put figures."""
    parser.add_argument("name", metavar="NAME", help="of a saved model: python -m cnn models")
    parser.add_argument("--dataset", default="", metavar="NAME",
                        help="for a model that was brought from elsewhere: measure it on the test "
                             "images of this data set, and keep the results with it")
    parser.add_argument("--figures", type=Path, metavar="FOLDER",
                        help="write confusion matrices and curves to this folder, as PNG")
    parser.add_argument("--average", action="store_true",
                        help="measure the accuracy of predict --average as well: three or six "
                             "times the time")
    parser.add_argument("--novelty", action="store_true",
                        help="learn from training and validation images what is usual for the "
                             "model, and store it with it: from then on it says of pictures of "
                             "other things that they are probably none of its classes")


def run(options: argparse.Namespace) -> Output:
    """Evaluate the model again, or show its stored results where the data are not available.

    Raises:
        NotFound, Damaged: If the model cannot be used.
        BadInput: If the data set of that name is not the one that the model was trained on, or has
            other classes.
        Unavailable: If a file cannot be written, or novelty is to be learned without the data.
    """
    start = time.monotonic()
    card = named(read_card(options.name), options.dataset)
    missing = _what_is_missing(card)
    averaged = None
    if missing and options.novelty:
        raise Unavailable(f"What is usual for {options.name} cannot be learned: {missing}",
                          "Get the data set first.")
    if missing and options.dataset:
        raise Unavailable(missing, "Get the data set first.")
    if missing:
        say(f"Not measured again, these are the stored results: {missing}")
        evaluation = read_evaluation(model_folder(options.name))
    else:
        with ProgressLine() as line:
            evaluation, averaged = _measure(options.name, card, options.average, line)
            if options.novelty:
                _learn_novelty(options.name, card, line)
        if not card.uploaded:
            _restore_stored(options.name, evaluation)
    seconds = round(time.monotonic() - start, 1)
    figures = _write_figures(options.name, evaluation, options.figures) if options.figures else []
    record = {
        "name": options.name, "dataset": card.dataset, "architecture": card.architecture,
        "test_accuracy": finite(evaluation.accuracy), "test_loss": finite(evaluation.loss),
        "test_n": evaluation.count, "averaged_test_accuracy": averaged,
        "calibration_error":
            expected_calibration_error(evaluation.probabilities, evaluation.labels),
        "card": {key: getattr(card, key) for key in COMPARED},
        "seconds": seconds, "measured_again": not missing,
        "report": list(evaluation.report), "class_names": list(evaluation.class_names),
        "confusion": evaluation.confusion.tolist(), "figures": figures,
        "uploaded": card.uploaded,
        "novelty": (model_folder(options.name) / FILE_NAME).is_file()}
    return Output(record, _text(record))


def _what_is_missing(card: Card) -> str:
    """Return why the test images are not at hand, or nothing."""
    try:
        info = catalogue.describe(card.dataset)
    except NotFound as error:
        return error.message
    return "" if info.available else f"The data set {card.dataset} is not here. {info.note}"


def _measure(
    name: str, card: Card, average: bool, line: ProgressLine
) -> tuple[Evaluation, float | None]:
    """Return the test results and, where asked for, the accuracy over averaged views."""
    dataset = open_test(card, line.steps) if card.uploaded else training_data(card, line.steps)
    line.show("Starting TensorFlow")
    start_tensorflow()
    from cnn.prediction.predictor import compile_network, predict_in_batches
    from cnn.prediction.saved import load_network

    network = compile_network(load_network(name))

    def ask(images: Images) -> NDArray[np.float32]:
        return predict_in_batches(network, images)

    predict = as_in(card, dataset, ask) if card.uploaded else ask
    images, labels = dataset.test_images, dataset.test_labels
    line.show(f"Looking at {len(images):,} test images")
    evaluation = evaluate_predictions(predict(images), labels, dataset.class_names)
    if card.uploaded:
        keep_measured(card, dataset, evaluation)
    if not average:
        return evaluation, None
    line.show(f"Looking at {view_count(card.mirrored)} views of {len(images):,} test images")
    averaged = average_views(predict, images, card.mirrored)
    return evaluation, float(np.mean(averaged.argmax(axis=1) == labels))


def _learn_novelty(name: str, card: Card, line: ProgressLine) -> None:
    """Store what is usual for a model beside it."""
    from cnn.models.inside import Inside
    from cnn.prediction.inner_values import novelty_of
    from cnn.prediction.saved import load_network

    line.show("Learning what is usual")
    dataset = training_data(card)
    split, images = split_of(card, dataset), dataset.train_images
    found = novelty_of(Inside(load_network(name)), images[split.train], images[split.validation])
    write_novelty(model_folder(name), found)


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


def _compared(record: dict[str, Any], key: str, form: Callable[[float], str]) -> str:
    """Return a figure and what the card says of it; nothing if it was not measured."""
    found, said = record[key], record["card"][key]
    if found is None:
        return ""
    if said is None:
        return form(found)
    return form(found) + (", as on the card" if form(found) == form(said)
                          else f", but {form(said)} on the card")


def _text(record: dict[str, Any]) -> str:
    report = table(
        ("Class", ">Precision", ">Recall", ">F1", ">Images"),
        [(row["name"], percent(row["precision"]), percent(row["recall"]), percent(row["f1"]),
          number(row["support"])) for row in record["report"]])
    return facts((
        ("Model", record["name"]),
        ("Data", record["dataset"]),
        ("Test images", number(record["test_n"])),
        ("Test accuracy", _compared(record, "test_accuracy", percent)),
        ("Averaged accuracy", _compared(record, "averaged_test_accuracy", percent)),
        ("Test loss", _compared(record, "test_loss", number)),
        ("Calibration error", _compared(record, "calibration_error", percent)),
        ("None of these", "can be told" if record["novelty"] else
         "cannot be told: what it learned from is not known" if record["uploaded"] else
         f"cannot be told; to change that: python -m cnn evaluate {record['name']} --novelty"),
        ("Time", duration(record["seconds"])),
    )) + f"\n\n{report}" + "".join(f"\nWritten: {path}" for path in record["figures"])
