"""Numbers, times and foreign text as people read them. Knows nothing of widgets."""

from __future__ import annotations

import math
import re

NOTHING = "–"  # shown where there is no value
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=])")


def percent(value: float | None, digits: int = 1) -> str:
    """Return a fraction as per cent: 0.972 becomes "97.2 %"."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{100 * value:.{digits}f} %"


def confidence(probability: float) -> str:
    """Return a probability as per cent; one that is not quite 0 or 1 is not rounded to it."""
    if probability > 0.999:
        return "over 99.9 %"
    return "under 0.1 %" if probability < 0.001 else percent(probability)


def decimal(value: float | None, digits: int = 4) -> str:
    """Return a number such as a loss with a fixed number of digits."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def count(number: int) -> str:
    """Return a whole number with separators: "60,000"."""
    return f"{number:,}"


def amount(number: int, thing: str) -> str:
    """Return a number of things: "1 image", "2,000 images"; classes are asked for as "class"."""
    ending = "" if number == 1 else ("es" if thing.endswith("s") else "s")
    return f"{number:,} {thing}{ending}"


def mega(number: float) -> str:
    """Return a large number with three digits: "812", "12.3 k", "1.25 M", "2.10 G"."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= factor * 0.9995:  # what is rounded up to 1000 k is 1 M
            value = number / factor
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f} {unit}"
    return f"{number:.0f}"


def bytes_in_words(number: float) -> str:
    """Return an amount of memory: "85 kB", "612 MB", "1.25 GB"; a MB has 2**20 bytes."""
    mega_bytes = number / 2**20
    if 0 < mega_bytes < 0.95:
        return f"{number / 2**10:.0f} kB"
    return f"{mega_bytes:.0f} MB" if mega_bytes < 999.5 else f"{mega_bytes / 1024:.2f} GB"


def duration(seconds: float) -> str:
    """Return a time span: "0.4 s", "12 s", "3 min 05 s", "1 h 12 min"."""
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rough_span(low: float, high: float) -> str:
    """Return a range of expected times as a person would say it: "50 s to 1.5 min", "2 to 3 h"."""
    (first, first_unit), (last, last_unit) = _rough(low), _rough(high)
    if first_unit == last_unit:
        return f"{first} to {last} {last_unit}" if first != last else f"about {last} {last_unit}"
    return f"{first} {first_unit} to {last} {last_unit}"


def _rough(seconds: float) -> tuple[str, str]:
    """Return a time with two digits at most, and its unit."""
    if seconds < 57.5:
        return str(max(5 * round(seconds / 5), 5)), "s"
    for unit, length, longest in (("min", 60, 95), ("h", 3600, 47), ("days", 86400, math.inf)):
        value = seconds / length
        if value < longest:
            return f"{round(value)}" if value > 9.75 else f"{round(2 * value) / 2:g}", unit
    return NOTHING, ""


def size(pixels: tuple[int, ...] | list[int]) -> str:
    """Return the size of an image, its height first: "32×32, RGB"."""
    height, width, channels = pixels
    return f"{height}×{width}, {'RGB' if channels == 3 else 'grey'}"


def plain(text: str) -> str:
    """Return text from a file, a link or a person so that Markdown shows it letter by letter."""
    return _MARKDOWN.sub(r"\\\1", text)
