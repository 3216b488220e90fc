"""Where things live: one function per folder, each with its environment variable.

| folder | variable | default |
|---|---|---|
| runs | CNN_RUNS_DIR | runs/ in the project |
| saved models | CNN_MODELS_DIR | saved_models/ in the project |
| named architectures | CNN_ARCHITECTURES_DIR | architectures/ in the project |
| data sets | CNN_DATA_DIR | the Keras cache folder, ~/.keras/datasets |

Functions, not constants, so that a test or a second server can point elsewhere at any time.
"""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def _folder(variable: str, default: Path) -> Path:
    value = os.environ.get(variable, "").strip()
    return Path(value).expanduser().resolve() if value else default


def runs_dir() -> Path:
    """Return the folder that holds one folder per training run."""
    return _folder("CNN_RUNS_DIR", PROJECT / "runs")


def models_dir() -> Path:
    """Return the folder that holds one folder per saved model."""
    return _folder("CNN_MODELS_DIR", PROJECT / "saved_models")


def architectures_dir() -> Path:
    """Return the folder that holds one file per architecture that was made here."""
    return _folder("CNN_ARCHITECTURES_DIR", PROJECT / "architectures")


def keras_cache_dir() -> Path:
    """Return the folder where Keras keeps the data sets it downloads."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "datasets"


def data_dir() -> Path:
    """Return the folder where data sets are looked for first and downloaded to."""
    return _folder("CNN_DATA_DIR", keras_cache_dir())
