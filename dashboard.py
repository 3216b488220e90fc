"""CNN Studio: train, watch, evaluate and use convolutional networks.

    streamlit run dashboard.py

This file is both. The server imports it once and finds `app`, the ASGI application with the HTTP
API at /api; each visit then runs it as a Streamlit script. Whether there is a script run decides
which of the two it is. What a page shows is in `pages/`, what the product can do in `cnn/`.
"""

from __future__ import annotations

import logging
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.layout import draw_page, page_list

if get_script_run_ctx(suppress_warning=True) is not None:
    draw_page()
else:
    from starlette.middleware import Middleware
    from starlette.routing import Mount, Route

    from cnn.api_guard import Guard, PageGuard
    from pages.shared.first_html import begin
    from pages.shared.live_feed import answer
    from pages.shared.server import Deferred, SecurityHeaders, lifespan

    # Declared before the first visit: otherwise Streamlit, which finds a folder named pages/, runs
    # a page without this file when the first visitor of a server comes by a link to that page.
    _script_run_log = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    _script_run_log.disabled = True  # it rightly says that this is no script run
    st.navigation(page_list())
    _script_run_log.disabled = False

    opening = [Route(f"/{path.stem}", begin) for path in Path(__file__).parent.glob("pages/*.py")]
    address = st.get_option("server.address") or ""
    api = Guard(Deferred("cnn.api", "api"), address)
    drops = PageGuard(Deferred("pages.shared.drop_route", "app"), address)
    app = st.App(__file__, lifespan=lifespan, middleware=[Middleware(SecurityHeaders)],
                 routes=[Mount("/api", app=api), Mount("/drops", app=drops),
                         Route("/live/{run}", answer), *opening])

    if __name__ == "__main__":
        app.run()
