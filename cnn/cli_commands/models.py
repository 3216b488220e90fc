"""`models`: all saved models, or everything about one."""

from __future__ import annotations

import argparse
from typing import Any

from cnn.api_records import card_record, models_record
from cnn.cli_commands.output import Output, duration, facts, number, percent, shape, table
from cnn.prediction.saved import read_card


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which model to show."""
    parser.add_argument("name", nargs="?", metavar="NAME",
                        help="show this model (default: list all)")


def run(options: argparse.Namespace) -> Output:
    """List all saved models, or show one.

    Raises:
        NotFound: If there is no such model.
        Damaged: If it cannot be read.
    """
    if options.name:
        record = card_record(options.name, read_card(options.name))
        return Output(record, _detail(record))
    record = models_record()
    return Output(record, _list(record["models"]))


def _list(models: list[dict[str, Any]]) -> str:
    if not models:
        return ("There are no saved models yet. Train one: "
                "python -m cnn train --dataset digits --architecture base --epochs 5")
    text = table(
        ("Name", "Data", "Architecture", ">Test accuracy", ">Test loss", ">Parameters", "Made"),
        [(model["name"], model["dataset"], model["architecture"], percent(model["test_accuracy"]),
          number(model["test_loss"]), number(model["parameters"]), model["created"][:10])
         for model in models if not model["error"]])
    damaged = [f"{model['name']} cannot be used: {model['error']}"
               for model in models if model["error"]]
    return "\n".join((text, *damaged))


def _averaged(card: dict[str, Any]) -> str:
    accuracy = card["averaged_test_accuracy"]
    return "" if accuracy is None else f"accuracy {percent(accuracy)} with predict --average"


def _calibration(card: dict[str, Any]) -> str:
    """Return how far confidences are off; nothing for cards from before it was measured."""
    after, before = card["calibration_error"], card["calibration_error_before"]
    if after is None:
        return ""
    return (f"confidence is off by {percent(after)} on average ({percent(before)} before its "
            f"temperature {card['temperature']:.3f})")


def _sittings(card: dict[str, Any]) -> str:
    return f" in {card['sittings']} sittings" if card["sittings"] > 1 else ""


def _detail(card: dict[str, Any]) -> str:
    return facts((
        ("Name", card["name"]),
        ("Data", card["dataset"]),
        ("Architecture", f"{card['architecture']}, {number(card['parameters'])} parameters"),
        ("Input", f"{shape(card['input_shape'])}, other sizes by {card['resize']}"),
        ("Classes", ", ".join(card["class_names"])),
        ("Test", f"accuracy {percent(card['test_accuracy'])}, loss {number(card['test_loss'])}, "
                 f"{number(card['test_n'])} images"),
        ("Averaged", _averaged(card)),
        ("Calibration", _calibration(card)),
        ("Validation", f"accuracy {percent(card['val_accuracy'])} in epoch {card['best_epoch']} "
                       f"of {card['epochs']}"),
        ("Training", f"{number(card['train_n'])} images, {duration(card['seconds'])}"
                     f"{_sittings(card)}, {card['machine']}"),
        ("Made", card["created"]),
        ("Run", card["run"]),
        ("Command", card["command"]),
    ))
