"""`datasets`: what there is to train on, getting it here, and what may be wrong with it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cnn.api_records import datasets_record
from cnn.cli_commands import mending
from cnn.cli_commands.output import UNKNOWN, Output, ProgressLine, facts, number, shape, table
from cnn.data import originals
from cnn.data.catalogue import DatasetInfo, describe, load, origin_of
from cnn.errors import BadInput


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which data set, and what to do with it."""
    parser.add_argument("name", nargs="?", help="show this one only")
    get = parser.add_mutually_exclusive_group()
    get.add_argument("--download", metavar="NAME",
                     help="download and prepare a data set; a download that was broken off goes on")
    get.add_argument("--file", metavar="PATH", type=Path, nargs="+",
                     help="take the official files of the data set from here instead")
    parser.add_argument("--size", type=int,
                        help="height and width for pictures of many sizes (malaria; default: 64)")
    mending.add_options(parser)


def run(options: argparse.Namespace) -> Output:
    """List all data sets; get, look through, mend or show one.

    Raises:
        CnnError: If there is no such data set, it cannot be had, or the files are others.
    """
    name = options.download or options.name
    if options.download and options.name not in (None, options.download):
        raise BadInput(f"Two data sets are named: {options.name!r} and {options.download!r}.",
                       "Name one.")
    if not name:
        if options.file or options.size:
            raise BadInput("It is not said which data set is meant.",
                           "For instance: python -m cnn datasets cifar100 --file PATH")
        return mending.run(name, options) if mending.is_asked(options) else _all()
    info = describe(name)
    if options.file or options.download:
        info = _get(info, options.file or [], options.size)
    if mending.is_asked(options):
        return mending.run(name, options)
    return Output(asdict(info), _one(info))


def _get(info: DatasetInfo, files: list[Path], size: int | None) -> DatasetInfo:
    if info.image_shape and size not in (None, *info.image_shape[:1]):
        raise BadInput(f"{info.name} is here already, with images of {shape(info.image_shape)}.",
                       "Remove it on the page Data first, or leave --size out.")
    with ProgressLine() as line:
        for path in files:
            origin = origin_of(info.name)
            if origin is None or not origin.files:
                raise BadInput(f"{info.name!r} is not made of official files.",
                               "Pictures of your own: python -m cnn import PATH --name NAME")
            originals.take_path(origin.files, path, line.steps)
        load(info.name, line.steps, size)
    return describe(info.name)


def _all() -> Output:
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


def _one(info: DatasetInfo) -> str:
    ready = info.image_shape is not None
    return facts((
        ("Data set", info.name),
        ("About", info.description),
        ("Here", info.note or ("yes" if ready else "yes, to be prepared at first use")),
        ("Training", number(info.train_count) if ready else ""),
        ("Test", number(info.test_count) if ready else ""),
        ("Classes", number(len(info.classes)) if ready else ""),
        ("Size", shape(info.image_shape) if info.image_shape else ""),
        ("Split", info.split),
        ("Origin", info.source),
        ("Licence", info.licence),
        ("Citation", info.citation),
        ("Homepage", info.homepage),
    ))
