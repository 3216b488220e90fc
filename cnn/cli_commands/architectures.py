"""`architectures`: what networks there are, and the layer table of one."""

from __future__ import annotations

import argparse
from typing import Any

from cnn.api_records import architectures_record, layers_record
from cnn.cli_commands.output import Output, number, shape, table
from cnn.models.summary import summarise


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which architecture to show, and for which images."""
    parser.add_argument("name", nargs="?", metavar="NAME",
                        help="show the layers of this one (default: list all)")
    parser.add_argument("--size", type=int, default=32,
                        help="height and width of the images in pixels (default: 32)")
    parser.add_argument("--channels", type=int, default=3,
                        help="1 for grey, 3 for colour (default: 3)")
    parser.add_argument("--classes", type=int, default=10, help="to tell apart (default: 10)")


def run(options: argparse.Namespace) -> Output:
    """List all architectures, or show the layers of one.

    Raises:
        NotFound: If there is no such architecture.
        BadInput: If it does not fit the images.
    """
    if not options.name:
        record = architectures_record()
        return Output(record, table(("Name", "About"), [
            (known["name"], known["description"]) for known in record["architectures"]]))
    summary = summarise(options.name, (options.size, options.size, options.channels),
                        options.classes)
    record = layers_record(options.name, summary)
    return Output(record, _layers(record))


def _layers(record: dict[str, Any]) -> str:
    layers = table(
        ("Layer", "What", "Output", ">Parameters", ">Multiply-adds"),
        [(layer["name"], layer["label"], shape(layer["output_shape"]),
          number(layer["parameters"]), number(layer["multiply_adds"]))
         for layer in record["layers"]])
    return (f"{record['name']}: {record['description']}\n\n{layers}\n\n"
            f"{number(record['parameters'])} parameters, of which "
            f"{number(record['trainable_parameters'])} are trained; "
            f"{number(record['multiply_adds'])} multiply-adds for an image of "
            f"{shape(record['input_shape'])}.")
