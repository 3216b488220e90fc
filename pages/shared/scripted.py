"""Elements of a page that a script of ours draws: from NAME.js and NAME.css beside this file.

Where Streamlit's own elements would be too many, too slow, or cannot do it. Knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def scripted(name: str, *more_css: str) -> Callable[..., Any]:
    """Return what draws an element: Streamlit's `components.v2`, given its name, script and style.

    Args:
        name: Of the element and its files.
        more_css: Names of styles that come before its own.
    """
    return st.components.v2.component(
        name, css="".join(_read(f"{one}.css") for one in (*more_css, name)),
        js=_read("scripted.js") + _read(f"{name}.js"))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
