"""Fixtures for tests that open pages: own folders for everything, and the dashboard itself."""

import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from cnn.data.catalogue import load

DASHBOARD = Path(__file__).resolve().parent.parent / "dashboard.py"


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
def folders(tmp_path, monkeypatch, digits_folder):
    """Point runs, models and data (the digits only) to folders of this test."""
    shutil.copytree(digits_folder, tmp_path / "data")
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CNN_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("CNN_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path


@pytest.fixture
def app(folders, monkeypatch):
    """The dashboard, not yet run; `open_page` opens a page of it."""
    original = PagesManager.__init__

    def without_legacy_pages(self, *args, **kwargs):
        original(self, *args, **kwargs)
        # AppTest sets it back on each run, and would then run a page without dashboard.py.
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", without_legacy_pages)
    st.cache_data.clear()
    st.cache_resource.clear()
    return AppTest.from_file(str(DASHBOARD), default_timeout=30)


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
