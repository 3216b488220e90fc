"""Shows in screenshots what a run survives: a reload, its server's death, its own death, a pause.

    python -m tests.faults.story FOLDER

Needs Chromium and POSIX signals. Writes 1.png, 2.png and so on, and prints what each shows.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.dashboard_process import CHROMIUM_ARGS, start_dashboard
from cnn.runs.manager import get_run
from cnn.runs.steering import change_run
from tests.browser.support import settle, start_digits_run

EPOCHS = 3000  # more than there is time for: they are cut down at the end
LAST_EPOCHS = 10
COLORS = 128  # of a screenshot, which are few: a fifth of its size
PATIENCE = 120.0


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: If it does not in time.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("waited too long")
        time.sleep(0.1)


class Story:
    """Takes numbered screenshots of one page."""

    def __init__(self, page: Any, folder: Path) -> None:
        self._page, self._folder, self._number = page, folder, 0
        folder.mkdir(parents=True, exist_ok=True)

    def show(self, words: str) -> None:
        """Keep what is to be seen now, and say what it is."""
        self._number += 1
        path = self._folder / f"{self._number}.png"
        self._page.wait_for_timeout(2500)  # for the next look of the live figures
        self._page.screenshot(path=path)
        Image.open(path).convert("RGB").quantize(COLORS).save(path, optimize=True)
        print(f"{self._number}. {words}", flush=True)


def tell(page: Any, story: Story, places: dict[str, str]) -> None:
    """Go through all of it."""
    server = start_dashboard(places)
    try:
        page.goto(f"{server.url}/train?run=new")
        settle(page)
        run_id = start_digits_run(page, EPOCHS)
        wait_for(lambda: get_run(run_id).status.epoch >= 6)
        story.show("A run has started and trains.")
        page.reload()
        settle(page)
        story.show("The page was reloaded: the same run, further on.")
        server.kill()
        page.wait_for_timeout(1500)
        story.show("The server was killed. The page says so; the run trains on.")
        server = start_dashboard(places, server.port)
        page.locator(".st-key-run_pause button:visible").wait_for()
        story.show("The server was started again: the page came back by itself.")
        os.kill(get_run(run_id).status.pid, signal.SIGKILL)
        page.locator(".st-key-run_resume button:visible").wait_for()
        story.show("The trainer itself was killed: interrupted, with Resume.")
        page.locator(".st-key-run_resume button:visible").click()
        wait_for(lambda: get_run(run_id).status.stage == "training")
        story.show("Resumed after its last whole epoch.")
        page.locator(".st-key-run_pause button:visible").click()
        page.locator(".st-key-run_finish button:visible").wait_for()
        story.show("Paused: everything kept, its memory free.")
        change_run(run_id, epochs=get_run(run_id).status.epoch + LAST_EPOCHS)
        page.locator(".st-key-run_resume button:visible").click()
        page.get_by_text("Saved as").wait_for()
        settle(page)
        story.show(f"Cut down to {LAST_EPOCHS} more epochs, resumed, finished: tested and saved.")
    finally:
        server.kill()


def main(target: str) -> None:
    """Make the screenshots."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        places = {f"CNN_{kind.upper()}_DIR": f"{folder}/{kind}" for kind in
                  ("runs", "models", "data")} | {"KERAS_HOME": f"{folder}/keras"}
        os.environ.update(places)
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGS))
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(1000 * PATIENCE)
        tell(page, Story(page, Path(target)), places)
        chromium.close()


if __name__ == "__main__":
    main(sys.argv[1])
