"""A progress bar that stands still between two values.

Streamlit's own glides for half a second to each new value. That is 30 pictures at every look at a
run, and where no graphics card draws them they cost the training as much as the charts do.
"""

from __future__ import annotations

from html import escape

from pages.shared.charts import TRAINING

_TRACK = "height:.5rem;border-radius:.25rem;overflow:hidden;background:rgba(128,128,128,.22)"


def progress_bar(share: float, text: str) -> str:
    """Return a bar with its text above it, for `st.html`.

    Args:
        share: Of the whole; what lies outside 0 to 1 is brought to its nearer end.
        text: Plain text.
    """
    percent, words = 100 * min(max(share, 0.0), 1.0), escape(text)
    return (f'<div style="margin:0 0 .5rem">{words}</div>'
            f'<div role="progressbar" aria-label="{words}" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{percent:.0f}" style="{_TRACK};margin:0 0 1rem">'
            f'<div style="height:100%;width:{percent:.1f}%;background:{TRAINING}"></div></div>')
