"""Which point of a chart was clicked. Charts keep what is selected; a page wants to know of clicks.

Knows nothing of what the points are.
"""

from __future__ import annotations

import streamlit as st

from pages.shared.data_charts import Point, clicked_point

_SEEN = "clicks_seen"  # in the session: the selections that were acted upon


def clicked(key: str) -> Point | None:
    """Return the point that was clicked on the chart with this key; for its `on_select`."""
    groups = st.session_state[key]["selection"]["selected"]
    now = {(int(group["series_index"]), int(place))
           for group in groups for place in group["data_indices"]}
    seen = st.session_state.setdefault(_SEEN, {})
    before, seen[key] = seen.get(key, set()), now
    return clicked_point(before, now)
