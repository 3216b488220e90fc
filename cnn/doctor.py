"""Checks this computer: may the dashboard, the trainer and the engine run here, and what to do.

Imports nothing but the standard library and the foundation at its top, because it has to run where
packages are missing. Knows no terminal: the caller shows the checks.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cnn.data.progress import Progress, silent
from cnn.errors import CnnError
from cnn.hardware import has_bfloat16
from cnn.paths import PROJECT, data_dir, models_dir, runs_dir

PORT = 8501  # Streamlit's own choice, and the Makefile's
OLDEST_PYTHON = (3, 11)
TENSORFLOW_SECONDS = 180.0  # 10 s on a quiet machine; a cold disk and a busy laptop take far more
GB = 2**30
MEMORY_NEEDED, MEMORY_WANTED = 0.8 * GB, 2 * GB  # a trainer on cifar10 takes 1 to 1.5 GB
DISK_NEEDED, DISK_WANTED = 0.2 * GB, 2 * GB  # cifar10 with its download takes 0.6 GB
INSTALL = "Run: python -m pip install -r requirements.txt"
ONE_STEP = """
import keras, numpy
model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
model.compile("sgd", "mse")
model.train_on_batch(numpy.zeros((4, 8, 8, 1)), numpy.zeros((4, 2)))
"""


@dataclass(frozen=True)
class Check:
    """What one look found."""

    name: str
    state: Literal["ok", "warning", "problem"]
    message: str
    hint: str = ""  # what to do


def run_checks(progress: Progress = silent) -> list[Check]:
    """Return what all checks found; one that fails itself is a problem, not an end.

    Args:
        progress: Told which check is under way. Defaults to nobody.
    """
    found: list[Check] = []
    for number, (name, check) in enumerate(CHECKS.items()):
        progress(f"Checking {name}", number, len(CHECKS))
        try:
            found += check()
        except CnnError as error:
            found.append(Check(name, "problem", error.message, error.hint))
        except ImportError as error:
            found.append(Check(name, "problem", f"Cannot be checked: {error}.", INSTALL))
        except Exception as error:  # whatever is broken here is what a person wants to know
            found.append(Check(name, "problem", f"The check failed: {error!r}.",
                               "Please report this."))
    return found


def check_python() -> Iterator[Check]:
    """Look at the version of Python."""
    version = platform.python_version()
    if sys.version_info >= OLDEST_PYTHON:
        yield Check("python", "ok", f"Python {version}")
    else:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        yield Check("python", "problem", f"Python {version} is too old.",
                    f"Install Python {oldest} or newer, then: make clean run PYTHON=python{oldest}")


def check_packages(requirements: Path = PROJECT / "requirements.txt") -> Iterator[Check]:
    """Compare what is installed with what `requirements` asks for, one check per package."""
    from packaging.requirements import Requirement

    for line in requirements.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            yield _package(Requirement(text))


def _package(wanted: Any) -> Check:
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return Check(wanted.name, "problem", f"{wanted.name} is not installed.", INSTALL)
    if wanted.specifier.contains(version, prereleases=True):
        return Check(wanted.name, "ok", f"{wanted.name} {version}")
    return Check(wanted.name, "problem",
                 f"{wanted.name} {version} is installed; needed is {wanted.specifier}.", INSTALL)


def check_tensorflow(
    command: Sequence[str] = (sys.executable, "-c", ONE_STEP), seconds: float = TENSORFLOW_SECONDS
) -> Iterator[Check]:
    """Train one step in a child process, which may crash or hang without harm."""
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        yield Check("training step", "problem",
                    f"TensorFlow did not train a step in {seconds:g} s.",
                    "Close other programs and try again.")
        return
    if child.returncode == 0:
        yield Check("training step", "ok", "TensorFlow trains.")
    else:
        yield Check("training step", "problem", *_why(child.returncode, child.stderr))


def _why(status: int, said: str) -> tuple[str, str]:
    if status < 0:
        name = signal.Signals(-status).name
        hint = ("This processor may be too old: TensorFlow needs AVX." if name == "SIGILL"
                else "Close other programs, and install the packages again. " + INSTALL)
        return f"TensorFlow crashed ({name}).", hint
    lines = said.strip().splitlines() or ["it said nothing"]
    return f"TensorFlow cannot train: {lines[-1][:200]}", INSTALL


def check_processor() -> Iterator[Check]:
    """Look at whether mixed bfloat16 is worth choosing here."""
    has = has_bfloat16()
    if has is None:
        yield Check("bfloat16", "ok", "Unknown for this processor; float32 is the default.")
    else:
        yield Check("bfloat16", "ok", "The processor has bfloat16 instructions." if has else
                    "The processor has none: choose float32 (the default), the other is slower.")


def check_memory() -> Iterator[Check]:
    """Look at the memory that programs can still have."""
    import psutil

    memory = psutil.virtual_memory()
    message = f"{memory.available / GB:.1f} of {memory.total / GB:.1f} GB of memory are free."
    yield _enough("memory", memory.available, MEMORY_NEEDED, MEMORY_WANTED, message,
                  "Close other programs, or train on fewer images.")


def _enough(
    name: str, value: float, needed: float, wanted: float, message: str, hint: str
) -> Check:
    if value >= wanted:
        return Check(name, "ok", message)
    return Check(name, "problem" if value < needed else "warning", message, hint)


def check_disk() -> Iterator[Check]:
    """Look at the free space where runs, models and data are kept."""
    places = {"runs": runs_dir(), "models": models_dir(), "data": data_dir()}
    seen = set()
    for name, folder in places.items():
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        if existing.stat().st_dev not in seen:
            seen.add(existing.stat().st_dev)
            free = shutil.disk_usage(existing).free
            yield _enough(f"disk of {name}", free, DISK_NEEDED, DISK_WANTED,
                          f"{free / GB:.1f} GB are free where {name} are kept.",
                          f"Free some space on the disk of {existing}.")


def check_folders() -> Iterator[Check]:
    """Try to write where runs, models and data are kept."""
    for name, folder, variable in (("runs", runs_dir(), "CNN_RUNS_DIR"),
                                   ("models", models_dir(), "CNN_MODELS_DIR")):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                yield Check(f"folder of {name}", "ok", str(folder))
        except OSError as error:
            yield Check(f"folder of {name}", "problem",
                        f"{folder} cannot be written ({error.strerror or error}).",
                        f"Set {variable} to a folder of your own.")
    from cnn.data.store import writable_folder

    yield Check("folder of data", "ok", str(writable_folder()))


def check_port(port: int = PORT) -> Iterator[Check]:
    """Try whether something already listens where the dashboard wants to."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        yield Check("port", "ok", f"Port {port} is free.")
    else:
        yield Check("port", "warning", f"Something listens on port {port} already.",
                    "If that is not the dashboard itself, choose another: "
                    f"make run PORT={port + 1}")


