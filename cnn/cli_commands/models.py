"""`models`: all saved models, everything about one, another one from a file, deleting one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cnn.api_records import card_record, models_record
from cnn.cli_commands.output import (
    Output,
    ProgressLine,
    duration,
    facts,
    number,
    percent,
    shape,
    table,
)
from cnn.cli_commands.trash import (
    add_trash_options,
    empty_trash,
    list_trash,
    said_of_deletion,
)
from cnn.data.images import RESIZE_WAYS
from cnn.errors import BadInput
from cnn.files import suggest_name
from cnn.models.foreign.pixels import PIXELS
from cnn.prediction.adopting import Wishes, adopt
from cnn.prediction.deleting import delete_model, deleted_models
from cnn.prediction.saved import free_name, read_card
from cnn.trash import DAYS_KEPT


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to do, with which model."""
    parser.add_argument("name", nargs="?", metavar="NAME",
                        help="show this model (default: list all); or what to do: add FILE, "
                             "delete NAME, restore NAME")
    parser.add_argument("thing", nargs="?", metavar="FILE",
                        help="with add: a .keras file made elsewhere, for instance: python -m cnn "
                             "models add cats.keras --classes cat,dog --pixels 0-1; with delete "
                             f"and restore: a model, which is kept for {DAYS_KEPT} days")
    add_trash_options(parser.add_mutually_exclusive_group(), "model")
    adding = parser.add_argument_group("with add")
    adding.add_argument("--classes", default="", metavar="A,B,...",
                        help="names of its classes, in the order of its outputs")
    adding.add_argument("--pixels", default="", choices=("", *PIXELS),
                        help="which pixel values it was trained on (may be left out where the "
                             "network scales them itself)")
    adding.add_argument("--resize", default="crop", choices=tuple(RESIZE_WAYS),
                        help="how pictures of other sizes are brought to its size "
                             "(default: %(default)s)")
    adding.add_argument("--name", dest="new_name", metavar="NEW",
                        help="name of the saved model (default: made of the file's name)")


def run(options: argparse.Namespace) -> Output:
    """List all saved models or the deleted ones; show, add, delete or restore one.

    Raises:
        NotFound: If there is no such model or file.
        Damaged: If it cannot be read.
        BadInput, Refused: If a file cannot be used, or a model not be deleted.
        Unavailable: If a folder cannot be written.
    """
    if options.trash:
        return list_trash(deleted_models(), "name")
    if options.empty_trash:
        return empty_trash(deleted_models())
    if options.thing:
        return _act(options)
    if options.name:
        record = card_record(options.name, read_card(options.name))
        return Output(record, _detail(record))
    record = models_record()
    return Output(record, _list(record["models"]))


def _act(options: argparse.Namespace) -> Output:
    if options.name not in _ACTIONS:
        raise BadInput(f"After {options.name!r} nothing is expected. Received: {options.thing}.",
                       "To take a model from a file: python -m cnn models add FILE. With another "
                       "word before a name: delete, restore.")
    return _ACTIONS[options.name](options)


def _delete(options: argparse.Namespace) -> Output:
    kept = delete_model(options.thing)
    return Output({"name": options.thing, "deleted": kept}, said_of_deletion(
        "model", options.thing, f"models restore {kept}"))


def _restore(options: argparse.Namespace) -> Output:
    name = deleted_models().restore(options.thing)
    return Output({"name": name}, f"The model {name} is back.")


def _add(options: argparse.Namespace) -> Output:
    file = Path(options.thing)
    names = tuple(name.strip() for name in options.classes.split(",")) if options.classes else ()
    wishes = Wishes(options.new_name or free_name(suggest_name(file.stem)), names,
                    options.pixels, options.resize)
    with ProgressLine() as line:
        line.show("Looking into the file and trying the network")
        card = adopt(file, wishes)
    record = card_record(card.name, card)
    return Output(record, _detail(record))


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


def _test(card: dict[str, Any]) -> str:
    if card["test_accuracy"] is None:
        return (f"not measured here; to change that: python -m cnn evaluate {card['name']} "
                "--dataset NAME")
    return (f"accuracy {percent(card['test_accuracy'])}, loss {number(card['test_loss'])}, "
            f"{number(card['test_n'])} images")


def _validation(card: dict[str, Any]) -> str:
    return "" if card["val_accuracy"] is None else (
        f"accuracy {percent(card['val_accuracy'])} in epoch {card['best_epoch']} "
        f"of {card['epochs']}")


def _training(card: dict[str, Any]) -> str:
    return "" if not card["train_n"] else (
        f"{number(card['train_n'])} images, {duration(card['seconds'])}{_sittings(card)}, "
        f"{card['machine']}")


def _detail(card: dict[str, Any]) -> str:
    return facts((
        ("Name", card["name"]),
        ("Data", card["dataset"] or "not known: brought from elsewhere"),
        ("Architecture", f"{card['architecture']}, {number(card['parameters'])} parameters"),
        ("Input", f"{shape(card['input_shape'])}, other sizes by {card['resize']}"),
        ("Classes", ", ".join(card["class_names"])),
        ("Test", _test(card)),
        ("Averaged", _averaged(card)),
        ("Calibration", _calibration(card)),
        ("Validation", _validation(card)),
        ("Training", _training(card)),
        ("Made", card["created"]),
        ("Run", card["run"]),
        ("Command", card["command"]),
    ))


_ACTIONS = {"add": _add, "delete": _delete, "restore": _restore}
