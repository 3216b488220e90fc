"""Timing pages in a browser: when what was asked for is there, and the page is at rest.

Times are taken inside Chromium, on the machine of the server: from the navigation, or from the
press of a key or of the mouse, to the moment when Streamlit is at rest, what was asked for is
there, and every picture on the page is loaded. Knows none of the pages.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard_process import CHROMIUM_ARGS, dashboard
from benchmarks.report import table

VIEW = {"width": 1280, "height": 1400}
SECONDS_TO_START = 15
_WAIT = """(want) => new Promise(done => {
  const inside = () => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map(box => box.shadowRoot);
  const all = selector => [document, ...inside()].flatMap(
    root => [...root.querySelectorAll(selector)]);
  const rest = () => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState
    === 'notRunning' && document.querySelector('[data-stale=true]') === null;
  const wall = () => want.wall ? all(want.wall).flatMap(
    box => [...box.querySelectorAll('img')]) : [];
  const loaded = () => (!want.wall || wall().length > 0)
    && [...document.images, ...wall()].every(image => image.complete);
  const there = () => all(want.selector).length >= want.count
    && (!want.instead || all(want.selector).at(want.place)?.innerText !== want.instead);
  const look = () => rest() && there() && loaded() ? done(performance.now())
    : requestAnimationFrame(look);
  look();
})"""
_LISTEN = """(event) => addEventListener(event, () => window.begun = performance.now(),
  {once: true, capture: true})"""


@dataclass(frozen=True)
class Whole:
    """What must be on a page for it to be whole.

    Args:
        selector: Of elements, also of those that a script of this project draws.
        count: How many of them, at least.
        wall: Selector of a box of pictures that must have some. Defaults to none.
        instead: A text that one of the elements must no longer have. Defaults to none.
        place: Which one, -1 for the last.
    """

    selector: str
    count: int = 1
    wall: str = ""
    instead: str = ""
    place: int = 0


def wait_for_engine(page: Page, url: str) -> None:
    """Let a fresh server's engine start, which takes a core for itself."""
    page.goto(url)
    page.wait_for_timeout(SECONDS_TO_START * 1000)


def opened(page: Page, url: str, want: Whole) -> float:
    """Return how many ms a page takes from the navigation to being whole."""
    page.goto(url, wait_until="commit")
    return float(page.evaluate(_WAIT, asdict(want)))


def after(page: Page, event: str, act: Callable[[], object], want: Whole) -> float:
    """Return how many ms pass from an event to a whole page.

    Args:
        page: Open.
        event: Of the browser that `act` causes, such as mousedown.
        act: What the person does.
        want: What is there then and was not before.
    """
    page.evaluate(_LISTEN, event)
    act()
    return float(page.evaluate(_WAIT, asdict(want))) - float(page.evaluate("window.begun"))


def text_of(page: Page, want: Whole) -> str:
    """Return the text of the element at `place`."""
    found = page.locator(want.selector)
    return found.nth(want.place).inner_text() if found.count() else ""


@contextmanager
def visiting(
    environment: Mapping[str, str], script: str = "dashboard.py"
) -> Iterator[tuple[Page, str]]:
    """Yield a page of a fresh browser and the address of a fresh server."""
    with sync_playwright() as playwright, dashboard(environment, script) as server:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(CHROMIUM_ARGS))
        yield browser.new_page(viewport=VIEW), server.url  # type: ignore[arg-type]
        browser.close()


def line(what: str, times: Sequence[float], limit: int | None = None) -> list[object]:
    """Return a line of a table: what, median, worst and limit in ms."""
    return [what, f"{statistics.median(times):.0f} ms", f"{max(times):.0f} ms",
            f"{limit} ms" if limit else ""]


def measured(lines: Sequence[Sequence[object]]) -> str:
    """Return lines as a table, and how busy the computer was: pages are slower on a busy one."""
    busy = psutil.getloadavg()[1]
    return (f"{table(('what', 'median', 'worst', 'limit'), lines)}\n\n"
            f"Load of the computer in the last five minutes: {busy:.1f}.")
