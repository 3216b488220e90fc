"""The bars and figures of a run that trains: drawn by a small script that asks /live/<run id>.

Streamlit hears of it only when the page has to be drawn anew. Knows nothing of what the words mean.
"""

from __future__ import annotations

from pages.shared.charts import TRAINING
from pages.shared.live_feed import Feed
from pages.shared.scripted import scripted

SECONDS_BETWEEN_LOOKS = 2.0
_component = scripted("live_figures")


def show_live_figures(run_id: str, feed: Feed) -> None:
    """Show what the feed says, and keep it true until its mark changes.

    Args:
        run_id: Of the run.
        feed: What `live_feed` says of it now.
    """
    _component(key="run_live", on_changed_change=_nothing, data={
        "run": run_id, "feed": feed, "seconds": SECONDS_BETWEEN_LOOKS, "color": TRAINING})


def _nothing() -> None:
    """Do nothing: that it is called at all draws the page anew."""