def check_datasets() -> Iterator[Check]:
    """Look at which data sets can be used without a network."""
    from cnn.data.catalogue import all_names, describe

    for name in all_names():
        info = describe(name)
        if info.available:
            yield Check(f"data {name}", "ok", "Available.")
        elif info.kind == "built-in":
            yield Check(f"data {name}", "warning", info.note,
                        f"While there is a network: python -m cnn datasets --download {name}. "
                        f"With its files from elsewhere: python -m cnn datasets {name} --file PATH")
        else:
            yield Check(f"data {name}", "problem", info.note)


def check_models() -> Iterator[Check]:
    """Read every saved model: its card, its results and each byte of its network."""
    from cnn.evaluation.results import read_evaluation
    from cnn.prediction.saved import MODEL_FILE, list_models

    models = list_models()
    if not models:
        yield Check("saved models", "warning", "There are none.",
                    "Train one: python -m cnn train --dataset digits --architecture base")
    for model in models:
        name = f"model {model.name}"
        try:
            if model.error:
                raise model.error
            if model.card and model.card.test_accuracy is not None:
                read_evaluation(model.path)
            _read_archive(model.path / MODEL_FILE)
            yield Check(name, "ok", "Readable.")
        except CnnError as error:
            yield Check(name, "problem", error.message, error.hint)
        except (OSError, zipfile.BadZipFile) as error:
            yield Check(name, "problem", f"{MODEL_FILE} is damaged: {error}.",
                        "Restore this folder from a copy, or delete it.")


def _read_archive(path: Path) -> None:
    """Read a Keras file to its end; each part carries its own checksum."""
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
    if broken:
        raise zipfile.BadZipFile(f"{broken} has changed")


CHECKS: dict[str, Callable[[], Iterator[Check]]] = {
    "python": check_python, "packages": check_packages, "tensorflow": check_tensorflow,
    "processor": check_processor, "memory": check_memory, "disk": check_disk,
    "folders": check_folders, "port": check_port, "data sets": check_datasets,
    "saved models": check_models,
}
