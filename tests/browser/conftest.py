"""A real dashboard and a real Chromium for the tests in this folder."""

import shutil
import subprocess

import pytest

from benchmarks.dashboard_process import CHROMIUM_ARGS, dashboard
from cnn.runs.folder import RunFolder
from tests.browser.support import settle


def _starts(command):
    """Whether it is a browser; on Ubuntu a command of this name may only say how to get one."""
    try:
        return subprocess.run([command, "--version"], capture_output=True, timeout=60,
                              check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


CHROMIUM = next(filter(_starts, filter(None, map(
    shutil.which, ("chromium", "chromium-browser", "google-chrome")))), None)


def pytest_collection_modifyitems(items):
    """Mark these tests, and skip them where there is no Chromium."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this computer"))


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Empty folders for runs, models and data."""
    folder = tmp_path_factory.mktemp("studio")
    yield {"CNN_RUNS_DIR": str(folder / "runs"), "CNN_MODELS_DIR": str(folder / "models"),
           "CNN_DATA_DIR": str(folder / "data"), "KERAS_HOME": str(folder / "keras")}
    for run in (folder / "runs").glob("*"):  # a test that failed must leave no trainer behind
        RunFolder(run).ask(wish="stop")


@pytest.fixture(scope="module")
def server(places):
    """A dashboard that was just started with nothing in it."""
    with dashboard(places) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the whole module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Opens an address as a new visitor and waits until the page is drawn."""
    contexts = []

    def open_page(url, width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900},
                                      color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(url)
        settle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
