"""Numbers in reports and model cards, as people read them. Knows no markup."""

from __future__ import annotations

import math
from typing import Any

from cnn.evaluation.results import wilson_interval

UNKNOWN = "–"


def percent(share: float | None, digits: int = 2) -> str:
    """Return a fraction as per cent: 0.972 becomes "97.20 %"."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    return f"{100 * share:.{digits}f} %"


def interval(share: float, count: int) -> str:
    """Return the 95 % interval of a share of `count` images: "96.0 to 99.1 %"."""
    if not count:
        return UNKNOWN
    low, high = wilson_interval(round(share * count), count)
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def decimal(value: float | None, digits: int = 4) -> str:
    """Return a number such as a loss."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def millions(number: int) -> str:
    """Return a large number in millions: 3752952 becomes "3.75"; a dash where it is not known."""
    return f"{number / 1e6:,.3g}" if 0 < number < 1e9 else f"{number / 1e6:,.0f}" if number \
        else UNKNOWN


def span(seconds: float) -> str:
    """Return a time span: "12.5 s", "3 min 05 s", "1 h 12 min"; a dash where it is not known."""
    if not seconds:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else \
        f"{minutes // 60} h {minutes % 60:02d} min"


def value_text(value: Any) -> str:
    """Return a setting: yes and no for switches, few digits for numbers."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return UNKNOWN
    return f"{value:g}" if isinstance(value, float) else str(value)
