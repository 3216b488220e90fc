"""How long many pictures take that are dropped at once on the Predict page, in a browser.

    python -m benchmarks.many_dropped [--model cifar10-flagship] [--pictures 1000] [--write]

Makes the pictures on the spot (hills of colour with grain), in a temporary folder, and drops them
in Chromium as a file manager does. Times are taken in the page, on the machine of the server, from
the drop on, with a warm engine. "Stands still" is the longest time between two frames that the page
could draw meanwhile. Processor time, which other work on the machine does not change much, is that
of server, engine and browser.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard_process import CHROMIUM_ARGS, Dashboard, dashboard
from benchmarks.report import arguments, publish, table

LIMIT = 60  # seconds from the drop to the table
PARTS = ("server", "engine", "browser")
GRAIN = 32  # of 255: makes a JPEG as large as that of a photo


@dataclass(frozen=True)
class Kind:
    """One kind of pictures."""

    ending: str
    width: int
    height: int


KINDS = (Kind("png", 32, 32), Kind("jpg", 800, 600))
_WATCH = """() => {
  const seen = { still: 0 };
  window.seen = seen;
  let before = 0;
  const look = (now) => {
    if (before) seen.still = Math.max(seen.still, now - before);
    before = now;
    if (!seen.sent && document.querySelector(".st-key-predict_files_drop_remove"))
      seen.sent = now - seen.dropped;
    const app = document.querySelector("[data-testid=stApp]");
    if (document.querySelector("[data-testid=stDataFrame] canvas")
        && app.dataset.testScriptState === "notRunning") seen.table = now - seen.dropped;
    else requestAnimationFrame(look);
  };
  addEventListener("drop", () => {
    seen.dropped = performance.now();
    requestAnimationFrame(look);
  }, { capture: true, once: true });
}"""


def make_pictures(folder: Path, count: int, kind: Kind) -> None:
    """Write pictures, no two alike."""
    random = np.random.default_rng(0)
    size = kind.width, kind.height
    grain = random.integers(0, GRAIN, (kind.height, kind.width, 3), dtype=np.uint8)
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        hills = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))
        pixels = hills // 8 * 7 + np.roll(grain, number, axis=0)
        Image.fromarray(pixels).save(folder / f"IMG_{number:04}.{kind.ending}", quality=90)


def wait_for_engine(server: Dashboard) -> None:
    """Return when the engine is warm."""
    while True:
        with urllib.request.urlopen(f"{server.url}/api/health") as reply:
            if json.load(reply)["engine_ready"]:
                return
        time.sleep(0.5)


def processor(server: Dashboard) -> list[float]:
    """Return the seconds of processor time that server, engine and browser have used."""
    served = psutil.Process(server.process.pid)
    browser = [child for child in psutil.Process().children(recursive=True)
               if "chrom" in child.name()]
    return [sum(sum(one.cpu_times()[:2]) for one in group)
            for group in ([served], served.children(recursive=True), browser)]


def drop(page: Page, paths: list[Path]) -> None:
    """Drop files or folders on the uploader."""
    box = page.get_by_test_id("stFileUploaderDropzone").bounding_box()
    assert box is not None
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {
            "type": kind, "x": box["x"] + 9, "y": box["y"] + 9,
            "data": {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}})


def measure(server: Dashboard, page: Page, model: str, paths: list[Path]) -> dict[str, float]:
    """Return ms until all is sent, until the table is there and the longest without a frame.

    And the seconds of processor time by `PARTS`.
    """
    page.goto(f"{server.url}/predict?model={model}")
    page.get_by_role("button", name="Choose a folder").wait_for()
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    wait_for_engine(server)
    page.evaluate(_WATCH)
    before = processor(server)
    drop(page, paths)
    page.wait_for_function("window.seen.table", timeout=5000 * LIMIT)
    found: dict[str, float] = page.evaluate("window.seen")
    used = (after - begin for begin, after in zip(before, processor(server), strict=True))
    return {**found, **dict(zip(PARTS, used, strict=True))}


def lines_of(
    server: Dashboard, page: Page, options: argparse.Namespace, folder: Path
) -> list[list[object]]:
    """Return the lines of the table."""
    lines: list[list[object]] = []
    for kind in KINDS:
        place = folder / kind.ending
        place.mkdir()
        make_pictures(place, options.pictures, kind)
        files = sorted(place.iterdir())
        size = sum(path.stat().st_size for path in files)
        what = (f"{len(files):,} {kind.ending.upper()} of {kind.width}×{kind.height}, "
                f"{size / 2**20:.0f} MB")
        for way, paths in (("files", files), ("a folder", [place])):
            seen = measure(server, page, options.model, paths)
            seconds = [f"{seen[part] / 1000:.1f} s" for part in ("sent", "table")]
            used = " + ".join(f"{seen[part]:.1f}" for part in PARTS)
            lines.append([what, way, *seconds, f"{seen['still']:.0f} ms", f"{used} s",
                          f"{server.memory()[0]:.0f} MB"])
    return lines


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--model", default="cifar10-flagship")
    parser.add_argument("--pictures", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(CHROMIUM_ARGS))
        places = {f"CNN_{kind}_DIR": f"{folder}/{kind}" for kind in ("DATA", "RUNS")}
        with dashboard(places) as server:
            page = browser.new_page(viewport={"width": 1280, "height": 1400})
            lines = lines_of(server, page, options, Path(folder))
        browser.close()
    publish("many-dropped", f"python -m benchmarks.many_dropped --model {options.model}",
            table(["dropped", "as", "all sent", f"table there (limit {LIMIT} s)", "stands still",
                   f"processor: {' + '.join(PARTS)}", "server's memory"], lines), options.write)


if __name__ == "__main__":
    main()
