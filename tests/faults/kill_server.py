"""SIGKILL of the dashboard, again and again, while one run trains and a browser watches it.

One Chromium page shows the run from the first kill to the last; nobody reloads it. After each kill
the dashboard is started again on the same port, and the page must show later epochs than before.

Lost is: a run that another trainer had to take up, or that misses an epoch, or whose trainer has
ended; a page that shows nothing new within ten seconds after the restart began. "Shows" means both:
the figures, which ask the server by themselves, and Streamlit's own connection.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard_process import CHROMIUM_ARGS, Dashboard, start_dashboard
from cnn.config import RunConfig
from cnn.runs import manager, steering
from tests.browser.conftest import CHROMIUM
from tests.faults.support import (
    PATIENCE,
    Tally,
    events_of,
    last_epoch_told,
    own_folders,
    own_trainers,
    tell,
    wait_for,
)

COUNT = 50
KINDS = ("runs disturbed", "pages too late")
SECONDS_TO_BE_BACK = 10.0
PATIENCE_WITH_PAGE = 120.0
MOST_SECONDS = 3.0  # before a kill, and as many until the restart
CONFIG = RunConfig("digits", "dropout", "watched", epochs=10_000, seed=7)
_CONNECTED = "[data-testid=stApp][data-test-connection-state=CONNECTED]"
_EPOCH = re.compile(r"Epoch (\d+) of")


def epoch_shown(page: Page) -> int:
    """Return the epoch that the page's figures are in; 0 where there are none."""
    labels = page.locator("[role=progressbar]").evaluate_all(
        "bars => bars.map(bar => bar.getAttribute('aria-label')).join(' | ')")
    found = _EPOCH.search(labels)
    return int(found[1]) if found else 0


def seconds_until_news(page: Page, epoch: int, begin: float) -> float:
    """Return how long after `begin` the page is connected and shows a later epoch; at most 120."""
    wait_for(lambda: epoch_shown(page) > epoch and page.locator(_CONNECTED).count() == 1,
             PATIENCE_WITH_PAGE)
    return time.monotonic() - begin


def kill_once(servers: list[Dashboard], page: Page, folder: Any, chance: random.Random) -> float:
    """Kill the last server and start another; return how long the page took."""
    time.sleep(chance.uniform(0, MOST_SECONDS))
    servers[-1].kill()
    time.sleep(chance.uniform(0, MOST_SECONDS))
    epoch, begin = last_epoch_told(folder), time.monotonic()
    servers.append(start_dashboard({}, servers[-1].port))
    return seconds_until_news(page, epoch, begin)


def end(server: Dashboard) -> None:
    """Kill the last server, and wait for its engine: it would write into folders that are gone."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    server.kill()
    psutil.wait_procs(children, PATIENCE_WITH_PAGE)


def check_run(folder: Any, tally: Tally) -> None:
    """See that one trainer has told every epoch, and trains."""
    events = events_of(folder)
    epochs = [event["epoch"] for event in events if event["kind"] == "epoch"]
    state, sittings = manager.get_run(folder.run_id).status.state, folder.read_status().sittings
    tally.check(state == "running" and sittings == 1, KINDS[0], f"{state}, {sittings} sittings")
    tally.check(epochs == list(range(1, len(epochs) + 1)), KINDS[0], f"epochs {epochs[-9:]}")
    tally.check(not any(event["kind"] == "resume" for event in events), KINDS[0], "resumed")


def watch(count: int, chance: random.Random, tally: Tally) -> list[float]:
    """Kill so many servers; return how long the page took each time."""
    run_id = manager.start_run(CONFIG)
    folder = manager.get_run(run_id).folder
    wait_for(lambda: last_epoch_told(folder) >= 1)
    servers, took = [start_dashboard({})], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE_WITH_PAGE)
        try:
            page.goto(f"{servers[0].url}/train?run={run_id}")
            seconds_until_news(page, 0, time.monotonic())
            for number in range(count):
                seconds = kill_once(servers, page, folder, chance)
                tally.times += 1
                took.append(seconds)
                tally.check(seconds <= SECONDS_TO_BE_BACK, KINDS[1], f"{seconds:.1f} s")
                check_run(folder, tally)
                tell(f"{number + 1}: server up after {servers[-1].seconds_to_health:.1f} s, "
                     f"news after {seconds:.1f} s")
        finally:
            if servers[-1].process.poll() is None:
                end(servers[-1])
            browser.close()
    steering.stop_run(run_id)
    status = manager.wait_until_ended(run_id, PATIENCE).status
    tally.check(status.state == "stopped" and bool(status.model), KINDS[0], f"in the end: {status}")
    return took


def run(count: int, chance: random.Random) -> list[Tally]:
    """Kill the server so many times."""
    tally = Tally("SIGKILL of the server, a page watching",
                  "one sitting, no epoch missing, page shows later epochs within 10 s", KINDS)
    if CHROMIUM is None:
        tally.note = "Left out: no Chromium on this computer"
        return [tally]
    with own_folders(), own_trainers():
        took = watch(count, chance, tally)
    tally.note = (f"Page back after {statistics.median(took):.1f} s (median), "
                  f"{max(took):.1f} s (worst), from the start of the new server")
    return [tally]
