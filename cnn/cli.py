"""`python -m cnn`: finds the command, prints its result, and puts failures into words.

    python -m cnn COMMAND [OPTIONS] [--json]

Exit status 0; 1 for an expected failure, in words on standard error; 2 for wrong usage; 130 for
Ctrl-C. Knows the names of the commands; what each does is in `cnn.cli_commands`.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

from cnn.cli_commands.output import Output, say
from cnn.errors import CnnError

COMMANDS = {
    "train": "Train a network on a data set and save the best of it.",
    "runs": "List training runs, or show one.",
    "pause": "Ask a run to keep everything and free the memory.",
    "resume": "Go on with a run that is paused or whose trainer died, or train more epochs.",
    "stop": "Ask a run to stop and keep its best.",
    "set": "Change the learning rate, epochs or augmentation of a run while it trains.",
    "queue": "Show the runs that wait, change their order, or how many train at once.",
    "evaluate": "Measure a saved model on its test images.",
    "predict": "Say what pictures show.",
    "explain": "Draw which parts of a picture speak for which class.",
    "models": "List saved models, show one, add one made elsewhere, or delete one.",
    "report": "Write a report of a training, or of several side by side, as one HTML file.",
    "card": "Write the model card of a saved model, as Markdown.",
    "export": "Write a saved model as Keras, SavedModel, LiteRT or ONNX, checked and with a "
              "program that uses it.",
    "datasets": "List data sets, show one, download it or take its files from elsewhere.",
    "architectures": "List networks, show one as layers or Keras code, add or delete your own.",
    "import": "Make a data set from class folders or a zip of them.",
    "doctor": "Check this computer and say what to do.",
}
# Where the command's name cannot be a module's, or would hide a builtin.
_MODULES = {"import": "import_images", "set": "change"}


def command_module(name: str) -> Any:
    """Return the module of a command: it has `add_options(parser)` and `run(options)`."""
    return importlib.import_module(f"cnn.cli_commands.{_MODULES.get(name, name)}")


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser with the options of one command.

    The other commands are known by name only: help and errors come quickly, and `doctor` runs
    where packages that other commands import are missing.
    """
    parser = argparse.ArgumentParser(
        prog="python -m cnn", allow_abbrev=False,
        description="Train, watch, understand and use convolutional networks.",
        epilog="More on a command: python -m cnn COMMAND --help")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        sub = commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
        if name == command:
            command_module(name).add_options(sub)
            sub.add_argument("--json", action="store_true",
                             help="print the result as JSON on standard output, nothing else")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    Args:
        argv: The words after `python -m cnn`. Defaults to those of this process.

    Raises:
        SystemExit: With status 2 for wrong usage, 0 after printing help.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a class name may be in any script
            stream.reconfigure(errors="replace")
    try:
        options = build_parser(words[0] if words else "").parse_args(words)
        with redirect_stdout(sys.stderr):  # what a library may print is not the result
            output: Output = command_module(options.command).run(options)
        _print(json.dumps(output.value, allow_nan=False) if options.json else output.text)
    except CnnError as error:
        say("\n".join(filter(None, (error.message, error.hint))))
        return 1
    except ModuleNotFoundError as error:
        if (error.name or "cnn").startswith("cnn"):
            raise
        say(f"The Python package {error.name!r} is missing.\n"
            "Install what is needed: python -m pip install -r requirements.txt. "
            "To see all that is missing: python -m cnn doctor")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted.")
        return 130
    return int(output.failed)


def _print(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
