"""The HTML with which a page begins in the browser: Streamlit's own, told where its server is.

Without that, the browser asks below the address of the page first, is told that nothing is there,
and waits a tenth of a second before it asks where the server is. Knows no pages.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.responses import HTMLResponse

_INDEX = Path(st.__file__).parent / "static" / "index.html"
# Relative, as everything else in that file is: right behind a proxy with a path of its own as well.
_SERVER = ('<script>window.__streamlit = {BACKEND_BASE_URL: new URL(".", location.href).href}'
           "</script>")


@lru_cache(maxsize=1)
def first_html() -> str:
    """Return Streamlit's index.html, told that its server is where it came from itself."""
    return _INDEX.read_text(encoding="utf-8").replace("<title>", f"{_SERVER}<title>", 1)


def begin(request: Any) -> HTMLResponse:
    """Answer a browser that opens a page by its address; for a route."""
    return HTMLResponse(first_html(), headers={"cache-control": "no-cache"})
