"""`train`: starts a run in its own process and shows it until its end.

With `--preset`, `preset` finds out what suits the time; options that are given win over it.

Every field of `RunConfig` is an option; none is listed here twice but for its help.
"""

from __future__ import annotations

import argparse
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from typing import Any

from cnn.api_records import run_record
from cnn.cli_commands.following import CTRL_C, follow
from cnn.cli_commands.output import Output, say
from cnn.cli_commands.picture_files import read_picture
from cnn.cli_commands.preset_options import add_preset_options, choose
from cnn.config import OPTIMIZERS, PRECISIONS, SCHEDULES, Augmentation, RunConfig
from cnn.files import suggest_name
from cnn.models.defaults import EPOCHS, SCHEDULES_OF, default_config
from cnn.prediction.saved import free_name
from cnn.runs.manager import get_run, start_run
from cnn.runs.pins import MOST_PINS

_TYPES: dict[Any, type] = {"int": int, "float": float, "str": str}
_BY_NETWORK = "(default: as the network is meant)"
_HELP = {
    "dataset": "name of a data set: python -m cnn datasets",
    "architecture": "name of a network: python -m cnn architectures (needed without --preset)",
    "name": "of the model to save (default: data set and architecture, numbered if taken)",
    "epochs": "how often to go through the training images (default: "
    + "".join(f"{epochs} for {name}, " for name, epochs in EPOCHS.items())
    + f"else {RunConfig.epochs})",
    "batch_size": f"most images per step {_BY_NETWORK}",
    "optimizer": f"{', '.join(OPTIMIZERS)} {_BY_NETWORK}",
    "learning_rate": "size of the steps (default: "
    + ", ".join(f"{rate:g} for {name}" for name, rate in OPTIMIZERS.items()) + ")",
    "schedule": " or ".join(SCHEDULES) + " learning rate (default: "
    + ", ".join(f"{schedule} for {name}" for name, schedule in SCHEDULES_OF.items())
    + f", else {RunConfig.schedule})",
    "label_smoothing": f"share of each target that is spread over all classes {_BY_NETWORK}",
    "early_stopping": "end after this many epochs without better validation accuracy; 0: never",
    "reduce_on_plateau": "halve the learning rate after this many epochs without lower validation "
    "loss; 0: never",
    "seed": "of all randomness",
    "validation_fraction": "share of the training images held back to choose the best epoch",
    "train_images": "how many images to train on; 0: all that are not held back",
    "precision": " or ".join(PRECISIONS),
    "rotation": f"turn images by up to this many degrees {_BY_NETWORK}",
    "shift": f"move images by up to this fraction of their size {_BY_NETWORK}",
    "flip": "mirror half of the images (default: as the network is meant; never for digits)",
    "cutout": f"hide a square of this fraction of height and width {_BY_NETWORK}",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one option per setting of a run, and `--detach`."""
    for setting in fields(RunConfig):
        if setting.name != "augmentation":
            _add_setting(parser, setting, "name", "architecture")
    for setting in fields(Augmentation):
        _add_setting(parser, setting)
    add_preset_options(parser)
    parser.set_defaults(wrong_usage=parser.error)  # what argparse itself cannot check
    parser.add_argument("--pin", action="append", default=[], metavar="FILE",
                        help="a picture to classify after every epoch, shown on the run's page; "
                             f"up to {MOST_PINS} times")
    parser.add_argument("--detach", action="store_true",
                        help="do not wait: print the run's id and leave it to itself")


def _add_setting(
    parser: argparse.ArgumentParser, setting: Field[Any], *optional: str
) -> None:
    option = "--" + setting.name.replace("_", "-")
    text = _HELP[setting.name]
    if setting.type == "bool":
        parser.add_argument(option, action=argparse.BooleanOptionalAction,
                            default=argparse.SUPPRESS, help=text)
        return
    required = setting.default is MISSING and setting.name not in optional
    if not required and setting.default is not MISSING and "default:" not in text:
        text = f"{text} (default: {setting.default})"
    parser.add_argument(option, type=_TYPES[setting.type], default=argparse.SUPPRESS,
                        required=required, help=text)


def config_from_options(options: argparse.Namespace) -> RunConfig:
    """Return the configuration that the options mean; what was not given takes its default.

    Raises:
        BadInput: If a value is out of range.
        NotFound: If there is no such architecture.
    """
    given = vars(options)
    dataset, architecture = given["dataset"], given["architecture"]
    name = given.get("name") or proposed_name(dataset, architecture)
    return with_options(
        default_config(architecture, dataset, name, given.get("optimizer", "")), options)


def proposed_name(dataset: str, architecture: str) -> str:
    """Return a free name for a model."""
    return free_name(suggest_name(f"{dataset}-{architecture}"))


def with_options(config: RunConfig, options: argparse.Namespace) -> RunConfig:
    """Return the configuration with every setting that was given in its place.

    Raises:
        BadInput: If a value is out of range.
    """
    given = vars(options)
    values = {f.name: given[f.name] for f in fields(RunConfig) if f.name in given}
    changes = {f.name: given[f.name] for f in fields(Augmentation) if f.name in given}
    return replace(config, **{**values, "name": values.get("name") or config.name},
                   augmentation=replace(config.augmentation, **changes))


def run(options: argparse.Namespace) -> Output:
    """Start a run and, unless it is to be left to itself, wait for its result.

    Raises:
        CnnError: If the run cannot start, or ends without a saved model.
        SystemExit: With status 2, if there is neither architecture nor preset.
    """
    if not options.preset and "architecture" not in options:
        options.wrong_usage("one of these is required: --preset, --architecture")
    if options.preset:
        chosen = choose(options, proposed_name, lambda usual: with_options(usual, options))
        config, span = chosen.config, [round(chosen.expected.low), round(chosen.expected.high)]
        extra = {"expected_seconds": span}
    else:
        config, extra = config_from_options(options), {}
    run_id = start_run(config, [(Path(pin).name, read_picture(pin)) for pin in options.pin])
    if options.detach:
        return Output({**run_record(get_run(run_id)), **extra},
                      f"Run {run_id} has started. Look at it: python -m cnn runs {run_id}")
    say(f"Run {run_id}, to be saved as {config.name}. {CTRL_C}")
    result = follow(run_id, config.epochs)
    return replace(result, value={**result.value, **extra})
