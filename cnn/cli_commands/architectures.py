"""`architectures`: what networks there are, one as layers or as Keras code, adding and deleting."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cnn.api_records import architectures_record, layers_record
from cnn.cli_commands.output import Output, number, shape, table
from cnn.errors import BadInput
from cnn.models.code import keras_code
from cnn.models.own import (
    ACTIONS,
    check_new_name,
    delete_own,
    list_own,
    proposed_name,
    read_document,
    save_own,
)
from cnn.models.registry import Architecture, get_architecture
from cnn.models.summary import check_fit, summarise


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to do, with which architecture, and for which images."""
    parser.add_argument(
        "what", nargs="*", metavar="WHAT",
        help="nothing: list all; [show] NAME: its layers; code NAME: the same network in Keras; "
             "add FILE.json: keep one of your own; delete NAME: one of your own")
    parser.add_argument("--name", help="with add: what to call it (default: as the file says)")
    parser.add_argument("--size", type=int, default=32,
                        help="height and width of the images in pixels (default: 32)")
    parser.add_argument("--channels", type=int, default=3,
                        help="1 for grey, 3 for colour (default: 3)")
    parser.add_argument("--classes", type=int, default=10, help="to tell apart (default: 10)")
    parser.set_defaults(wrong_usage=parser.error)  # what argparse itself cannot check


def run(options: argparse.Namespace) -> Output:
    """List all architectures, show one, or change those made here.

    Raises:
        NotFound: If there is no such architecture or file.
        BadInput: If it does not fit the images, or cannot be added.
        SystemExit: With status 2, if the words make no sense.
    """
    words = options.what
    if not words:
        return _list()
    action, names = (words[0], words[1:]) if words[0] in ACTIONS else ("show", words)
    if len(names) != 1:
        options.wrong_usage(f"{action} needs one name")
    images = (options.size, options.size, options.channels), options.classes
    if action == "add":
        return _add(Path(names[0]), options.name, *images)
    if action == "delete":
        delete_own(names[0])
        return Output({"deleted": names[0]}, f"{names[0]} is deleted. Runs and models that were "
                                             "made with it stay.")
    summary = summarise(names[0], *images)
    architecture = get_architecture(names[0])
    if action == "code":
        code = keras_code(architecture, *images)
        return Output({"name": names[0], "code": code}, code)
    record = layers_record(names[0], summary)
    return Output({**record, "document": architecture.document}, _layers(record))


def _list() -> Output:
    record = architectures_record()
    damaged = [(own.name, str(own.error)) for own in list_own() if own.error]
    return Output(record, table(("Name", "About"), [
        *((known["name"], known["description"]) for known in record["architectures"]), *damaged]))


def _add(
    path: Path, name: str | None, input_shape: tuple[int, int, int], classes: int
) -> Output:
    document = read_document(path)
    name = check_new_name(name or proposed_name(path))
    _refuse_what_breaks(document.architecture(name), input_shape, classes)
    architecture = save_own(name, document)
    return Output({"added": name, "document": architecture.document},
                  f"Added. Train it: python -m cnn train --dataset cifar10 --architecture {name}")


def _refuse_what_breaks(
    architecture: Architecture, input_shape: tuple[int, int, int], classes: int
) -> None:
    try:
        check_fit(architecture, input_shape, classes)
    except BadInput as error:
        raise BadInput(
            f"It cannot take images of {input_shape[0]}×{input_shape[1]} pixels: {error.message}",
            "Mend that layer; or, if it is meant for larger images, say so: --size.") from error


def _layers(record: dict[str, Any]) -> str:
    layers = table(
        ("Layer", "What", "Output", ">Parameters", ">Multiply-adds"),
        [(layer["name"], layer["label"], shape(layer["output_shape"]),
          number(layer["parameters"]), number(layer["multiply_adds"]))
         for layer in record["layers"]])
    source = f"Source: {record['source']}.\n" if record["source"] else ""
    return (f"{record['name']}: {record['description']}\n{source}\n{layers}\n\n"
            f"{number(record['parameters'])} parameters, of which "
            f"{number(record['trainable_parameters'])} are trained; "
            f"{number(record['multiply_adds'])} multiply-adds for an image of "
            f"{shape(record['input_shape'])}.")
