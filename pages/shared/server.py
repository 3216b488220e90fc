"""What the server does besides running pages: headers for safety, a quick and a warm start.

Imported once, by `dashboard.py` when the server imports that; no page needs it. Knows no widgets.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cnn.data.staging import clear_all
from cnn.errors import CnnError
from cnn.prediction.client import shared_engine
from pages.shared.leaving import clear_what_was_left

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),
)
# What the first visitor would wait for otherwise.
_USED_BY_PAGES = ("numpy", "pandas", "pyarrow", "PIL.Image", "cnn.runs.manager",
                  "cnn.models.summary", *(f"pages.shared.{path.stem}" for path in sorted(
                      Path(__file__).parent.glob("*.py"))), "cnn.api")
_OFFLINE_DATASET = "digits"
SECONDS_TO_CLOSE = 2.0

_log = logging.getLogger(__name__)


class SecurityHeaders:
    """Adds headers to every HTTP answer of an ASGI application.

    They keep other sites from framing the dashboard, browsers from guessing types, and addresses
    (which hold run ids) from leaking to other sites.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, and its answer back with the headers that it lacks."""
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                missing = [header for header in _HEADERS if header[0] not in there]
                message = {**message, "headers": [*message["headers"], *missing]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Deferred:
    """An ASGI application that is imported at its first request, or in the warm start.

    FastAPI with what the API calls takes half of the time from start to the first answer.

    Args:
        module: Where the application is.
        name: Of the application in its module.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on; meanwhile others are answered, also while this one imports."""
        module = await asyncio.to_thread(importlib.import_module, self._module)
        await getattr(module, self._name)(scope, receive, send)


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Start what makes the first visit quick, and end engine and uploads with the server."""
    threading.Thread(target=_warm, daemon=True, name="warm-start").start()
    leaving = asyncio.create_task(clear_what_was_left())
    yield
    leaving.cancel()
    await asyncio.to_thread(clear_all)
    # An engine that is still starting holds its lock; it ends by itself when this process does.
    closing = threading.Thread(target=shared_engine().close, daemon=True)
    closing.start()
    closing.join(SECONDS_TO_CLOSE)


def _first_model() -> str:
    from cnn.prediction.choice import default_model

    try:
        return default_model()
    except CnnError:  # there is none yet; the engine starts without
        return ""


def _sweep() -> None:
    from cnn.data.sweeping import sweep
    from cnn.prediction.deleting import deleted_models
    from cnn.runs.trash import deleted_runs

    for clear in (deleted_runs().sweep, deleted_models().sweep, sweep):
        try:
            clear()
        except CnnError as error:  # they stay a while longer
            _log.warning("Old deleted runs and models or unfinished data sets stay: %s", error)


def _warm() -> None:
    for module in _USED_BY_PAGES:
        importlib.import_module(module)
    _sweep()
    # Only now: importing TensorFlow keeps a core busy for seconds, and a page may be waiting.
    shared_engine().start_in_background(_first_model())
    from cnn.data import catalogue
    from cnn.runs.manager import tend_queue

    tend_queue()
    try:
        catalogue.load(_OFFLINE_DATASET)  # 0.2 s, once on this computer; no network
    except CnnError as error:  # the page says it to the person who needs the data
        _log.warning("%s could not be prepared: %s", _OFFLINE_DATASET, error)
