"""Fixtures for all tests: own folders for everything, and the dashboard to open pages of.

Also what makes the suite quick: its order, and no Keras in the way of pages.
"""

import gc
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from cnn.data.catalogue import load
from cnn.prediction import client
from cnn.prediction.client import EngineClient

# Files that take a minute or more. Given out first, so that no worker is left with one at the end.
LONG = ("test_spine", "test_worker", "test_cli_train", "test_checkpoint")
# What a developer keeps in the project's own folder is no part of any test.
os.environ["CNN_ARCHITECTURES_DIR"] = str(Path(tempfile.gettempdir()) / "no-architectures")

DASHBOARD = Path(__file__).resolve().parent.parent / "dashboard.py"


def pytest_collection_modifyitems(items):
    """Put the long files first; `--no-loadscope-reorder` keeps them there."""
    items.sort(key=lambda item: not item.path.stem.startswith(LONG))


def pytest_collection_finish():
    """Spare what is imported by now the look of each garbage collection.

    Streamlit collects after each run of a script; with TensorFlow imported that takes ten times as
    long as the run itself.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory):
    """A data folder in which the digits are prepared; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("digits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_DATA_DIR", str(folder))
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        load("digits")
    return folder


@pytest.fixture
def empty_folders(tmp_path, monkeypatch):
    """Point runs, models and data to folders of this test that do not exist yet."""
    for kind in ("RUNS", "MODELS", "ARCHITECTURES", "DATA"):
        monkeypatch.setenv(f"CNN_{kind}_DIR", str(tmp_path / kind.lower()))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path


@pytest.fixture
def folders(empty_folders, digits_folder):
    """The same with the digits prepared, as they are soon after the first start."""
    shutil.copytree(digits_folder, empty_folders / "data")
    return empty_folders


@pytest.fixture
def app(folders, monkeypatch):
    """The dashboard, not yet run; `open_page` opens a page of it."""
    original = PagesManager.__init__

    def without_legacy_pages(self, *args, **kwargs):
        original(self, *args, **kwargs)
        # AppTest sets it back on each run, and would then run a page without dashboard.py.
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", without_legacy_pages)
    # It resets Keras after each run of a script, which takes long. No server has Keras to reset.
    monkeypatch.setattr(script_runner, "_clean_problem_modules", lambda: None)
    st.cache_data.clear()
    st.cache_resource.clear()
    return AppTest.from_file(str(DASHBOARD), default_timeout=30)


@pytest.fixture
def no_engine(monkeypatch):
    """Let every use of the engine fail."""
    monkeypatch.setattr(client, "_shared", EngineClient((sys.executable, "-c", "pass")))


@pytest.fixture
def asked(folders, monkeypatch):
    """Put the stub in the place of the engine; returns the headers of all that was asked of it."""
    log = folders / "asked.jsonl"
    engine = EngineClient((sys.executable, "-m", "tests.stub_engine", str(log)))
    monkeypatch.setattr(client, "_shared", engine)
    yield lambda: [json.loads(line)
                   for line in (log.read_text() if log.exists() else "").splitlines()]
    engine.close()


@pytest.fixture
def open_page(app):
    """Open a page by its name, with query parameters, and return the AppTest."""
    def open_it(name, **query):
        app.run()
        app.switch_page(f"pages/{name}.py")
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return open_it
