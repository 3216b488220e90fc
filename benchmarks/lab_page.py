"""How long the architecture lab takes to answer an edit, in a browser.

    python -m benchmarks.lab_page [--runs 9] [--write]

From the press of the mouse on the plus of a number to the whole page with the new cost. "The
script alone" is the part of the server, processor time of the same edit without a browser. Needs
measured speeds of no computer: the time for an epoch stays a dash.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from benchmarks.browser import (
    Whole,
    after,
    line,
    measured,
    opened,
    text_of,
    visiting,
    wait_for_engine,
)
from benchmarks.data_page import through_dashboard
from benchmarks.report import arguments, publish
from cnn.data.catalogue import load
from cnn.paths import PROJECT

NETWORKS = ("base", "deeper-dropout", "resnet")
DEEPEST = "googlenet"
LIMIT = 200  # ms
COST = Whole(".form .quiet:last-child")


def edits(page: Page, url: str, name: str, runs: int) -> list[float]:
    """Return how long each edit of the first layer takes."""
    opened(page, f"{url}/lab?from={name}", Whole(".figure .value", 4))
    page.locator(".layers button.line").first.click()
    button = page.get_by_label(": more").first
    button.wait_for()
    times = []
    for _ in range(runs + 1):
        page.wait_for_timeout(300)
        want = replace(COST, instead=text_of(page, COST))
        times.append(after(page, "mousedown", button.click, want))
    return times[1:]


def script(name: str, runs: int) -> list[float]:
    """Return the ms of processor time of the script for each edit."""
    app = AppTest.from_file(str(PROJECT / "dashboard.py"), default_timeout=60).run()
    app.switch_page("pages/lab.py")
    app.query_params["from"] = name
    app.run()
    (number, first), = ((row["number"], row["values"]) for row in told(app)["rows"][1:2])
    field, value = next(iter(first.items()))  # of the first layer: its filters
    times = []
    for more in range(1, runs + 2):
        begin = time.process_time()
        send(app, [[more, "set", number, field, value + more]])
        times.append(1e3 * (time.process_time() - begin))
        if app.exception:
            raise SystemExit(str(app.exception))
    return times[1:]


def told(app: AppTest) -> dict[str, Any]:
    """Return what the script that draws the layers was told."""
    (component,) = app.get("bidi_component")
    found: dict[str, Any] = json.loads(component.proto.json)
    return found


def send(app: AppTest, edits: Any, session: str = "") -> None:
    """Draw the page again after what the script in the page sends.

    Args:
        app: Shows the lab.
        edits: [[number, what, ...], ...].
        session: Whose numbers these are. Defaults to that of the page.
    """
    (component,) = app.get("bidi_component")
    value = {"edits": {"session": session or told(app)["session"], "list": edits}}
    states = app._tree.get_widget_states()  # AppTest has no components of one's own
    states.widgets.append(WidgetState(id=component.proto.id, json_value=json.dumps(value)))
    app._run(states)


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    load("digits")
    through_dashboard()
    lines = []
    with tempfile.TemporaryDirectory() as place:
        environment = {"CNN_ARCHITECTURES_DIR": str(Path(place) / "own")}
        with visiting(environment) as (page, url):
            wait_for_engine(page, url)
            for name in NETWORKS:
                lines.append(line(f"an edit of `{name}`", edits(page, url, name, options.runs),
                                  LIMIT))
        for name in (*NETWORKS, DEEPEST):
            lines.append(line(f"an edit of `{name}`: the script alone",
                              script(name, options.runs)))
    publish("lab-page", "python -m benchmarks.lab_page", measured(lines), options.write)


if __name__ == "__main__":
    main()
