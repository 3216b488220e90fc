"""Readers of models, data sets and results that remember what they read.

Each is keyed by the stamp of the file it reads, so a changed file is read again at once, and each
is bounded. Nothing here is changed by a page; arrays are mapped from disk and read-only.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn.data import catalogue, traits
from cnn.data.dataset import Dataset
from cnn.data.stock import EDITS, META
from cnn.data.store import set_folder
from cnn.data.traits import Originals
from cnn.errors import CnnError, Unavailable
from cnn.evaluation import curves
from cnn.evaluation.curves import Ranking
from cnn.evaluation.novelty import FILE_NAME as NOVELTY
from cnn.evaluation.results import ARRAYS_NAME, JSON_NAME, Evaluation, read_evaluation
from cnn.paths import models_dir, runs_dir
from cnn.prediction.saved import (
    CARD_FILE,
    HISTORY_FILE,
    MODEL_FILE,
    SavedModel,
    list_models,
    model_folder,
    read_history,
)
from cnn.runs.contenders import Contender, epochs_file, epochs_of, list_contenders
from cnn.runs.folder import RunFolder

Stamp = tuple[tuple[str, int, int], ...]  # path, time of change in ns and size of each file


def digest_of(data: bytes) -> str:
    """Return what tells a picture from others: the key of caches, which only sample large bytes."""
    return hashlib.sha256(data).hexdigest()


def file_stamp(*paths: Path) -> Stamp:
    """Return what changes whenever one of these files changes, appears or goes."""
    return tuple((str(path), *_times(path)) for path in paths)


def _times(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


def models() -> list[SavedModel]:
    """Return all saved models, newest first; damaged ones come with their error."""
    return _models(_models_stamp())


def _models_stamp() -> Stamp:
    folder = models_dir()
    files = [path / file for path in _inside(folder) for file in (CARD_FILE, MODEL_FILE)]
    return file_stamp(folder, *files)


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


@st.cache_data(max_entries=2, show_spinner=False)
def _models(stamp: Stamp) -> list[SavedModel]:
    return list_models()


def contenders() -> list[Contender]:
    """Return what can be compared, models before runs, newest first."""
    folder = runs_dir()
    files = [file for path in _inside(folder) for file in RunFolder(path).telling]
    return _contenders(_models_stamp(), file_stamp(folder, *files))


@st.cache_data(max_entries=2, show_spinner=False)
def _contenders(of_models: Stamp, of_runs: Stamp) -> list[Contender]:
    return list_contenders()


def epochs(contender: Contender) -> list[dict[str, Any]]:
    """Return the epoch records of a contender, oldest first; none if they cannot be read."""
    return _epochs(file_stamp(epochs_file(contender)), contender.epochs, contender)


@st.cache_data(max_entries=64, show_spinner=False)
def _epochs(stamp: Stamp, count: int, _contender: Contender) -> list[dict[str, Any]]:
    return epochs_of(_contender)


def model_stamp(name: str) -> Stamp:
    """Return the stamp of what is stored about a model: pass it to the readers below.

    Raises:
        NotFound: If there is no such model.
    """
    folder = model_folder(name)
    files = (CARD_FILE, MODEL_FILE, HISTORY_FILE, JSON_NAME, ARRAYS_NAME, NOVELTY)
    return file_stamp(*(folder / file for file in files))


@st.cache_data(max_entries=8, show_spinner=False)
def evaluation(name: str, stamp: Stamp) -> Evaluation:
    """Return the stored test results of a model.

    Raises:
        NotFound: If there are none.
        Damaged: If they cannot be read.
    """
    return read_evaluation(model_folder(name))


@st.cache_data(max_entries=16, show_spinner=False)
def history(name: str, stamp: Stamp) -> list[dict[str, Any]]:
    """Return the epoch records of the run that made a model, oldest first.

    Raises:
        NotFound: If there is no such model.
    """
    return read_history(model_folder(name).name)


def dataset(name: str) -> Dataset:
    """Return a data set that needs no download; its arrays are mapped, so this takes no memory.

    Raises:
        NotFound: If there is no data set of this name.
        Unavailable: If it would have to be downloaded: that needs a person's click.
        Damaged: If its files are damaged.
    """
    info = catalogue.describe(name)
    if not info.available:
        raise Unavailable(f"The data set {name} is not ready on this computer.",
                          f"{info.note} Open the page Data to get it.")
    if info.image_shape is None:
        catalogue.load(name)
    folder = set_folder(name)
    return _dataset(name, file_stamp(folder / META, folder / EDITS))


@st.cache_resource(max_entries=4, show_spinner="Opening the data set")
def _dataset(name: str, stamp: Stamp) -> Dataset:
    return catalogue.load(name)


def brightness(data: Dataset) -> NDArray[np.float64]:
    """Return how bright each test image of a data set is, 0 to 255, (N,)."""
    return _brightness(data.fingerprint, data)


@st.cache_data(max_entries=4, show_spinner="Measuring the test images")
def _brightness(fingerprint: str, _data: Dataset) -> NDArray[np.float64]:
    return traits.brightness(_data.test_images)


def originals(data: Dataset) -> Originals | None:
    """Return what is known of the files of a data set's test images; None if it has none.

    Raises:
        Damaged, BadInput: If the set's list of files cannot be read.
    """
    return _originals(data.fingerprint, data)


@st.cache_data(max_entries=4, show_spinner=False)
def _originals(fingerprint: str, _data: Dataset) -> Originals | None:
    return traits.originals_of_test(_data)


@st.cache_data(max_entries=8, show_spinner=False)
def rankings(name: str, stamp: Stamp) -> tuple[Ranking | None, ...]:
    """Return the curves of every class of a model, from its stored test results.

    Raises:
        NotFound: If there are none.
        Damaged: If they cannot be read.
    """
    return curves.rankings(evaluation(name, stamp))


def described() -> list[catalogue.DatasetInfo]:
    """Return what is known about every data set, those that are ready first."""
    infos = []
    for name in catalogue.all_names():
        try:
            infos.append(catalogue.describe(name))
        except CnnError:  # removed between the two looks
            continue
    return sorted(infos, key=lambda info: not info.available)
