"""`datasets`: what there is to train on, and what may be wrong with one of them."""

from __future__ import annotations

import argparse
from typing import Any

from cnn.api_records import datasets_record
from cnn.cli_commands import mending
from cnn.cli_commands.output import UNKNOWN, Output, number, shape, table


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which data set, and what to do with it."""
    parser.add_argument("name", nargs="?", help="of one data set (default: list all)")
    mending.add_options(parser)


def run(options: argparse.Namespace) -> Output:
    """List all data sets, or look at, mend or restore one.

    Raises:
        CnnError: If there is no such set, or it cannot be changed so.
    """
    if options.name or mending.is_asked(options):
        return mending.run(options)
    record = datasets_record()
    return Output(record, table(
        ("Name", ">Training", ">Test", ">Classes", "Size", "About"),
        [_row(info) for info in record["datasets"]]))


def _row(info: dict[str, Any]) -> tuple[str, ...]:
    about = " ".join(filter(None, (info["description"], info["note"])))
    if not info["image_shape"]:  # nothing was prepared yet
        return info["name"], UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, about
    return (info["name"], number(info["train_count"]), number(info["test_count"]),
            number(len(info["classes"])), shape(info["image_shape"]), about)
