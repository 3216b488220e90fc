"""Keeps the report on each data set until the set changes, so that it is made once and shown often.

A report lies beside the sets, not in them: a set may be in a folder that cannot be written, and is
gone in one step when it is removed. Knows nothing of what is judged (`findings`).
"""

from __future__ import annotations

from contextlib import suppress

from cnn.data import store
from cnn.data.preflight import Preflight, preflight
from cnn.data.progress import Progress
from cnn.errors import CnnError, Unavailable
from cnn.files import atomic_write_json, read_json

_FORMAT = 1  # raise it when the checks find other things


def make_report(name: str, progress: Progress) -> Preflight:
    """Look through a data set and keep what was found.

    Args:
        name: As for `preflight`, with what it raises.
        progress: Told how far it is; it may raise `Cancelled`.
    """
    report = preflight(name, progress)
    with suppress(Unavailable):  # then it is made again when it is next asked for
        path = store.writable_folder(store.STORE) / _file(name)
        atomic_write_json(path, {"format": _FORMAT, **report.to_dict()})
    return report


def kept_report(name: str) -> Preflight | None:
    """Return what was found in a data set as it is now; None if nobody looked since it changed."""
    path = store.find(f"{store.STORE}/{_file(name)}")
    if path is None:
        return None
    try:
        values = read_json(path)
        if (values.pop("format", None) == _FORMAT
                and values.get("fingerprint") == store.read_meta(name).fingerprint):
            return Preflight.from_dict(values)
    except (CnnError, KeyError, TypeError, ValueError, AttributeError):
        pass  # written by another version, or damaged: it costs only the time to make it again
    return None


def _file(name: str) -> str:
    return f"report-{name}.json"
