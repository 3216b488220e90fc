"""`train`: starts a run in its own process and shows it until its end.

Every field of `RunConfig` is an option; none is listed here twice but for its help.
"""

from __future__ import annotations

import argparse
import time
from contextlib import suppress
from dataclasses import MISSING, Field, fields, replace
from typing import Any

from cnn.api_records import run_record
from cnn.cli_commands.output import (
    Output,
    ProgressLine,
    duration,
    facts,
    number,
    percent,
    say,
)
from cnn.config import OPTIMIZERS, PRECISIONS, Augmentation, RunConfig, config_from_dict
from cnn.errors import BadInput, CnnError
from cnn.files import suggest_name
from cnn.models.defaults import EPOCHS, default_augmentation, default_epochs
from cnn.prediction.saved import free_name
from cnn.runs.manager import RunInfo, get_run, start_run, stop_run

SECONDS_BETWEEN_LOOKS = 0.2
SUCCESS = ("finished", "stopped")  # states that leave a saved model
_TYPES: dict[Any, type] = {"int": int, "float": float, "str": str}
_HELP = {
    "dataset": "name of a data set: python -m cnn datasets",
    "architecture": "name of a network: python -m cnn architectures",
    "name": "of the model to save (default: data set and architecture, numbered if taken)",
    "epochs": "how often to go through the training images (default: "
    + "".join(f"{epochs} for {name}, " for name, epochs in EPOCHS.items())
    + f"else {RunConfig.epochs})",
    "batch_size": "images per step",
    "optimizer": " or ".join(OPTIMIZERS),
    "learning_rate": "size of the steps (default: "
    + ", ".join(f"{rate:g} for {name}" for name, rate in OPTIMIZERS.items()) + ")",
    "early_stopping": "end after this many epochs without better validation accuracy; 0: never",
    "reduce_on_plateau": "halve the learning rate after this many epochs without lower validation "
    "loss; 0: never",
    "seed": "of all randomness",
    "validation_fraction": "share of the training images held back to choose the best epoch",
    "train_images": "how many images to train on; 0: all that are not held back",
    "precision": " or ".join(PRECISIONS),
    "rotation": "turn images by up to this many degrees (default: as the network is meant)",
    "shift": "move images by up to this fraction of their size (default: as the network is meant)",
    "flip": "mirror half of the images (default: as the network is meant; never for digits)",
}
_OWN_DEFAULT = ("learning_rate", "name")  # depends on other options, as their help says


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one option per setting of a run, and `--detach`."""
    for setting in fields(RunConfig):
        if setting.name != "augmentation":
            _add_setting(parser, setting, "name")
    for setting in fields(Augmentation):
        _add_setting(parser, setting)
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
    if not required and "default:" not in text:
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
    values = {f.name: given[f.name] for f in fields(RunConfig) if f.name in given}
    changes = {f.name: given[f.name] for f in fields(Augmentation) if f.name in given}
    rate = OPTIMIZERS.get(values.get("optimizer", RunConfig.optimizer), RunConfig.learning_rate)
    values.setdefault("learning_rate", rate)
    dataset, architecture = values["dataset"], values["architecture"]
    values.setdefault("epochs", default_epochs(dataset))
    values.setdefault("name", free_name(suggest_name(f"{dataset}-{architecture}")))
    augmentation = replace(default_augmentation(architecture, dataset), **changes)
    return replace(config_from_dict(values), augmentation=augmentation)


def run(options: argparse.Namespace) -> Output:
    """Start a run and, unless it is to be left to itself, wait for its result.

    Raises:
        CnnError: If the run cannot start, or ends without a saved model.
    """
    config = config_from_options(options)
    run_id = start_run(config)
    if options.detach:
        return Output(run_record(get_run(run_id)),
                      f"Run {run_id} has started. Look at it: python -m cnn runs {run_id}")
    say(f"Run {run_id}, to be saved as {config.name}. Ctrl-C stops it and keeps the best so far.")
    return _result(_Follower(run_id, config.epochs).wait())


class _Follower:
    """Shows a run on standard error until it ends."""

    def __init__(self, run_id: str, epochs: int) -> None:
        self.run_id, self.epochs = run_id, epochs
        self.line = ProgressLine()
        self.position = 0
        self.stopping = False

    def wait(self) -> RunInfo:
        """Return the run when it has ended."""
        with self.line:
            while True:
                try:
                    run = get_run(self.run_id)  # before its events, so that none can be missed
                    self._show(run)
                    if not run.active:
                        return run
                    time.sleep(SECONDS_BETWEEN_LOOKS)
                except KeyboardInterrupt:
                    self._interrupted()

    def _interrupted(self) -> None:
        if self.stopping:
            raise CnnError(f"The run {self.run_id} goes on in the background.",
                           f"Look at it: python -m cnn runs {self.run_id}")
        self.stopping = True
        self.line.clear()
        with suppress(BadInput):  # it has ended by itself at this very moment
            stop_run(self.run_id)
        say("Stopping; the best so far will be saved. Ctrl-C again leaves it to the background.")

    def _show(self, run: RunInfo) -> None:
        events, self.position = run.folder.read_events(self.position)
        for event in events:
            if event["kind"] == "batch":
                self.line.show(self._batch_line(event))
            else:
                self.line.clear()
                say(event["text"] if event["kind"] == "note" else self._epoch_line(event))
        if not events and run.status.stage != "training":
            self.line.show(run.status.stage)

    def _batch_line(self, event: dict[str, Any]) -> str:
        return (f"epoch {event['epoch']}/{self.epochs}  {event['batch']}/{event['batches']}  "
                f"loss {event['loss']:.4f}  accuracy {percent(event['accuracy'])}  "
                f"{event['images_per_second']:,.0f} images/s  "
                f"{duration(event['seconds_left'])} left")

    def _epoch_line(self, event: dict[str, Any]) -> str:
        best = "  best so far" if event["best"] else ""
        return (f"epoch {event['epoch']}/{self.epochs}  loss {event['loss']:.4f}  "
                f"accuracy {percent(event['accuracy'])}  val_loss {event['val_loss']:.4f}  "
                f"val_accuracy {percent(event['val_accuracy'])}  "
                f"{duration(event['seconds'])}{best}")


def _result(run: RunInfo) -> Output:
    if run.error:
        raise run.error
    status = run.status
    if status.state not in SUCCESS:
        raise CnnError(f"The run {run.run_id} ended without a model ({status.state}): "
                       f"{status.message}",
                       f"{status.hint} See: python -m cnn runs {run.run_id}".strip())
    record = run_record(run)
    asked = record["epochs_asked"]
    text = facts((
        ("Model", status.model),
        ("Test accuracy", f"{percent(status.test_accuracy)} of {number(status.test_n)} images"),
        ("Test loss", number(status.test_loss)),
        ("Best epoch", f"{status.best_epoch} of {status.epoch} "
                       f"(validation accuracy {percent(status.best_val_accuracy)})"),
        ("Ended early", f"{status.message}, {asked} epochs asked for" if status.message else ""),
        ("Parameters", number(status.parameters)),
        ("Time", duration(status.seconds)),
        ("Next", f"python -m cnn evaluate {status.model}"),
    ))
    return Output(record, text)
