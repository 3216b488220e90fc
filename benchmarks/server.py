"""How quick and how small the server is: start, first page, memory, first and later answers.

    python -m benchmarks.server [--write]

Each start is a fresh server process on a free port. "First script run" is the time from opening a
page's websocket to the end of its first run, read in Chromium from Streamlit's own running mark;
each page is the first visit of a fresh server, the worst case. Needs playwright and a Chromium.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.dashboard_process import CHROMIUM_ARGS, Dashboard, dashboard
from benchmarks.report import arguments, publish, table
from cnn.paths import models_dir
from cnn.prediction.choice import default_model
from cnn.prediction.client import EngineClient

PAGES = ("", "data", "train", "evaluate", "predict")
STARTS = 3
FIRST_VISITS = 2
ANSWERS = 200
# Runs in the page before anything else: notes when the script first runs and when it is done.
WATCH = """
window.marks = {};
const open = window.WebSocket;
window.WebSocket = class extends open {
  constructor(...a) {
    super(...a);
    this.addEventListener('open', () => marks.open ??= performance.now());
  }
};
setInterval(() => {
  const app = document.querySelector('[data-testid=stApp]');
  const state = app && app.getAttribute('data-test-script-state');
  const drawn = marks.open && document.querySelector('h1');
  if (state === 'notRunning' && drawn) marks.done ??= performance.now();
}, 5);
"""


def first_run(browser: Browser, server: Dashboard, page_name: str) -> float:
    """Return the seconds of the first script run of a page."""
    page = browser.new_page()
    page.add_init_script(WATCH)
    page.goto(f"{server.url}/{page_name}")
    page.wait_for_function("window.marks.done", timeout=60_000)
    marks: dict[str, float] = page.evaluate("window.marks")
    page.close()
    return (marks["done"] - marks["open"]) / 1000


def cold_answer(server: Dashboard, image: bytes) -> float:
    """Return the seconds from now to the first answer of the API."""
    begin = time.monotonic()
    request = urllib.request.Request(
        f"{server.url}/api/predict", data=image, headers={"Content-Type": "image/png"})
    with urllib.request.urlopen(request, timeout=120) as reply:
        reply.read()
    return time.monotonic() - begin


def engine_latency(image: bytes) -> list[float]:
    """Return the milliseconds of single requests to a warm engine of its own."""
    engine, name = EngineClient(), default_model()
    engine.predict(name, [image])
    times = []
    for _ in range(ANSWERS):
        begin = time.perf_counter()
        engine.predict(name, [image], pictures=True)
        times.append((time.perf_counter() - begin) * 1000)
    engine.close()
    return times


def picture() -> bytes:
    """Return a 640×480 PNG."""
    import numpy as np

    from cnn.data.images import encode_png

    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    return encode_png(noise.repeat(10, axis=0).repeat(10, axis=1))


def measure(environment: dict[str, str]) -> list[list[object]]:
    """Return the rows of the table."""
    image = picture()
    health, cold = [], []
    for _ in range(STARTS):
        with dashboard(environment) as server:
            health.append(server.seconds_to_health)
            cold.append(cold_answer(server, image))
    rows: list[list[object]] = [
        row("health answers after start", health, "s", 2.0),
        row("first answer, engine cold, from server start on", cold, "s", 12.0)]
    with sync_playwright() as playwright:
        browser: Any = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(CHROMIUM_ARGS))
        for name in PAGES:
            runs = []
            for _ in range(FIRST_VISITS):
                with dashboard(environment) as server:
                    time.sleep(8)  # the engine's start, which every core works on, is over
                    runs.append(first_run(browser, server, name))
            rows.append(row(f"first script run of /{name}", runs, "s", 0.5))
        with dashboard(environment) as server:
            for name in PAGES:
                first_run(browser, server, name)
            time.sleep(10)
            memory, engine = server.memory()
            rows.append(row("server memory, idle, after all pages", [memory], "MB", 250))
            rows.append(["engine memory, one model", f"{engine:.0f} MB", "", ""])
        browser.close()
    latency = engine_latency(image)
    rows.append(row("engine, one 640×480 PNG with pictures, warm", latency, "ms", 100))
    return rows


def row(what: str, values: list[float], unit: str, limit: float) -> list[object]:
    """Return a line of the table: median, worst of n, limit."""
    digits = 0 if unit == "MB" else 2
    return [what, f"{statistics.median(values):.{digits}f} {unit}",
            f"{max(values):.{digits}f} {unit} of {len(values)}", f"{limit:g} {unit}"]


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        places = {"CNN_RUNS_DIR": str(Path(folder) / "runs"), "CNN_MODELS_DIR": str(models_dir())}
        body = table(["what", "median", "worst", "limit"], measure(places))
    publish("server", "python -m benchmarks.server", body, options.write)


if __name__ == "__main__":
    main()
