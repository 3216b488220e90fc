"""What each architecture reaches: trains all of them and prints the table of docs/results.md.

    python -m benchmarks.ladder --folder FOLDER [--only NAME ...] [--write]

Each training is the one that `python -m cnn train` starts, in a process of its own, one after the
other. Models that FOLDER already holds are not trained again, so it can be stopped and continued.
Every figure comes from the cards of the saved models; the test split is read once, at the end of a
training, for the epoch that validation chose.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import arguments, publish, table
from cnn.prediction.saved import Card, list_models


@dataclass(frozen=True)
class Entry:
    """One training and what it is measured against."""

    dataset: str
    architecture: str
    settings: str  # further options of the command
    target: str  # in words; empty where there is none

    @property
    def name(self) -> str:
        """Of the saved model."""
        return f"{self.dataset}-{self.architecture}"


LADDER = (
    Entry("cifar10", "dense", "--epochs 10", "test loss at most 1.5843"),
    Entry("cifar10", "base", "--epochs 8", "test accuracy at least 64.3 %"),
    Entry("cifar10", "dropout", "--epochs 12", "test accuracy at least 70 %"),
    Entry("cifar10", "deeper", "--epochs 8", ""),
    Entry("cifar10", "deeper-dropout", "--epochs 10", ""),
    Entry("cifar10", "batchnorm", "--epochs 8", ""),
    Entry("cifar10", "augmented", "--epochs 14 --reduce-on-plateau 1", ""),
    Entry("mnist", "lenet", "--epochs 12", "test accuracy at least 99.0 %"),
    Entry("digits", "base", "", "test accuracy at least 97 %, in 30 s"),
    Entry("cifar10", "tf-nn", "--epochs 5", ""),
    Entry("cifar10", "speedrun", "--epochs 8 --validation-fraction 0.02", ""),
    Entry("cifar10", "vgg-bn",
          "--epochs 12 --batch-size 128 --reduce-on-plateau 1 --rotation 0 --shift 0.1 --flip", ""),
)


def train(entry: Entry) -> None:
    """Train one entry with the project's own command."""
    command = (f"-m cnn train --dataset {entry.dataset} --architecture {entry.architecture} "
               f"--name {entry.name} {entry.settings}")
    subprocess.run([sys.executable, *shlex.split(command)], check=True)


def rows(cards: dict[str, Card]) -> list[list[object]]:
    """Return the table of those entries that are trained."""
    lines: list[list[object]] = []
    for entry in LADDER:
        if entry.name not in cards:
            continue
        card = cards[entry.name]
        lines.append([
            entry.dataset, f"`{entry.architecture}`", f"{card.parameters:,}",
            f"{card.multiply_adds / 1e6:.1f} M", f"{card.best_epoch} of {card.epochs}",
            f"{card.val_accuracy:.2%}", f"**{card.test_accuracy:.2%}**", f"{card.test_loss:.4f}",
            f"{card.test_n:,}", _percent(card.averaged_test_accuracy),
            _percent(card.calibration_error), f"{card.seconds:,.0f} s", entry.target])
    return lines


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def main() -> None:
    """Train what is missing and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="holds runs and models")
    parser.add_argument("--only", nargs="*", default=[entry.name for entry in LADDER])
    options = parser.parse_args()
    os.environ["CNN_RUNS_DIR"] = str(options.folder / "runs")
    os.environ["CNN_MODELS_DIR"] = str(options.folder / "models")
    for entry in LADDER:
        if entry.name in options.only and not (options.folder / "models" / entry.name).exists():
            train(entry)
    cards = {model.name: model.card for model in list_models() if model.card}
    head = ["data", "architecture", "parameters", "multiply-adds", "best epoch", "validation",
            "test accuracy", "test loss", "n", "averaged", "calibration error", "wall time",
            "target"]
    commands = "\n".join(f"    {card.command}" for card in
                         (cards[e.name] for e in LADDER if e.name in cards))
    body = f"{table(head, rows(cards))}\n\nSeed 0. The commands:\n\n{commands}"
    publish("ladder", "python -m benchmarks.ladder --folder FOLDER", body, options.write)


if __name__ == "__main__":
    main()
