"""How long the Data page takes for a large set: each of its parts, the first time and later.

    python -m benchmarks.data_page [--dataset cifar10] [--write]

The script of the page is run as for a visit, without a browser: what a person waits for before
anything can be drawn. Means and levels of the classes are not known the first time. The last line
is the search for copies and leaks, which the server does beside the page.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from benchmarks.report import arguments, publish, table
from cnn.data.catalogue import load
from cnn.data.preflight import preflight
from cnn.data.store import STORE, set_folder
from cnn.paths import PROJECT

PARTS = ("Overview", "Images", "One image")
RUNS = 5
LIMIT, LIMIT_OF_CHECK = 1.0, 60.0  # seconds; of the page after its first time


def through_dashboard() -> None:
    """Let AppTest run pages inside dashboard.py, as the server does."""
    original = PagesManager.__init__

    def without_legacy_pages(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False

    PagesManager.__init__ = without_legacy_pages


def visit(dataset: str, part: str) -> AppTest:
    """Return the page as a new visitor gets it, not yet run for this part."""
    app = AppTest.from_file(str(PROJECT / "dashboard.py"), default_timeout=300).run()
    app.switch_page("pages/data.py")
    app.session_state["dataset"] = dataset
    app.query_params["section"] = part
    return app


def seconds(app: AppTest) -> float:
    """Return how long one run of the page takes."""
    begin = time.perf_counter()
    app.run()
    took = time.perf_counter() - begin
    if app.exception:
        raise SystemExit(str(app.exception))
    return took


def measure(dataset: str, part: str) -> list[object]:
    """Return a line of the table."""
    app = visit(dataset, part)
    first = seconds(app)
    later = [seconds(app) for _ in range(RUNS)]
    return [part, f"{first:.2f} s", f"{statistics.median(later):.2f} s", f"{max(later):.2f} s",
            f"{LIMIT:g} s"]


def check(dataset: str) -> list[object]:
    """Return the line of the search for copies."""
    begin = time.perf_counter()
    found = preflight(dataset).findings
    took = time.perf_counter() - begin
    kinds = ", ".join(finding.kind for finding in found) or "nothing found"
    return [f"search for copies and leaks: {kinds}", f"{took:.1f} s", "", "",
            f"{LIMIT_OF_CHECK:g} s"]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--dataset", default="cifar10")
    options = parser.parse_args()
    load(options.dataset)
    through_dashboard()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / STORE
        store.mkdir()
        (store / options.dataset).symlink_to(set_folder(options.dataset).resolve())
        os.environ["CNN_DATA_DIR"] = folder
        lines = [measure(options.dataset, part) for part in PARTS]
        lines.append(check(options.dataset))
    body = table(["part", "first time", "later, median", "later, worst", "limit"], lines)
    publish("data-page", f"python -m benchmarks.data_page --dataset {options.dataset}", body,
            options.write)


if __name__ == "__main__":
    main()
