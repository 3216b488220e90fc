"""`datasets`: what there is to train on."""

from __future__ import annotations

import argparse
from typing import Any

from cnn.api_records import datasets_record
from cnn.cli_commands.output import UNKNOWN, Output, number, shape, table


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the list has no options."""


def run(options: argparse.Namespace) -> Output:
    """List all data sets."""
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
