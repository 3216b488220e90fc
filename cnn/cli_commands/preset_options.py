"""`--preset` and `--measure` of `train`: from a time to a configuration, and what is said of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace

from cnn.cli_commands.output import ProgressLine, duration, say
from cnn.config import RunConfig
from cnn.data.catalogue import DatasetInfo, describe, load
from cnn.errors import BadInput
from cnn.models.defaults import default_config
from cnn.models.presets import PRESETS, Preset, find_preset, plan
from cnn.models.speeds import Expected, Speeds, expected_time
from cnn.runs.measuring import known_speeds, measure_speeds


@dataclass(frozen=True)
class Chosen:
    """The run that a preset and the other options mean."""

    config: RunConfig
    expected: Expected


def add_preset_options(parser: argparse.ArgumentParser) -> None:
    """Add the two options."""
    parser.add_argument("--preset", type=_preset, default=None, metavar="TIME", help=(
        f"{', '.join(PRESETS)}: choose network, epochs, batch size and images so that the whole "
        "run takes about this long on this computer; options that are given win"))
    parser.add_argument("--measure", action="store_true",
                        help="with --preset: measure the speed of this computer again")


def _preset(text: str) -> Preset:
    try:
        return find_preset(text)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def choose(
    options: argparse.Namespace, proposed_name: Callable[[str, str], str],
    override: Callable[[RunConfig], RunConfig],
) -> Chosen:
    """Return the run that suits the preset, with the options that were given in their place.

    Measures this computer first if that has not been done, and says what was chosen.

    Args:
        options: Of `train`.
        proposed_name: From data set and architecture to a name for the model.
        override: Puts the given options into a configuration.

    Raises:
        CnnError: If the data set cannot be loaded, the speed not be measured, or a value not used.
    """
    info, given = _described(options.dataset), vars(options)
    architecture = given.get("architecture", "")
    speeds = _speeds(info, architecture, options.measure)
    planned = plan(options.preset, speeds, info.name, info.train_count, info.test_count,
                   "model", architecture)
    config = planned.config.with_name(proposed_name(info.name, planned.config.architecture))
    config = override(_with_optimizer(config, given.get("optimizer", "")))
    expected = expected_time(config, speeds, info.train_count, info.test_count)
    chosen = Chosen(config, expected or planned.expected)
    if planned.remark and config.train_images == planned.config.train_images:
        say(planned.remark)
    say(_announcement(chosen, info, speeds))
    return chosen


def _with_optimizer(config: RunConfig, optimizer: str) -> RunConfig:
    if not optimizer or optimizer == config.optimizer:
        return config
    usual = default_config(config.architecture, config.dataset, config.name, optimizer)
    return replace(config, optimizer=optimizer, learning_rate=usual.learning_rate,
                   schedule=usual.schedule)


def _described(name: str) -> DatasetInfo:
    info = describe(name)
    if info.image_shape is None:
        with ProgressLine() as line:
            load(name, line.steps)
        info = describe(name)
    return info


def _speeds(info: DatasetInfo, architecture: str, again: bool) -> Speeds:
    assert info.image_shape is not None  # noqa: S101  it has been prepared
    subject = (info.image_shape, len(info.classes), architecture)
    speeds = None if again else known_speeds(*subject)
    if speeds is None:
        say("Measuring this computer, some seconds ...")
        speeds = measure_speeds(*subject)
    return speeds


def _announcement(chosen: Chosen, info: DatasetInfo, speeds: Speeds) -> str:
    config, expected = chosen.config, chosen.expected
    images = f"{config.train_images:,} images" if config.train_images else "all images"
    epochs = "1 epoch" if config.epochs == 1 else f"{config.epochs} epochs"
    lines = [f"{config.architecture} on {images} of {info.name}, {epochs}, "
             f"batches of {config.batch_size}, {config.precision}.",
             f"Expected: {duration(expected.low)} to {duration(expected.high)} in all."]
    if speeds.slower > 1:
        lines.append("That is without other programs. Those that ran during the measurement make "
                     f"it {speeds.slower:.1f} times as long.")
    return "\n".join(lines)
